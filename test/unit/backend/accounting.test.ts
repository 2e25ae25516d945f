/**
 * Records of sacct and usage of sstat, as Slurm 22.05 with slurmdbd printed them (test/fixtures/slurm-json/sacct-22.05.txt:
 * job 1003's command line has line feeds).
 */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { slurmHandlers } from "../../../src/backend/slurm/handlers.ts";
import type { SlurmPorts } from "../../../src/backend/slurm/ports.ts";
import { Slurm } from "../../../src/backend/slurm/slurm.ts";
import { type HistoryRecord, historyFilter } from "../../../src/core/history.ts";
import type { ProgramRun } from "../../../src/platform/programs.ts";
import type { Result } from "../../../src/protocol/procedures.ts";
import { seffText, usedNow, withUsage } from "../../../src/view/accounting/seff.ts";

const fixture = (name: string): string =>
  readFileSync(join(import.meta.dirname, "../../fixtures/slurm-json", name), "utf8");

const NO_JOBS = '{"jobs": []}';

/** An hour after the fixture. */
const NOW_MS = 1_795_377_000_000;

type Answers = Readonly<Record<string, Partial<ProgramRun>>>;

function handlersWith(answers: Answers) {
  const ports = {
    environment: {},
    clock: { now: () => NOW_MS, monotonic: () => 0 },
    programs: {
      find: (name: string) => `/bin/${name}`,
      run: async ({ file, args }: { file: string; args: readonly string[] }) => {
        const name = file.slice("/bin/".length);
        return { ...{ code: 0, stdout: "", stderr: "" }, ...(answers[`${name} ${args[1]}`] ?? answers[name]) };
      },
    },
  } as unknown as SlurmPorts;
  return slurmHandlers(new Slurm(ports, { conf: "", bin: "", source: "a test" }));
}

async function records(answers: Answers, filter: Parameters<typeof historyFilter>[0] = {}): Promise<HistoryRecord[]> {
  const found: HistoryRecord[] = [];
  const ask = handlersWith(answers)["jobs.history"] as unknown as (
    params: object,
    sink: { send(item: { records: HistoryRecord[] }): Promise<void> },
  ) => Promise<unknown>;
  const sink = { send: async (item: { records: HistoryRecord[] }) => void found.push(...item.records) };
  await ask({ filter: historyFilter({ since: 0, ...filter }), duplicates: false, steps: true }, sink);
  return found;
}

const SACCT: Answers = { squeue: { stdout: NO_JOBS }, sacct: { stdout: fixture("sacct-22.05.txt") } };

/** As seff says it. */
function seff(record: HistoryRecord): string {
  const context = { clusterName: "centre", groupName: () => "root", nowMs: NOW_MS };
  return seffText(record, context as unknown as Parameters<typeof seffText>[1]);
}

test("each record is read whole, whatever was typed for it", async () => {
  const found = await records(SACCT);
  expect(found.map(({ job, state }) => [job.id, state, job.state === "PENDING" ? 0 : job.steps.length])).toEqual([
    [1001, "FAILED", 2],
    [1002, "FAILED", 1],
    [1003, "RUNNING", 1],
    [1005, "COMPLETED", 1],
    [1006, "FAILED", 1],
    [1007, "CANCELLED", 1],
    [1008, "CANCELLED", 0],
    [1009, "COMPLETED", 2],
  ]);
  const [first, array, long] = found;
  expect(first?.job).toMatchObject({
    ...{ startAt: 1_795_373_180_000, endAt: 1_795_373_183_000, exit: { code: 3, signal: 0 }, limitS: 300 },
    spec: { kind: "batch", name: "mix", comment: "a remark", account: "root", qos: "normal", workDir: "/tmp/sl-b" },
    allocation: [{ node: "n1", cpus: 2, memoryMiB: 200, gpus: [{ thousandths: 1000 }] }],
  });
  expect(array?.job.array).toEqual({ jobId: 1002, tasks: [{ first: 3, last: 3, step: 1 }] });
  expect(long?.job.spec.submitLine).toContain('python3 -c "\nimport time\nx=');
  expect(long?.job.spec.submitLine).toContain('time.sleep(600)" --time=1:00:00');
  expect(found[5]?.job).toMatchObject({ cancelledBy: 0 });
  expect(found[6]?.job).toMatchObject({ startAt: null, allocation: [] });
});

test("what ended steps used becomes seff's lines", async () => {
  const [first, , , , , , , two] = await records(SACCT);
  expect(seff(first ?? expect.unreachable())).toContain(`State: FAILED (exit code 3)
Cores: 2
CPU Utilized: 00:00:00
CPU Efficiency: 6.65% of 00:00:06 core-walltime
Job Wall-clock time: 00:00:03
Memory Utilized: 1.57 MB (estimated maximum)
Memory Efficiency: 0.79% of 200.00 MB (200.00 MB/node)
GPUs: 1 for 00:00:03 of GPU-walltime`);
  expect(seff(two ?? expect.unreachable())).toMatch(/Nodes: 2\nCores per node: 2[\s\S]*Memory Utilized: 10.44 MB\n/);
});

const RUNNING = fixture("squeue-22.05.json");
const SSTAT =
  "1003.extern|n1|5|1|00:00:00|100|100|100|100\n" +
  "1003.batch|n1|22757,22752|1|00:00:21|215265280|215265280|219619328|219619328\n" +
  "1003.0|n[1-2]|7426,7427|4|1-00:00:01|1716224|1684480|2990080|2990080\n";

async function used(sstat: Partial<ProgramRun>, type = "jobacct_gather/linux"): Promise<Result<"step.usage">> {
  const config = { stdout: `Configuration data\nJobAcctGatherType       = ${type}\n` };
  const handlers = handlersWith({ squeue: { stdout: RUNNING }, sstat, "scontrol config": config });
  return (await (handlers["step.usage"] as (params: object) => Promise<unknown>)({
    jobId: 1003,
  })) as Result<"step.usage">;
}

test("what a running job uses is what sstat gathers, over all tasks of each step", async () => {
  expect(await used({ stdout: SSTAT })).toEqual({
    silent: [],
    steps: [
      {
        stepId: "batch",
        parts: [
          {
            ...{ node: "n1", tasks: [0], pids: [22757, 22752] },
            usage: {
              ...{ userMs: 21_000, systemMs: 0, cpuMs: [21_000, 0, 0, 0, 21_000], pages: [0, 0, 0, 0, 0] },
              ...{ rssKiB: [210_220, 0, 0, 0, 210_220], vmKiB: [214_472, 0, 0, 0, 214_472] },
            },
          },
        ],
      },
      {
        stepId: 0,
        parts: [
          expect.objectContaining({
            ...{ node: "n1", tasks: [0, 1, 2, 3], pids: [7426, 7427] },
            usage: expect.objectContaining({ userMs: 86_401_000 * 4, rssKiB: [1676, 0, 0, 0, 1645 * 4] }),
          }),
        ],
      },
    ],
  });
  expect(await used({ stderr: "sstat: error: couldn't get steps for job 1003\n" })).toEqual({ steps: [], silent: [] });
  await expect(used({ code: 1, stderr: "sstat: error: Access/permission denied\n" })).rejects.toThrow(
    "Slurm's sstat: sstat: error: Access/permission denied",
  );
});

test("a cluster that gathers nothing says so; zeros of one that does are zeros", async () => {
  const none = { stdout: "1003.batch|n1||0|213503982334-14:25:51||||\n" };
  await expect(used(none, "jobacct_gather/none")).rejects.toMatchObject({
    code: "DISABLED",
    message:
      "the cluster is Slurm, and it does not look at what running jobs use (JobAcctGatherType=jobacct_gather/none)",
  });
  const { steps } = await used(none);
  expect(steps).toEqual([{ stepId: "batch", parts: [{ node: "n1", tasks: [], pids: [] }] }]);
  const peer = { call: () => used(none, "(null)") };
  const told = await usedNow(peer, { id: 1003, state: "RUNNING" });
  expect(told).toEqual({ steps: [], untold: expect.stringContaining("does not look at what running jobs use") });
});

test("a slurmdbd that does not answer is named as what it is, and not missed for jobs that run", async () => {
  const away = {
    code: 1,
    stderr: `sacct: error: slurm_persist_conn_open_without_init: failed to open persistent connection to host:127.0.0.1:18901: Connection refused
sacct: error: Sending PersistInit msg: Connection refused
sacct: error: Problem talking to the database: Connection refused
`,
  };
  const answers = { squeue: { stdout: RUNNING }, sacct: away };
  await expect(records(answers)).rejects.toMatchObject({
    code: "LOST_CONTACT",
    message: expect.stringMatching(/^Slurm's accounting \(slurmdbd\) does not answer: sacct: error: Problem talking/),
    hint: expect.stringContaining("mgpu-squeue"),
  });
  await expect(records(answers, { ids: [7] })).rejects.toThrow("slurmdbd");
  expect(await records(answers, { ids: [1003], since: null })).toMatchObject([{ job: { id: 1003 }, state: "RUNNING" }]);
});

test("without accounting the steps that run are those that Slurm's controller knows", async () => {
  const step =
    "StepId=1003.0 UserId=0 StartTime=1795373508 TimeLimit=UNLIMITED State=RUNNING Partition=debug NodeList=n1 Nodes=1 CPUs=4 Tasks=4 Name=train me Network=(null)\n";
  const [record] = await records(
    {
      squeue: { stdout: RUNNING },
      sacct: { code: 1, stderr: "Slurm accounting storage is disabled\n" },
      "scontrol step": { stdout: `${step.replace("1003.0", "1003.batch").replace("Tasks=4", "Tasks=1")}${step}` },
    },
    { ids: [1003], since: null },
  );
  const job = record?.job.state === "RUNNING" ? record.job : expect.unreachable();
  expect(job.steps).toMatchObject([{ id: "batch" }, { id: 0, name: "train me", startAt: 1_795_373_508_000 }]);
  const text = seff(withUsage(record ?? expect.unreachable(), (await used({ stdout: SSTAT })).steps));
  expect(text).toContain("Memory Utilized: 205.29 MB\n");
});
