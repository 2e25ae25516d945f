/** What keeps a job waiting besides room. Dependencies as measured with Slurm 22.05 where the comment says so. */

import { describe, expect, test } from "vitest";
import { EXIT_OK, type Job, type PendingJob } from "../../../src/core/job.ts";
import type { JobSpec } from "../../../src/core/jobspec.ts";
import { gateOf, waitReason } from "../../../src/sched/eligible.ts";
import { T0 } from "../support/samples.ts";
import { arrayRecord, dependsOn, ended, pending, running, stateOf, tasks } from "./samples.ts";

/** The word, and what else follows; null if the job may start. */
function seen(job: PendingJob, others: readonly Job[] = [], now = T0): string | null {
  const wait = waitReason(stateOf([...others, job]), job, now);
  if (!wait) return null;
  const wake = wait.wakeAt === null ? "" : ` until +${wait.wakeAt - T0}`;
  return `${wait.reason.word}${wake}${wait.end ? ` ends ${wait.end.state}` : ""}`;
}

describe("holds and times", () => {
  test("a plain job may start", () => expect(seen(pending(1))).toBe(null));
  test("holds, told with what lets go", () => {
    const held = pending(7, {}, { hold: "user" });
    expect(waitReason(stateOf([held]), held, T0)?.reason).toEqual({
      word: "JobHeldUser",
      text: 'held: "mgpu-scontrol release 7" lets it go',
    });
    const cause = "this machine knows no user ada; held: no other node can run it, release it when that is mended";
    const last = { ...running(pending(7)), attempt: 1, endAt: T0, state: "NODE_FAIL", exit: EXIT_OK, cause } as const;
    const unwelcome = pending(7, {}, { hold: "user", attempt: 1, earlier: [last] });
    expect(waitReason(stateOf([unwelcome]), unwelcome, T0)?.reason.text).toBe(
      'held, this machine knows no user ada, and no other node can run it: "mgpu-scontrol release 7" lets it go',
    );
    const later = pending(7, {}, { hold: "user", attempt: 2, earlier: [last] });
    expect(waitReason(stateOf([later]), later, T0)?.reason.text).toBe('held: "mgpu-scontrol release 7" lets it go');
    expect(seen(pending(7, {}, { hold: "admin", eligibleAt: T0 + 5 }))).toBe("JobHeldAdmin");
  });
  test("a begin time", () => {
    expect(seen(pending(1, {}, { eligibleAt: T0 + 1 }))).toBe("BeginTime until +1");
    expect(seen(pending(1, {}, { eligibleAt: T0 }))).toBe(null);
  });
  test("processes of its last start", () => {
    expect(seen(pending(1, {}, { attempt: 1, cleanup: ["n1"] }))).toBe("Cleaning");
  });
  test("a deadline that its time limit no longer fits before", () => {
    const limited = (over: Partial<JobSpec>, more: Partial<PendingJob> = {}) =>
      seen(pending(1, { deadlineAt: T0 + 60_000, ...over }, more));
    expect(limited({ timeLimitS: 60 })).toBe(null);
    expect(limited({ timeLimitS: 61 })).toBe("DeadLine ends DEADLINE");
    expect(limited({ timeLimitS: 61, timeMinS: 60 })).toBe(null);
    expect(limited({ timeLimitS: 60 }, { eligibleAt: T0 + 1 })).toBe("DeadLine ends DEADLINE");
    expect(limited({ timeLimitS: 0 }, { eligibleAt: T0 + 59_999 })).toBe("BeginTime until +59999");
    expect(limited({ timeLimitS: null }, { eligibleAt: T0 + 60_000, hold: "user" })).toBe("DeadLine ends DEADLINE");
  });
});

describe("dependencies", () => {
  const one = pending(1);
  const behind = (text: string, ...others: Job[]) => seen(pending(90, dependsOn(text)), others);

  test("each type, before, during and after (Slurm)", () => {
    const stages = [one, running(one), ended(one, "COMPLETED"), ended(one, "FAILED"), ended(one, "CANCELLED")];
    const all = (text: string) => stages.map((stage) => behind(text, stage));
    const wait = "Dependency";
    const never = "DependencyNeverSatisfied";
    expect(all("after:1")).toEqual([wait, null, null, null, null]);
    expect(all("afterany:1")).toEqual([wait, wait, null, null, null]);
    expect(all("afterok:1")).toEqual([wait, wait, null, never, never]);
    expect(all("afternotok:1")).toEqual([wait, wait, never, null, null]);
    expect(all("aftercorr:1")).toEqual([wait, wait, null, never, never]);
  });
  test("nobody waits for jobs that are not known any more (Slurm)", () => {
    for (const type of ["after", "afterany", "afterok", "afternotok", "aftercorr"]) {
      expect(behind(`${type}:5`)).toBe(null);
      expect(behind(`${type}:5_3`)).toBe(null);
    }
  });
  test("a job is over when nothing of it runs any more", () => {
    expect(behind("afterany:1", ended(one, "FAILED", { cleanup: ["n1"] }))).toBe("Dependency");
    expect(behind("afterok:1", ended(one, "FAILED", { cleanup: ["n1"] }))).toBe("Dependency");
  });
  test("minutes after the start, or after the end of a job that never started", () => {
    expect(behind("after:1+2", running(one))).toBe("Dependency until +120000");
    expect(seen(pending(90, dependsOn("after:1+2")), [running(one)], T0 + 120_000)).toBe(null);
    expect(behind("after:1+2", ended(one, "CANCELLED", { startAt: null, endAt: T0 - 60_000 }))).toBe(
      "Dependency until +60000",
    );
  });
  test("a start counts even if the job was put back since", () => {
    expect(behind("after:1", pending(1, {}, { attempt: 1 }))).toBe(null);
    expect(behind("after:1+1", pending(1, {}, { attempt: 1 }))).toBe("Dependency");
  });
  test("all of them, or any (Slurm)", () => {
    const jobs = [ended(one, "FAILED"), running(pending(2)), ended(pending(3), "COMPLETED")];
    expect(behind("afterok:3,afternotok:1", ...jobs)).toBe(null);
    expect(behind("afterok:3:2", ...jobs)).toBe("Dependency");
    expect(behind("afterok:1:2", ...jobs)).toBe("DependencyNeverSatisfied");
    expect(behind("afterok:1?afterok:2", ...jobs)).toBe("Dependency");
    expect(behind("afterok:1?afterok:3", ...jobs)).toBe(null);
    expect(behind("afterok:1?afternotok:3", ...jobs)).toBe("DependencyNeverSatisfied");
  });
  test("the reason names what is still open", () => {
    const job = pending(90, dependsOn("afterok:3:2,after:4+1,afterany:5:6"));
    const jobs = [ended(pending(3), "COMPLETED"), ...[2, 4, 5, 6].map((id) => running(pending(id)))];
    expect(waitReason(stateOf([...jobs, job]), job, T0)?.reason.text).toBe(
      "waits for job 2 to complete without error and 1 minute to pass after the start of job 4 " +
        "and job 5 to end and 1 more",
    );
    const never = pending(91, dependsOn("afterok:1?afterok:7"));
    const lost = [ended(one, "FAILED"), ended(pending(7), "TIMEOUT")];
    expect(waitReason(stateOf([...lost, never]), never, T0)?.reason.text).toBe(
      "waits for job 1 to complete without error or job 7 to complete without error, which can't come true any more",
    );
  });
  test("--kill-on-invalid-dep ends it (Slurm)", () => {
    const job = pending(90, dependsOn("afterok:1", { killOnInvalidDep: true }));
    expect(seen(job, [ended(one, "FAILED")])).toBe("DependencyNeverSatisfied ends CANCELLED");
    expect(seen(job, [running(one)])).toBe("Dependency");
  });
  test("holds are told first, then dependencies, then times (Slurm)", () => {
    const job = pending(90, dependsOn("afterok:1"), { hold: "user", eligibleAt: T0 + 9 });
    expect(seen(job, [one])).toBe("JobHeldUser");
    expect(seen({ ...job, hold: null }, [one])).toBe("Dependency");
    expect(seen({ ...job, hold: null }, [ended(one, "COMPLETED")])).toBe("BeginTime until +9");
  });
});

describe("dependencies on arrays (Slurm)", () => {
  const base = arrayRecord(10, tasks(0, 2));
  const part = (id: number, task: number): PendingJob => ({ ...base, id, array: { jobId: 10, tasks: tasks(task) } });
  const behind = (text: string, ...others: Job[]) => seen(pending(90, dependsOn(text)), others);

  test("an array is judged as a whole, when all of it is over", () => {
    const someLeft = [ended(part(11, 0), "COMPLETED"), ended(part(12, 1), "FAILED"), running(part(10, 2))];
    for (const type of ["afterany", "afterok", "afternotok"])
      expect(behind(`${type}:10`, ...someLeft)).toBe("Dependency");
    expect(behind("after:10", ...someLeft)).toBe(null);
    expect(behind("after:10", ended(part(11, 0), "COMPLETED"), base)).toBe("Dependency");
    const done = [...someLeft.slice(0, 2), ended(part(10, 2), "COMPLETED")];
    expect(behind("afterany:10", ...done)).toBe(null);
    expect(behind("afterok:10_*", ...done)).toBe("DependencyNeverSatisfied");
    expect(behind("afternotok:10", ...done)).toBe(null);
    const good = [0, 1, 2].map((task) => ended(part(10 + ((task + 1) % 3), task), "COMPLETED"));
    expect(behind("afterok:10", ...good)).toBe(null);
    expect(behind("afternotok:10", ...good)).toBe("DependencyNeverSatisfied");
  });
  test("a task, by its number or by the job number it got", () => {
    const jobs = [ended(part(11, 0), "COMPLETED"), ended(part(12, 1), "FAILED"), part(10, 2)];
    expect(behind("afterok:10_0", ...jobs)).toBe(null);
    expect(behind("afterok:11", ...jobs)).toBe(null);
    expect(behind("afterok:10_1", ...jobs)).toBe("DependencyNeverSatisfied");
    expect(behind("afternotok:12", ...jobs)).toBe(null);
    expect(behind("afterany:10_2", ...jobs)).toBe("Dependency");
    expect(behind("afterok:10_9", ...jobs)).toBe(null);
  });
  test("a task that still waits is found in the array's record", () => {
    expect(behind("after:10_2", base)).toBe("Dependency");
    expect(behind("after:10_0", running(part(11, 0)), { ...base, array: { jobId: 10, tasks: tasks(1, 2) } })).toBe(
      null,
    );
  });
});

describe("aftercorr (Slurm)", () => {
  const first = arrayRecord(10, tasks(0, 3));
  const part = (id: number, task: number): PendingJob => ({ ...first, id, array: { jobId: 10, tasks: tasks(task) } });
  const upstream = [
    ended(part(11, 0), "COMPLETED"),
    ended(part(12, 1), "FAILED"),
    running(part(13, 2)),
    ended(part(10, 3), "COMPLETED"),
  ];
  const second = (over: Partial<JobSpec> = {}) => arrayRecord(20, tasks(0, 4), 0, dependsOn("aftercorr:10", over));

  test("each task waits for that of the same number; where there is none, for the whole", () => {
    const gate = gateOf(stateOf([...upstream, second()]), T0);
    expect(gate.waitReason(second())).toBe(null);
    expect([...gate.openTasks(second())]).toEqual([0, 3]);
    expect(gate.endOf(second())).toBe(null);
  });
  test("a single task of such an array", () => {
    const task = (number: number): PendingJob => ({ ...second(), id: 30, array: { jobId: 20, tasks: tasks(number) } });
    expect(seen(task(0), upstream)).toBe(null);
    expect(seen(task(1), upstream)).toBe("DependencyNeverSatisfied");
    expect(seen(task(2), upstream)).toBe("Dependency");
    expect(seen(task(4), upstream)).toBe("Dependency");
    expect(seen(task(4), [...upstream.slice(0, 2), ended(part(13, 2), "COMPLETED")])).toBe("DependencyNeverSatisfied");
  });
  test("tasks that never can start end by themselves", () => {
    const job = second({ killOnInvalidDep: true });
    const gate = gateOf(stateOf([...upstream, job]), T0);
    expect(gate.waitReason(job)).toBe(null);
    expect(gate.endOf(job)).toMatchObject({ jobId: 20, tasks: tasks(1), state: "CANCELLED" });
  });
  test("together with other terms", () => {
    const both = arrayRecord(20, tasks(0, 3), 0, dependsOn("aftercorr:10,afterok:5"));
    expect(seen(both, [...upstream, running(pending(5))])).toBe("Dependency");
    const either = arrayRecord(20, tasks(0, 3), 0, dependsOn("aftercorr:10?afterok:5"));
    const gate = gateOf(stateOf([...upstream, ended(pending(5), "COMPLETED"), either]), T0);
    expect([...gate.openTasks(either)]).toEqual([0, 1, 2, 3]);
  });
  test("all tasks lost", () => {
    const failed = [0, 1].map((task) => ended(part(10 + task, task), "FAILED"));
    const job = arrayRecord(20, tasks(0, 1), 0, dependsOn("aftercorr:10"));
    expect(seen(job, failed)).toBe("DependencyNeverSatisfied");
  });
});

describe("singleton", () => {
  const mine = (id: number, over: Partial<JobSpec> = {}) => pending(id, dependsOn("singleton", { name: "a", ...over }));
  test("one at a time of a name and a user, in order", () => {
    expect(seen(mine(5), [pending(4, { name: "b" }), pending(6, { name: "a" })])).toBe(null);
    expect(seen(mine(5), [pending(4, { name: "a" })])).toBe("Dependency");
    expect(seen(mine(5), [running(pending(4, { name: "a" }))])).toBe("Dependency");
    expect(seen(mine(5), [running(pending(6, { name: "a" }))])).toBe("Dependency");
    expect(seen(mine(5), [ended(pending(4, { name: "a" }), "FAILED", { cleanup: ["n1"] })])).toBe("Dependency");
    expect(seen(mine(5), [ended(pending(4, { name: "a" }), "FAILED")])).toBe(null);
    const other = { uid: 7, gid: 7, name: "eve" };
    expect(seen(mine(5), [pending(4, { name: "a", user: other })])).toBe(null);
  });
  test("tasks of an array too", () => {
    const job = arrayRecord(5, tasks(0, 3), 0, dependsOn("singleton", { name: "a" }));
    expect(gateOf(stateOf([job]), T0).slotsOf(job)).toBe(1);
    const part: PendingJob = { ...job, id: 6, array: { jobId: 5, tasks: tasks(0) } };
    const rest: PendingJob = { ...job, array: { jobId: 5, tasks: tasks(1, 3) } };
    expect(seen(rest, [running(part)])).toBe("Dependency");
  });
});

test("at most so many tasks of an array at a time, those that are being cleared away included", () => {
  const job = arrayRecord(10, tasks(3, 9), 2);
  const part = (id: number, task: number): PendingJob => ({ ...job, id, array: { jobId: 10, tasks: tasks(task) } });
  const slots = (...others: Job[]) => gateOf(stateOf([job, ...others]), T0).slotsOf(job);
  expect(slots()).toBe(2);
  expect(slots(running(part(11, 0)), ended(part(12, 1), "FAILED"))).toBe(1);
  expect(slots(running(part(11, 0)), ended(part(12, 1), "FAILED", { cleanup: ["n1"] }))).toBe(0);
  expect(seen(job, [running(part(11, 0)), running(part(12, 1))])).toBe("JobArrayTaskLimit");
});
