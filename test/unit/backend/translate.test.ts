import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { type Facts, sharesOf, translate } from "../../../src/backend/slurm/translate.ts";
import { takeApart } from "../../../src/backend/slurm/words.ts";
import { activationCode, wrapScript } from "../../../src/backend/slurm/wrapper.ts";
import { command as sbatch } from "../../../src/cli/commands/sbatch.ts";
import { command as srun } from "../../../src/cli/commands/srun.ts";

const FACTS: Facts = {
  shares: { kind: "shard", perGpu: 4 },
  models: { models: { "llama-70b": "4", mistral: "0.5" }, otherwise: null },
  gpuMemoryMiB: 0,
};

function say(argv: readonly string[], facts: Partial<Facts> = {}, command = srun, directives: readonly string[] = []) {
  const { options } = command;
  const { tokens, rest } = takeApart({ argv, options, stops: true });
  const beside = takeApart({ argv: directives, options, stops: false }).tokens;
  return { ...translate(command.name, tokens, { ...FACTS, ...facts }, beside), rest };
}

describe("a command line for Slurm", () => {
  test.each([
    [["-n2", "hostname", "--gpus=0.5"], ["-n2"], ["hostname", "--gpus=0.5"]],
    [
      ["-vN", "2", "--mem=1G", "--", "-x"],
      ["-v", "-N", "2", "--mem=1G"],
      ["--", "-x"],
    ],
    [["--some-new-option=7", "-c4", "true"], ["--some-new-option=7", "-c4"], ["true"]],
    [["--exclu", "--job-name", "a b", "x"], ["--exclu", "--job-name", "a b"], ["x"]],
    [["-G", "a100:2", "--gres=gpu:2"], ["-G", "a100:2", "--gres=gpu:2"], []],
  ])("%j stays as it is where Slurm has it", (argv, words, rest) => {
    expect(say(argv)).toMatchObject({ words, rest, problems: [], notes: [] });
  });

  test.each([
    [["--gpus=0.5"], ["--gres=shard:2"]],
    [["-G", ".3"], ["--gres=shard:2"]],
    [["--gres=gpu:0.25"], ["--gres=shard:1"]],
    [
      ["--gpus-per-node=0.5", "-N2"],
      ["--gres=shard:2", "-N2"],
    ],
    [["--model=llama-70b"], ["--gpus=4"]],
    [["--model", "mistral"], ["--gres=shard:2"]],
    [["--node-gpu-ids=n[1-2]:0,1"], ["--nodelist=n[1-2]", "--nodes=2", "--gres=gpu:2"]],
    [["--no-pty", "--on-disconnect=kill", "-n1"], ["-n1"]],
  ])("%j is said as %j", (argv, words) => {
    expect(say(argv)).toMatchObject({ words, problems: [] });
  });

  test.each([
    [[], "--gres=shard:1"],
    [["-N3"], "--gres=shard:1"],
    [["-n1"], "--gres=shard:1"],
    [["-n3", "-N1"], "--gres=shard:3"],
    [["-n2", "-N2"], "--gres=shard:1"],
    [["-n8", "--ntasks-per-node=4"], "--gres=shard:4"],
  ])("a part for each task is one for the tasks of a node: %j", (geometry, word) => {
    expect(say(["--gpus-per-task=0.25", ...geometry])).toMatchObject({ problems: [] });
    expect(say(["--gpus-per-task=0.25", ...geometry]).words).toContain(word);
    expect(say(["--gpus-per-task=0.25"], {}, sbatch, geometry)).toMatchObject({ words: [word], problems: [] });
  });

  test("a part for each task of nodes that may have more or fewer is refused, wherever the tasks are counted", () => {
    const reason = "--gpus-per-task can't be said to Slurm: Slurm counts shares for each node";
    for (const geometry of [["-n4"], ["-n4", "-N2"], ["-n3", "-N1-3"], ["--ntasks-per-gpu=2"]]) {
      expect(say(["--gpus-per-task=0.25", ...geometry]).problems).toEqual([expect.stringContaining(reason)]);
      expect(say(["--gpus-per-task=0.25"], {}, sbatch, geometry).problems).toEqual([expect.stringContaining(reason)]);
    }
    expect(say(["--gpus-per-task=0.5", "-n3", "-N1"]).problems).toEqual([expect.stringContaining("3 tasks want more")]);
    expect(say(["--gpus-per-task=0.5", "-n1"], {}, sbatch, ["-n", "4"]).problems).toEqual([]);
    expect(say(["--model=mistral"], {}, sbatch, ["--gpus=2"]).words).toEqual([]);
  });

  test("memory of a GPU is a part of one, where somebody says what it has", () => {
    expect(say(["--gpu-mem=20G"], { gpuMemoryMiB: 80 * 1024 })).toMatchObject({ words: ["--gres=shard:1"] });
    expect(say(["--gpu-mem=20G", "--gpus=2"], { gpuMemoryMiB: 80 * 1024 })).toMatchObject({ words: ["--gpus=2"] });
    expect(say(["--gpu-mem=20G"]).problems).toEqual([expect.stringContaining("set MGPU_SLURM_GPU_MEMORY=80G")]);
  });

  test("what can't be said is refused, all of it at once", () => {
    const argv = [
      "--gpus=1.5",
      "--allowed-gpus=0",
      "--on-disconnect=detach",
      "--notify=https://x/y",
      "--model=nobody's",
    ];
    const { problems } = say([...argv, "--venv=here", "--inactivity-timeout=5"]);
    expect(problems).toHaveLength(6);
    for (const problem of problems) expect(problem).toMatch(/^--[a-z-]+/);
    expect(say(["--gpus=0.5"], { shares: null }).problems).toEqual([
      "--gpus can't be said to Slurm: this cluster gives whole GPUs only: its nodes have neither shards nor MPS (GresTypes)",
    ]);
    expect(say(["--pty", "--retry-wait=600", "--progress"], {}, sbatch).problems).toHaveLength(3);
  });

  test("shares of GPUs are those of the node that has the fewest", () => {
    expect(sharesOf(["NodeName=n1 Gres=gpu:a100:4(S:0-1),shard:a100:16(S:0-1) X=1"])).toEqual({
      kind: "shard",
      perGpu: 4,
    });
    expect(sharesOf(["NodeName=n1 Gres=gpu:2,mps:200", "NodeName=n2 Gres=gpu:4,mps:200"])).toEqual({
      kind: "mps",
      perGpu: 50,
    });
    expect(sharesOf(["NodeName=n1 Gres=gpu:2", "NodeName=n2 Gres=(null)"])).toBeNull();
  });
});

describe("shell code around a job", () => {
  test("a script keeps its directives, its interpreter and its lines", () => {
    const { plan } = say(["--retries=2", "--notify=https://hooks.slack.com/services/x"], {}, sbatch);
    const text = wrapScript("#!/usr/bin/env python3\n#SBATCH -c 2\n#SBATCH --gpus=1\nprint('$HOME')", plan, "", "END");
    expect(text).toMatch(/^#!\/bin\/sh\n#SBATCH -c 2\n#SBATCH --gpus=1\n/);
    expect(text).toContain("<<'END'\n#!/usr/bin/env python3\n#SBATCH -c 2\n#SBATCH --gpus=1\nprint('$HOME')\nEND\n");
    expect(text).toContain('[ "${SLURM_RESTART_COUNT:-0}" -lt 2 ]');
    expect(text).toContain("https://hooks.slack.com/services/x");
  });

  test("an environment is looked for on the node, in all its places", () => {
    const code = activationCode({ kind: "conda", name: "it's" }, { HOME: "/home/ada" });
    expect(code).toContain("'/home/ada/miniconda3/envs/it'\\''s'");
    expect(code).toContain("/opt/conda/envs/");
    expect(activationCode({ kind: "venv", name: "/v" }, {})).toContain('[ -e "$_mgpu_env/bin/python" ]');
  });

  test("an environment's name is a name to the shell, whatever is in it", () => {
    const folder = mkdtempSync(join(tmpdir(), "mgpu-wrapper-"));
    const name = `/none/a"$(touch ${folder}/came)'b`;
    const code = `${activationCode({ kind: "venv", name }, {})}\n`;
    const ran = () => execFileSync("/bin/sh", ["-c", code], { stdio: "pipe" });
    try {
      expect(ran).toThrow(`mgpu: no virtual environment ${name} on `);
      expect(existsSync(join(folder, "came"))).toBe(false);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test("a notice has the job's name as it is, and its address on no command line", () => {
    const folder = mkdtempSync(join(tmpdir(), "mgpu-wrapper-"));
    try {
      const { plan } = say(["--notify=slack:https://h/secret,ntfy:https://h/topic"], {}, sbatch);
      writeFileSync(join(folder, "script"), wrapScript("#!/bin/sh\nexit 3\n", plan, "", "END"));
      writeFileSync(join(folder, "curl"), `#!/bin/sh\nprintf '%s\\n' "$*" >>"$OUT.args"\ncat >>"$OUT.input"\n`);
      chmodSync(join(folder, "curl"), 0o755);
      const out = join(folder, "out");
      const env = {
        PATH: `${folder}:/usr/bin:/bin`,
        OUT: out,
        SLURM_JOB_ID: "7",
        SLURM_JOB_NAME: 'my  "best" \\job *',
      };
      expect(() => execFileSync("/bin/sh", [join(folder, "script")], { env, stdio: "pipe" })).toThrow();
      const args = readFileSync(`${out}.args`, "utf8").trim().split("\n");
      const text = "Slurm Job_id=7 Name=my  best job * Ended, ExitCode 3";
      expect(args).toEqual([expect.stringContaining(`{"text": "${text}"}`), expect.stringContaining(text)]);
      expect(args.join()).not.toContain("https://h/");
      expect(readFileSync(`${out}.input`, "utf8")).toBe('url = "https://h/secret"\nurl = "https://h/topic"\n');
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
