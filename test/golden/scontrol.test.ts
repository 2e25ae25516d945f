/** scontrol's records of nodes, byte for byte. */

import { expect, test } from "vitest";
import { command } from "../../src/cli/commands/scontrol.ts";
import { LAB, policyOf } from "../unit/support/policy.ts";
import { clusterPeer, gpus, JOBS, NOW, share, specOf } from "./cluster.ts";
import { expectGolden } from "./expect-golden.ts";
import { MORE_JOBS } from "./more-jobs.ts";
import { runOn } from "./run.ts";

const CASES: readonly (readonly [string, readonly string[]])[] = [
  ["nodes", ["show", "node"]],
  ["node-details", ["-d", "show", "node", "n[1-2]"]],
  ["node-oneline", ["-o", "show", "nodes"]],
  ["partition", ["show", "partition"]],
  ["partitions-all", ["-a", "show", "part"]],
  ["partition-oneline", ["--all", "--oneliner", "show", "partition"]],
  ["partition-json", ["show", "partition", "short", "--json"]],
  ["reservations", ["show", "res"]],
  ["reservation-oneline", ["-o", "show", "reservation", "upkeep"]],
  ["reservations-json", ["show", "reservations", "--json"]],
  ["licenses", ["show", "licenses"]],
  ["licenses-oneline", ["-o", "show", "lic"]],
  ["licenses-yaml", ["show", "licenses", "ansys@server", "--yaml"]],
  ["steps", ["show", "step"]],
  ["steps-json", ["show", "steps", "--json"]],
  ["node-json", ["show", "node", "n6,n1", "--json"]],
];

test.each(CASES)("scontrol %s", async (name, argv) => {
  const { code, out, err } = await runOn(command, argv);
  expect({ code, err }).toEqual({ code: 0, err: "" });
  expectGolden(`scontrol-${name}.txt`, out);
});

const CONFIG = [
  ["ClusterName", "lab"],
  ["KillWait", "30 sec"],
  ["MaxArraySize", "4000001"],
  ["MinJobAge", "300 sec"],
  ["PriorityUsageResetPeriod", "NONE"],
] as const;

/** Jobs in every state, an array, a heterogeneous job, one that is suspended, one with every wish, and steps. */
const ALL_JOBS: readonly (readonly [string, readonly string[]])[] = [
  ["jobs", ["show", "job"]],
  ["jobs-details", ["-dd", "show", "job"]],
  ["jobs-oneline", ["-o", "show", "jobs"]],
  ["jobs-json", ["show", "job", "16", "--json"]],
  ["jobs-yaml", ["show", "job", "22", "--yaml"]],
  ["job-of-array", ["show", "job", "16"]],
  ["job-task", ["show", "job", "16_0"]],
  ["job-component", ["show", "job", "18+1"]],
  ["steps-all", ["show", "step"]],
  ["steps-oneline", ["-o", "show", "step", "20"]],
  ["step-limited", ["show", "step", "21.3"]],
  ["completing", ["completing"]],
  ["config", ["show", "config"]],
  ["config-some", ["show", "config", "min"]],
  ["daemons", ["show", "daemons"]],
  ["associations", ["show", "assoc"]],
  ["associations-some", ["show", "assoc", "users=ada", "flags=assoc,users"]],
  ["aliases", ["show", "aliases", "n1"]],
  ["topology", ["show", "topology"]],
];

test.each(ALL_JOBS)("scontrol %s", async (name, argv) => {
  const script = {
    "config.show": () => ({ values: CONFIG.map(([key, value]) => ({ key, value })), now: NOW }),
    "policy.list": () => ({ policy: policyOf(LAB), clusterName: "lab", gpuTypes: [], now: NOW }),
    ping: () => ({ now: NOW }),
  };
  const controller = clusterPeer({ jobs: [...JOBS, ...MORE_JOBS], script: script as never });
  const { code, out, err } = await runOn(command, argv, { controller });
  expect(code).toBe(0);
  expectGolden(`scontrol-${name}.txt`, `${out}${err}`);
});

/** `scontrol -d show job` of Slurm 22.05: a batch job that runs, with a comment and GPUs. Only the keys matter. */
const OF_SLURM = `
JobId JobName | UserId GroupId MCS_label | Priority Nice Account QOS | JobState Reason Dependency
Requeue Restarts BatchFlag Reboot ExitCode | DerivedExitCode | RunTime TimeLimit TimeMin | SubmitTime EligibleTime
AccrueTime | StartTime EndTime Deadline | SuspendTime SecsPreSuspend LastSchedEval Scheduler | Partition AllocNode:Sid
ReqNodeList ExcNodeList | NodeList | BatchHost | NumNodes NumCPUs NumTasks CPUs/Task ReqB:S:C:T | TRES
Socks/Node NtasksPerN:B:S:C CoreSpec | JOB_GRES | Nodes CPU_IDs Mem GRES | MinCPUsNode MinMemoryNode MinTmpDiskNode
Features DelayBoot | OverSubscribe Contiguous Licenses Network | Command | WorkDir | Comment | StdErr | StdIn | StdOut
Power | TresPerJob`;

test("a job's record has Slurm's keys, in its lines and its order", async () => {
  const spec = specOf(
    { comment: "night" },
    { gpus: { ...gpus(2, null), per: "job" }, memory: { per: "node", mib: 500 } },
  );
  const job = JOBS.find(({ id }) => id === 12);
  if (job?.state !== "RUNNING") throw new Error("job 12 runs");
  const controller = clusterPeer({ jobs: [{ ...job, spec, allocation: [share("n1", 2, [0, 1])] }] });
  const { out } = await runOn(command, ["-d", "show", "job", "12"], { controller });
  const lines = out.trim().split("\n");
  const keys = lines.map((line) => [...line.matchAll(/(?:^| )([A-Za-z_/:]+)=/g)].map(([, key]) => key).join(" "));
  const wanted = OF_SLURM.trim().split(/ \| |\n/);
  expect(keys.map((line) => line.replace("TRES cpu mem node billing gres/gpu", "TRES"))).toEqual(wanted);
});
