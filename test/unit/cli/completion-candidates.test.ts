/** What the completion script finds, asked as zsh and fish ask it. The names of the cluster lie in its file. */

import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { cachePath } from "../../../src/cli/commands/completion/cache-path.ts";
import { FIELDS } from "../../../src/cli/commands/scontrol/update-fields.ts";
import { JOB_KEYS, NODE_KEYS, PARTITION_KEYS } from "../../../src/cli/gen/grammars.ts";

const script = join(import.meta.dirname, "../../../completions/mgpu.bash");
const folder = mkdtempSync(join(tmpdir(), "mgpu-complete-"));
afterAll(() => rmSync(folder, { recursive: true }));

const NAMES = [
  "jobs\t12\tRUNNING train (ada)",
  "jobs\t14\tPENDING big (bob)",
  "running\t12\tRUNNING train (ada)",
  "past\t11\tCOMPLETED early (ada)",
  "targets\t12\tRUNNING train (ada)",
  "targets\t12.0\tpython train.py",
  "sessions\t12.0\tbash",
  "nodes\tn1\tIDLE",
  "nodes\tn2\tMIXED",
  "nodes\tn10\tDOWN",
  "partitions\tmain\tpartition",
  "partitions\tmaint\tpartition",
  "users\tada\tuser",
  "accounts\tvision\tcomputer vision",
  "qos\thigh\t",
  "gpus\ta100:\tGPUs of this type",
];
const env = { PATH: process.env.PATH ?? "", HOME: folder };
mkdirSync(dirname(cachePath(env)), { recursive: true });
// Of the time to come: never too old.
writeFileSync(cachePath(env), `${Math.floor(Date.now() / 1000) + 3600}\n${NAMES.join("\n")}\n`);

/** The words as they would stand on the line; the last is the one under the cursor. */
function found(...words: readonly string[]): string[] {
  const out = execFileSync("bash", [script, "--candidates", ...words], { env, cwd: folder, encoding: "utf8" });
  const [head = "", ...lines] = out.replace(/\n$/, "").split("\n");
  const [mode, offset, before = ""] = head.split("\t");
  if (mode !== "words") return [`${mode} ${offset} ${before}`];
  return lines.map((line) => before + line.split("\t")[0]).sort();
}

describe("what fits", () => {
  test("options, with = where a value follows", () => {
    expect(found("mgpu-srun", "--part")).toEqual(["--partition="]);
    expect(found("mgpu-srun", "--gpus-per-")).toContain("--gpus-per-node=");
    expect(found("mgpu-squeue", "--noh")).toEqual(["--noheader"]);
    expect(found("mgpu", "why", "--j")).toEqual(["--json"]);
    expect(found("srun", "--part")).toEqual(["--partition="]);
  });
  test("values after a blank, after = and in lists", () => {
    expect(found("mgpu-srun", "-p", "mai")).toEqual(["main", "maint"]);
    expect(found("mgpu-srun", "--partition=maint")).toEqual(["--partition=maint"]);
    expect(found("mgpu-sbatch", "--partition=main,m")).toEqual(["--partition=main,main", "--partition=main,maint"]);
    expect(found("mgpu-squeue", "--states=PEND")).toEqual(["--states=PENDING"]);
    expect(found("mgpu-squeue", "-u", "")).toEqual(["ada"]);
    expect(found("mgpu-sbatch", "--qos=")).toEqual(["--qos=high"]);
    expect(found("mgpu-sbatch", "-A", "")).toEqual(["vision"]);
  });
  test("hostlists, in brackets too", () => {
    expect(found("mgpu-sbatch", "-w", "n1,n2")).toEqual(["n1,n2"]);
    expect(found("mgpu-sbatch", "--nodelist=n[1")).toEqual(["--nodelist=n[1", "--nodelist=n[10", "--nodelist=n[1]"]);
    expect(found("mgpu-sbatch", "-w", "n[1,")).toEqual(["n[1,1", "n[1,10", "n[1,2"]);
    expect(found("mgpu-sbatch", "-w", "n[1-2],n1")).toEqual(["n[1-2],n1", "n[1-2],n10"]);
  });
  test("GPU types and dependencies", () => {
    expect(found("mgpu-srun", "--gpus=")).toEqual(["--gpus=a100:"]);
    expect(found("mgpu-srun", "--gres=")).toEqual(["--gres=gpu:", "--gres=gpu:a100:"]);
    expect(found("mgpu-sbatch", "--dependency=afterok")).toEqual(["--dependency=afterok:"]);
    expect(found("mgpu-sbatch", "-d", "afterok:12:1")).toEqual(["afterok:12:12", "afterok:12:14"]);
  });
  test("operands: jobs, steps, sessions, subcommands", () => {
    expect(found("mgpu-scancel", "1")).toEqual(["12", "12.0"]);
    expect(found("mgpu", "logs", "-f", "")).toEqual(["11"]);
    expect(found("mgpu-sattach", "")).toEqual(["12.0"]);
    expect(found("mgpu", "sta")).toEqual(["status"]);
    expect(found("mgpu", "help", "sta")).toEqual(["status"]);
    expect(found("mgpu", "forward", "")).toEqual(["12"]);
    expect(found("mgpu", "completion", "install", "z")).toEqual(["zsh"]);
  });
  test("the user's own program is the program's affair", () => {
    expect(found("mgpu-srun", "-n", "2", "bas")).toEqual(["command 3 "]);
    expect(found("mgpu-srun", "--ntasks=2", "python", "--part")).toEqual(["command 2 "]);
    expect(found("mgpu", "exec", "12", "nvi")).toEqual(["command 3 "]);
    expect(found("mgpu-sbatch", "tra")).toEqual(["file 0 "]);
    expect(found("mgpu-sbatch", "--output=tra")).toEqual(["file 0 --output="]);
  });
  test("scontrol and sacctmgr: what fits the words before", () => {
    expect(found("mgpu-scontrol", "sh")).toEqual(["show", "shutdown"]);
    expect(found("mgpu-scontrol", "show", "j")).toEqual(["job"]);
    expect(found("mgpu-scontrol", "show", "node", "n2")).toEqual(["n2"]);
    expect(found("mgpu-scontrol", "hold", "1")).toEqual(["12", "14"]);
    expect(found("mgpu-scontrol", "-o", "update", "NodeName=n2")).toEqual(["NodeName=n2"]);
    expect(found("mgpu-scontrol", "update", "NodeName=n2", "State=DR")).toEqual(["State=DRAIN"]);
    expect(found("mgpu-scontrol", "update", "JobId=12", "Time")).toEqual(["TimeLimit=", "TimeMin="]);
    expect(found("mgpu-scontrol", "update", "JobId=12", "QOS=")).toEqual(["QOS=high"]);
    expect(found("mgpu-sacctmgr", "modify", "account", "vision", "set", "GrpTRES")).toContain("GrpTRES=");
    expect(found("mgpu-sacctmgr", "-i", "delete", "account", "")).toEqual(["vision"]);
  });
});

test("no key is offered that is not taken", () => {
  const keys = (text: string): string[] => text.toLowerCase().replaceAll("=", "").split(" ");
  expect(keys(JOB_KEYS).filter((key) => key !== "jobid" && !Object.hasOwn(FIELDS, key))).toEqual([]);
  expect(keys(NODE_KEYS).length + keys(PARTITION_KEYS).length).toBeGreaterThan(20);
});
