import { expect, test, vi } from "vitest";
import type { Command } from "../../../src/core/commands.ts";
import type { Effect, SendMail } from "../../../src/core/effects.ts";
import type { JobSpec } from "../../../src/core/jobspec.ts";
import { step } from "../../../src/core/kernel.ts";
import { mailEffects } from "../../../src/core/mail.ts";
import { isMailUser } from "../../../src/core/mail-types.ts";
import { emptyState } from "../../../src/core/state.ts";
import { inventory, submit, T0 } from "../support/samples.ts";

/** A cluster of one node, and the mail that commands cause. */
function cluster() {
  const state = emptyState();
  let now = T0;
  const effects = (command: Command): readonly Effect[] => step(state, command, now).effects;
  const run = (command: Command): SendMail[] =>
    effects(command).filter((effect): effect is SendMail => effect.type === "mail.send");
  const allocation = [{ node: "n1", tasks: 1, cpus: 1, memoryMiB: 0, gpus: [] }];
  effects({ type: "node.register", node: "n1", inventory: inventory(8, 64) });
  return {
    state,
    effects,
    run,
    pass: (seconds: number): void => {
      now += seconds * 1000;
    },
    submit: (over: Partial<JobSpec>) => effects(submit(`r${state.nextJobId}`, over)),
    start: (jobId: number, taskId: number | null = null) => run({ type: "job.allocate", jobId, taskId, allocation }),
    end: (jobId: number, code: number, attempt = 1) => {
      const key = { jobId, attempt, stepId: "batch" as const };
      const common = { problem: "", clean: true, outOfMemory: false };
      return run({ type: "report.stepEnded", node: "n1", key, exits: [{ code, signal: 0 }], ...common });
    },
  };
}

const mail = (...types: string[]) => ({ mail: { types, user: "ada@lab.org" } });

const array = (last: number) => ({ array: { tasks: [{ first: 0, last, step: 1 }], limit: 0 } });

test("a job's begin and end in Slurm's words", () => {
  const { submit, start, end, pass } = cluster();
  submit(mail("BEGIN", "END", "FAIL"));
  pass(90);
  expect(start(1)).toMatchObject([
    { to: "ada@lab.org", subject: "Slurm Job_id=1 Name=train Began, Queued time 00:01:30" },
  ]);
  pass(2 * 86_400 + 3);
  const [told, ...others] = end(1, 0);
  expect(others).toEqual([]);
  expect(told?.subject).toBe("Slurm Job_id=1 Name=train Ended, Run time 2-00:00:03, COMPLETED, ExitCode 0");
  expect(told?.variables).toMatchObject({
    ...{ SLURM_JOB_ID: "1", SLURM_JOB_STATE: "COMPLETED", SLURM_JOB_MAIL_TYPE: "Ended" },
    ...{ SLURM_JOB_EXIT_CODE_MAX: "0", SLURM_JOB_RUN_TIME: "2-00:00:03" },
  });
});

test("a failure is FAIL for whom it is enough, else END; nobody else is told", () => {
  const { submit, start, end } = cluster();
  submit(mail("FAIL", "END"));
  submit(mail("END"));
  submit(mail("BEGIN"));
  for (const id of [1, 2, 3]) start(id);
  expect(end(1, 3)).toMatchObject([
    { subject: expect.stringContaining("Failed, Run time 00:00:00, FAILED, ExitCode 3") },
  ]);
  expect(end(2, 3)).toMatchObject([
    { subject: expect.stringContaining("Ended, Run time 00:00:00, FAILED, ExitCode 3") },
  ]);
  expect(end(3, 3)).toEqual([]);
});

test("a requeue, and a time limit on the way to its end", () => {
  const { effects, submit, start, run, pass } = cluster();
  submit({ ...mail("REQUEUE", "TIME_LIMIT", "TIME_LIMIT_50", "TIME_LIMIT_90"), timeLimitS: 100 });
  start(1);
  pass(10);
  expect(run({ type: "job.requeue", jobId: 1, tasks: null, byUid: 1000, hold: false })).toMatchObject([
    { subject: "Slurm Job_id=1 Name=train Requeued, Run time 00:00:10" },
  ]);
  run({ type: "report.jobCleaned", node: "n1", jobId: 1, attempt: 1 });
  const allocation = [{ node: "n1", tasks: 1, cpus: 1, memoryMiB: 0, gpus: [] }];
  const timers = effects({ type: "job.allocate", jobId: 1, taskId: null, allocation });
  const half = { kind: "mail50", jobId: 1, attempt: 2 } as const;
  expect(timers).toContainEqual({ type: "timer.set", timer: half, at: T0 + 60_000 });
  expect(timers).toContainEqual({ type: "timer.clear", timer: { ...half, kind: "mail80" } });
  expect(run({ type: "timer.fire", timer: half })).toEqual([]);
  pass(50);
  expect(run({ type: "timer.fire", timer: half })).toMatchObject([
    { subject: "Slurm Job_id=1 Name=train Reached 50% of time limit, Run time 00:00:50" },
  ]);
  pass(50);
  expect(run({ type: "timer.fire", timer: { ...half, kind: "limit" } })).toMatchObject([
    { subject: "Slurm Job_id=1 Name=train Reached time limit, Run time 00:01:40" },
  ]);
});

test("a requeue of a job that is over tells how long it ran", () => {
  const { submit, start, end, run, pass } = cluster();
  submit(mail("REQUEUE"));
  start(1);
  pass(7);
  end(1, 3);
  pass(60);
  expect(run({ type: "job.requeue", jobId: 1, tasks: null, byUid: 1000, hold: false })).toMatchObject([
    { subject: "Slurm Job_id=1 Name=train Requeued, Run time 00:00:07" },
  ]);
});

test("mail about a time limit that a restart finds long due was sent before", () => {
  const { submit, start, run, pass } = cluster();
  submit({ ...mail("TIME_LIMIT_50"), timeLimitS: 1000 });
  start(1);
  pass(700);
  expect(run({ type: "timer.fire", timer: { kind: "mail50", jobId: 1, attempt: 1 } })).toEqual([]);
});

test("of an array there is one mail, or one a task on request", () => {
  const { submit, start, end } = cluster();
  submit({ ...mail("BEGIN", "END", "FAIL"), ...array(1) });
  expect(start(1, 0)).toMatchObject([
    { subject: "Slurm Array Summary Job_id=1_* (1) Name=train Began, Queued time 00:00:00" },
  ]);
  expect(start(1, 1)).toEqual([]);
  expect(end(2, 0)).toEqual([]);
  expect(end(1, 4)).toMatchObject([
    { subject: "Slurm Array Summary Job_id=1_* (1) Name=train Failed, Run time 00:00:00, Mixed, ExitCode [0-4]" },
  ]);
  submit({ ...mail("END", "ARRAY_TASKS"), ...array(1) });
  start(3, 0);
  expect(end(4, 0)).toMatchObject([
    { subject: "Slurm Array Task Job_id=3_0 (4) Name=train Ended, Run time 00:00:00, COMPLETED, ExitCode 0" },
  ]);
});

test.each([
  ["no mail", {}],
  ["mail about begins and ends", mail("BEGIN", "END")],
])("a task of a long array comes and goes without a look at all the others: %s", (_name, wish) => {
  const { state, submit, start, end } = cluster();
  submit({ ...wish, ...array(59) });
  for (let task = 0; task < 40; task++) start(1, task);
  for (let id = 2; id < 35; id++) end(id, 0);
  const lookups = vi.spyOn(state.jobs, "get");
  const about = (type: "job.allocated" | "job.ended", jobId: number): Effect[] =>
    mailEffects(undefined, state, { type, jobId } as never, T0);
  expect(about("job.allocated", 41)).toEqual([]);
  expect(about("job.ended", 34)).toEqual([]);
  expect(lookups.mock.calls.length).toBeLessThan(8);
});

test("an array is over when the last of its tasks is, in whatever order they end", () => {
  const { submit, start, end } = cluster();
  submit({ ...mail("END"), ...array(2) });
  for (const task of [0, 1, 2]) start(1, task);
  expect([1, 3].flatMap((id) => end(id, 0))).toEqual([]);
  expect(end(2, 0)).toHaveLength(1);
});

test("whoever waits for what may have become impossible is looked at", () => {
  const { submit, start, effects } = cluster();
  submit({});
  const dependency = {
    any: false,
    terms: [{ type: "afterok", jobId: 1, delayMin: 0 }],
  } as unknown as JobSpec["dependency"];
  expect(submit({ ...mail("INVALID_DEPEND"), dependency })).toContainEqual({ type: "mail.doomed", jobId: 2 });
  submit({ ...mail("END"), dependency });
  start(1);
  const told = effects({ type: "job.cancel", jobId: 1, tasks: null, byUid: 1000, cause: "" });
  expect(told.filter(({ type }) => type === "mail.doomed")).toEqual([{ type: "mail.doomed", jobId: 2 }]);
});

test("nobody can have mail sent to a file, a command or an option", () => {
  for (const user of ["ada", "ada@lab.org", "a.b+c@d,e", "李@lab"]) expect(isMailUser(user)).toBe(true);
  for (const user of ["", "-oQ/tmp", "|sh", "/etc/x", "+box", "a b", "a;b", "a/b"])
    expect(isMailUser(user)).toBe(false);
});
