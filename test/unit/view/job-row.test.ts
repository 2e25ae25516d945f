import { expect, test } from "vitest";
import { NEVER_TRUE } from "../../../src/core/dependency-outcome.ts";
import type { Job } from "../../../src/core/job.ts";
import { toJobDetails } from "../../../src/view/job-details.ts";
import { formatGpuIds, toJobRow } from "../../../src/view/job-row.ts";
import { JOBS, NOW, pending, rowOf, share, specOf } from "../../golden/cluster.ts";

const extra = { reason: "Priority", reasonText: "waits behind job 1", partition: "main" };

function job(id: number): Job {
  const found = JOBS.find((candidate) => candidate.id === id);
  if (!found) throw new Error(`no job ${id}`);
  return found;
}

test("a waiting job: what it asks for, and no times", () => {
  const spec = specOf(
    { timeLimitS: 60 },
    { tasks: 3, cpusPerTask: 2, nodes: { min: 2, max: 4 }, memory: { per: "node", mib: 100 } },
  );
  const waiting: Job = { ...pending(9, spec, 5), eligibleAt: 6 };
  expect(toJobRow(waiting, extra)).toEqual({
    id: 9,
    name: "train",
    user: "ada",
    uid: 1000,
    partition: "main",
    state: "PENDING",
    reason: "Priority",
    reasonText: "waits behind job 1",
    submitAt: 5,
    eligibleAt: 6,
    startAt: null,
    endAt: null,
    suspendedAt: null,
    suspendedMs: 0,
    limitS: 60,
    nodeList: "",
    nodes: 2,
    tasks: 3,
    cpus: 6,
    cpusPerTask: 2,
    memoryMiB: 100,
    gpus: 0,
    gpuType: null,
    gpuIds: "",
    arrayJobId: 0,
    arrayTasks: "",
    hetJobId: 0,
    hetOffset: 0,
    account: "",
    comment: "",
    qos: "normal",
    wckey: "",
    reservation: "",
    licenses: "",
    dependency: "",
    features: "",
    requestedNodes: "",
    excludedNodes: "",
    nice: 0,
    memoryPer: "node",
    gpusPer: "job",
    exclusive: false,
    onlyUser: false,
    requeue: true,
    timeMinS: 0,
    priority: 100_000,
    attempt: 0,
    exitCode: 0,
    exitSignal: 0,
    kind: "batch",
    command: "train.sh",
    workDir: "/home/ada/project",
    stdout: "/home/ada/project/slurm-9.out",
    cause: "",
  });
});

test("a running job: what it was given", () => {
  expect(rowOf(job(12))).toMatchObject({
    state: "RUNNING",
    reason: "None",
    nodeList: "n[1-2]",
    nodes: 2,
    cpus: 8,
    gpus: 4000,
    gpuType: "a100",
    gpuIds: "n1:0,1;n2:2,3",
    limitS: 172_800,
    endAt: null,
    stdout: "/home/ada/project/out-%j.txt",
  });
});

test("srun's output belongs to its client", () => {
  expect(rowOf(job(13)).stdout).toBe("");
});

test("an absolute output file stays where it is", () => {
  const spec = specOf({ io: { ...specOf().io, stdout: "/var/log/%x" }, workDir: "/" });
  const waiting: Job = { ...pending(9, spec, 5), eligibleAt: 6 };
  expect(toJobRow(waiting, extra).stdout).toBe("/var/log/%x");
  const relative = { ...waiting, spec: { ...spec, io: { ...spec.io, stdout: "x" } } };
  expect(toJobRow(relative, extra).stdout).toBe("/x");
});

test.each([
  [1, "COMPLETED", "None"],
  [2, "FAILED", "NonZeroExitCode"],
  [4, "TIMEOUT", "TimeLimit"],
  [5, "CANCELLED", "None"],
  [6, "NODE_FAIL", "NodeDown"],
  [7, "OUT_OF_MEMORY", "OutOfMemory"],
  [11, "COMPLETING", "None"],
])("job %i is %s for the reason %s", (id, state, reason) => {
  expect(rowOf(job(id))).toMatchObject({ state, reason });
});

test("an ended job keeps its times, exit and cause", () => {
  expect(rowOf(job(2))).toMatchObject({ endAt: NOW - 240_000, exitCode: 2, exitSignal: 0, nodeList: "n2" });
  expect(rowOf(job(3))).toMatchObject({ exitCode: 0, exitSignal: 11 });
  expect(rowOf(job(4))).toMatchObject({ cause: "time limit", reasonText: "time limit", limitS: 3480 });
  expect(rowOf(job(5))).toMatchObject({ startAt: null, nodeList: "", nodes: 1, cpus: 1, gpuIds: "" });
});

test("GPU ids are told for the nodes that have some", () => {
  expect(formatGpuIds([share("a", 1, [0, 3]), share("b", 1), share("c", 1, [1])])).toBe("a:0,3;c:1");
  expect(formatGpuIds([])).toBe("");
});

test("a begin time that is not reached is when it starts", () => {
  const later: Job = { ...pending(9, specOf(), 5), eligibleAt: 3_600_000 };
  const told = (reason: string) => toJobDetails(later, toJobRow(later, { ...extra, reason }), null).expectedAt;
  expect([told("BeginTime"), told("Resources")]).toEqual([3_600_000, null]);
});

test("nodes shared with no other user", () => {
  const spec = specOf({}, { onlyUser: true });
  expect(toJobRow(pending(9, spec, 5), extra)).toMatchObject({ exclusive: false, onlyUser: true });
});

test("one that its dependency ended says so", () => {
  const ended = { ...job(5), state: "CANCELLED", cause: `waits for job 1 to start, ${NEVER_TRUE}` } as Job;
  expect(toJobRow(ended, extra).reason).toBe("DependencyNeverSatisfied");
  expect(toJobRow({ ...ended, cause: "cancelled by 0" } as Job, extra).reason).toBe("None");
});
