/**
 * Slurm's JSON of 22.05 (as its squeue printed it), and the same jobs in the shapes of 23.02 (data_parser/v0.0.39), 23.11
 * (v0.0.40) and 24.05 (v0.0.41), field by field as clusters of those versions print them.
 */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { gpusOfDetail, nodeGres } from "../../../src/backend/slurm/gres.ts";
import { jobsOf, type SlurmJob } from "../../../src/backend/slurm/jobs.ts";
import { nodeRows } from "../../../src/backend/slurm/nodes.ts";
import { selected } from "../../../src/backend/slurm/select.ts";

const fixture = (name: string): string =>
  readFileSync(join(import.meta.dirname, "../../fixtures/slurm-json", name), "utf8");
const jobs = (version: string): SlurmJob[] => jobsOf(JSON.parse(fixture(`squeue-${version}.json`)));
const byId = (list: readonly SlurmJob[], id: number): SlurmJob =>
  list.find(({ job }) => job.id === id) ?? expect.unreachable();

describe.each(["22.05", "23.02", "23.11", "24.05"])("jobs of Slurm %s", (version) => {
  test("a task of an array that runs", () => {
    const { job, row, details } = byId(jobs(version), 1003);
    expect(row).toMatchObject({
      ...{
        state: "RUNNING",
        name: "wrap",
        user: "root",
        partition: "debug",
        nodeList: "n1",
        nodes: 1,
        tasks: 2,
        cpus: 4,
      },
      ...{ gpus: 2000, gpuIds: "n1:0,1", arrayJobId: 1001, arrayTasks: "1", memoryMiB: 500, memoryPer: "node" },
      ...{ comment: "a b=c", limitS: 525_600 * 60, startAt: 1_795_361_228_000, endAt: null, reason: "None" },
    });
    expect(job.allocation).toMatchObject([{ node: "n1", cpus: 4, memoryMiB: 500, tasks: 2 }]);
    expect(details).toMatchObject({
      tresAlloc: "cpu=4,mem=500M,node=1,billing=4,gres/gpu=2",
      tresPerNode: "gres/gpu:2",
    });
  });

  test("tasks that wait, and a job whose time is to come", () => {
    const list = jobs(version);
    expect(byId(list, 1001).row).toMatchObject({ state: "PENDING", reason: "JobArrayTaskLimit", arrayTasks: "3" });
    const { row, details } = byId(list, 1002);
    expect(row).toMatchObject({ state: "PENDING", reason: "BeginTime", limitS: 0, gpus: 8000, nodes: 2, nodeList: "" });
    expect(row.reasonText).toContain("earliest start");
    expect(details.expectedAt).toBe(1_795_364_827_000);
  });

  test("an array's number means all of its tasks, a task's name that one", () => {
    const list = jobs(version);
    const all = { ids: [], users: [], states: [], names: [], partitions: [] };
    const ids = (filter: Partial<Parameters<typeof selected>[1]>): number[] =>
      selected(list, { ...all, ...filter }).map(({ job }) => job.id);
    expect(ids({ ids: [1001] })).toEqual([1003, 1001]);
    expect(ids({ tasks: [{ jobId: 1001, tasks: [{ first: 1, last: 1, step: 1 }] }] })).toEqual([1003]);
    expect(ids({ states: ["PENDING"], users: ["0"] }).slice(0, 2)).toEqual([1001, 1002]);
    expect(ids({ names: ["WRAP"], nodes: ["n1"] })).toContain(1003);
  });
});

test.each(["23.02", "23.11", "24.05"])("states and exit codes of %s", (version) => {
  const list = jobs(version);
  expect(byId(list, 1010).row).toMatchObject({ state: "FAILED", exitCode: 3, reason: "NonZeroExitCode" });
  const { job, row } = byId(list, 1011);
  // A version with one word for it tells how it ends only when it has.
  expect([row.state, job.state]).toEqual(["COMPLETING", version === "23.02" ? "COMPLETED" : "CANCELLED"]);
});

test.each(["23.02", "23.11", "24.05"])("a job of %s that failed to start waits, whatever flags it has", (version) => {
  const { job, row } = byId(jobs(version), 1012);
  expect([row.state, job.state, job.state === "PENDING" && job.hold]).toEqual(["PENDING", "PENDING", "user"]);
  expect(row).toMatchObject({ reason: "JobHoldMaxRequeue", reasonText: "launch failed requeued held", limitS: 0 });
  expect(job.spec.io.stdout).toBe("held.out");
});

test("paths that Slurm has filled in stand above those that were typed, and cores of others are not counted", () => {
  const document = JSON.parse(fixture("squeue-24.05.json"));
  const one = document.jobs[0];
  Object.assign(one, { standard_output: "out-%j.txt", stdout_expanded: "/tmp/out-1003.txt" });
  one.job_resources.nodes.allocation[0].cpus.count = 0;
  one.job_resources.nodes.allocation[0].sockets[0].cores.push({ index: 4, status: ["UNALLOCATED"] });
  const [found] = jobsOf(document);
  expect(found?.job.spec.io.stdout).toBe("/tmp/out-1003.txt");
  expect(found?.job.allocation).toMatchObject([{ cpus: 4 }]);
});

test("nodes of scontrol's lines, with blanks and equals signs in their values", () => {
  const lines = fixture("scontrol-nodes-22.05.txt");
  const [first, second] = nodeRows(lines.replace("Weight=1", "Weight=7"), 5);
  expect(first).toMatchObject({ name: "n1", connected: true, weight: 7, partitions: ["debug"], usage: { cpus: 0 } });
  expect(first?.inventory).toMatchObject({ cpus: 8, memoryMiB: 4000, version: "22.05.8" });
  expect(first?.inventory.gpus.map(({ type }) => type)).toEqual(["gpu", "gpu", "gpu", "gpu"]);
  expect(second?.usage.gpus).toEqual({ 0: 1000, 1: 1000 });
  const drained =
    "NodeName=n3 CPUTot=4 Gres=gpu:a100:2 State=IDLE+DRAIN Partitions=a,b Reason=bad fan a=b [root@1795361818] Comment=see x=y";
  expect(nodeRows(drained, 5)).toMatchObject([
    {
      name: "n3",
      state: "DRAINED",
      flags: ["DRAIN"],
      reason: "bad fan a=b",
      reasonBy: "root",
      reasonAt: 1_795_361_818_000,
    },
  ]);
  expect(nodeRows("NodeName=n4 CPUTot=4 State=DOWN*+CLOUD", 5)).toMatchObject([{ state: "DOWN", connected: false }]);
});

test("GRES in all of Slurm's spellings", () => {
  expect(nodeGres("gpu:a100:4(S:0-1),shard:16")).toMatchObject([
    { kind: "gpu", type: "a100", count: 4 },
    { kind: "shard", type: null, count: 16 },
  ]);
  expect(nodeGres("gpu:a100:2(IDX:0,3),gpu:(null):1(IDX:N/A)")).toMatchObject([
    { type: "a100", count: 2, indices: "0,3" },
    { type: null, count: 1, indices: "" },
  ]);
  expect(gpusOfDetail("gpu:a100:3(IDX:0-1,5)").map(({ index, type }) => `${type}${index}`)).toEqual([
    "a1000",
    "a1001",
    "a1005",
  ]);
});
