/** The completion scripts in the shells that they are for. A stand-in for mgpu answers what they ask of the cluster. */

import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";

const scripts = join(import.meta.dirname, "../../completions");
const folder = mkdtempSync(join(tmpdir(), "mgpu-complete-"));
afterAll(() => rmSync(folder, { recursive: true }));

const ANSWER = `#!/bin/sh
[ "$1" = __complete ] || exit 1
case $2 in
  jobs) printf '12\\tRUNNING train (ada)\\n14\\tPENDING big (bob)\\n' ;;
  nodes) printf 'n1\\tIDLE\\nn2\\tMIXED\\n' ;;
  partitions) printf 'main\\tpartition\\nmaint\\tpartition\\n' ;;
  users) printf 'ada\\thas jobs\\n' ;;
esac
`;
writeFileSync(join(folder, "mgpu"), ANSWER);
chmodSync(join(folder, "mgpu"), 0o755);
writeFileSync(join(folder, "train.py"), "");

const env = { ...process.env, PATH: `${folder}:${process.env.PATH}`, HOME: folder, TERM: "dumb" };

function has(shell: string): boolean {
  const isThere = spawnSync(shell, ["-c", "true"]).status === 0;
  if (!isThere && process.env.CI) throw new Error(`${shell} is missing: .ci/run installs it`);
  return isThere;
}

function bash(...words: readonly string[]): string[] {
  const code = `
    source ${scripts}/mgpu.bash
    COMP_WORDS=("$@"); COMP_CWORD=$((\${#COMP_WORDS[@]} - 1)); COMP_TYPE=9
    _mgpu_complete "$1" "\${COMP_WORDS[COMP_CWORD]}"
    printf '%s\\n' "\${COMPREPLY[@]}"`;
  const out = execFileSync("bash", ["--norc", "-c", code, "bash", ...words], { env, cwd: folder, encoding: "utf8" });
  return out
    .split("\n")
    .filter((line) => line !== "")
    .sort();
}

describe.skipIf(!has("bash"))("bash", () => {
  test("options, with = where a value follows", () => {
    expect(bash("mgpu-srun", "--part")).toEqual(["--partition="]);
    expect(bash("mgpu-srun", "--gpus-per-")).toContain("--gpus-per-node=");
    expect(bash("mgpu-squeue", "--noh")).toEqual(["--noheader"]);
    expect(bash("mgpu", "why", "--j")).toEqual(["--json"]);
  });
  test("values after a blank, after = and in lists", () => {
    expect(bash("mgpu-srun", "-p", "mai")).toEqual(["main", "maint"]);
    expect(bash("mgpu-srun", "--partition", "=", "maint")).toEqual(["maint"]);
    expect(bash("mgpu-srun", "--partition", "=")).toEqual(["main", "maint"]);
    expect(bash("mgpu-sbatch", "-w", "n1,n")).toEqual(["n1,n1", "n1,n2"]);
    expect(bash("mgpu-squeue", "--states", "=", "PEND")).toEqual(["PENDING"]);
  });
  test("operands: jobs, subcommands, the user's program and its files", () => {
    expect(bash("mgpu-scancel", "1")).toEqual(["12", "14"]);
    expect(bash("mgpu", "logs", "-f", "14")).toEqual(["14"]);
    expect(bash("mgpu", "sta")).toEqual(["status"]);
    expect(bash("mgpu-srun", "-n", "2", "bas")).toContain("bash");
    expect(bash("mgpu-srun", "-n", "2", "python", "tra")).toEqual(["train.py"]);
    expect(bash("mgpu-srun", "python", "--part")).toEqual([]);
  });
});

describe.skipIf(!has("fish"))("fish", () => {
  const fish = (line: string): string[] =>
    execFileSync("fish", ["--no-config", "-c", `source ${scripts}/mgpu.fish; complete -C ${JSON.stringify(line)}`], {
      ...{ env, cwd: folder, encoding: "utf8" },
    })
      .split("\n")
      .filter((text) => text !== "");

  test("options with their help, values, operands", () => {
    expect(fish("mgpu-srun --partit")[0]).toMatch(/^--partition.*\t.*partition/i);
    expect(fish("mgpu-srun -p mai")).toEqual(["main\tpartition", "maint\tpartition"]);
    expect(fish("mgpu-srun --partition=maint")[0]).toMatch(/maint\tpartition$/);
    expect(fish("mgpu-scancel 1")).toEqual(["12\tRUNNING train (ada)", "14\tPENDING big (bob)"]);
    expect(fish("mgpu logs 14")).toEqual(["14\tPENDING big (bob)"]);
    expect(fish("mgpu sta")[0]).toMatch(/^status\t/);
    expect(fish("mgpu-srun bas").some((one) => one.startsWith("bash"))).toBe(true);
    expect(fish("mgpu-srun python tra")).toContain("train.py");
  });
});

describe.skipIf(!has("zsh"))("zsh", () => {
  /** What a Tab after the line lists or inserts, by way of a terminal of zsh's own. */
  const zsh = (line: string): string => {
    const code = `
      zmodload zsh/zpty
      zpty z zsh -f -i
      zpty -w z 'PS1=; fpath=(${scripts} $fpath); autoload -Uz compinit; compinit -u -d ${folder}/dump; LISTMAX=1000; zstyle ":completion:*" list-prompt ""; unsetopt beep; print re''ady'
      local out= piece=
      while [[ $out != *$'\\n'ready* ]]; do zpty -r z piece || break; out+=$piece; done
      zpty -w -n z ${JSON.stringify(line)}$'\\t\\t'
      out=
      repeat 30; do
        sleep 0.1
        while zpty -rt z piece; do out+=$piece; done
        [[ $out == *"$1"* ]] && break
      done
      print -r -- "$out"
      zpty -d z`;
    return code;
  };
  const complete = (line: string, awaited: string): string =>
    execFileSync("zsh", ["-f", "-c", zsh(line), "zsh", awaited], {
      env,
      cwd: folder,
      encoding: "utf8",
      timeout: 30_000,
    });

  test("options, values and operands", () => {
    expect(complete("mgpu-srun --partit", "--partition")).toContain("--partition");
    expect(complete("mgpu-srun -p mai", "maint")).toContain("maint");
    expect(complete("mgpu-scancel 1", "big")).toContain("PENDING big (bob)");
    expect(complete("mgpu sta", "status")).toContain("status");
    expect(complete("mgpu-srun python tra", "train.py")).toContain("train.py");
  });
});
