import { expect, test } from "vitest";
import type { AgentContext } from "../../../src/node/agent-context.ts";
import { watchOrphan } from "../../../src/node/orphan-memory.ts";
import type { LaunchRecord } from "../../../src/node/spool-records.ts";
import { newEntry } from "../../../src/node/step-table.ts";
import { silentLog } from "../../../src/platform/log.ts";
import type { StepProcess } from "../../../src/platform/proctable.ts";

const KEY = { jobId: 7, attempt: 1, stepId: "batch" } as const;
const MIB = 1024;

/** A script of job 7, and how much memory the processes of its steps have, in MiB. */
function orphan(memory: LaunchRecord["memory"], usedMiB: Readonly<Record<string, number>>, exact = 1, kills = 0) {
  const done: string[] = [];
  const processes = Object.keys(usedMiB).map((step, at): StepProcess => {
    return { pid: at, step } as unknown as StepProcess;
  });
  const usedOf = (pid: number): number => (usedMiB[processes[pid]?.step ?? ""] ?? 0) * MIB;
  const context = {
    log: silentLog(),
    memory: { groups: { read: () => ({ kills, peakMiB: 0 }) } },
    processes: {
      find: (prefix: string) => processes.filter(({ step }) => step.startsWith(prefix)),
      mostKiB: usedOf,
      shareKiB: async (pid: number) => usedOf(pid) * exact,
      kill: ({ step }: StepProcess) => void done.push(`kill ${step}`),
    },
    spool: {
      folderOf: () => "/spool/7.1.batch",
      writeLaunch: async (record: LaunchRecord) => void done.push(`record ${record.outOfMemory}`),
    },
    holders: { sharedFor: async () => ({ notify: async (_: unknown, words: string) => void done.push(words) }) },
  } as unknown as AgentContext;
  const limit = memory ? { memory } : {};
  const record: LaunchRecord = {
    ...{ key: KEY, kind: "batch", tasks: 1, startAt: 1, receivedAt: 1, bootId: "b", holder: null, ...limit },
  };
  const entry = newEntry(record, null, true);
  entry.phase = "orphaned";
  return { context, entry, done };
}

const TOLD = "Detected 1 oom_kill event in StepId=7.batch. Some of the step tasks have been OOM Killed.";

test.each([
  ["over its own limit", { stepMiB: 100, jobMiB: 0 }, { "7.1.batch": 101 }, true],
  ["within it", { stepMiB: 100, jobMiB: 0 }, { "7.1.batch": 100 }, false],
  ["the largest of a job over its limit", { stepMiB: 0, jobMiB: 100 }, { "7.1.batch": 60, "7.1.0": 50 }, true],
  ["not the largest of such a job", { stepMiB: 0, jobMiB: 100 }, { "7.1.batch": 50, "7.1.0": 60 }, false],
  ["beside another start of the job", { stepMiB: 0, jobMiB: 100 }, { "7.1.batch": 60, "7.2.batch": 50 }, false],
  ["without a limit", undefined, { "7.1.batch": 9999 }, false],
])("a script without a holder is killed when it is %s: %#", async (_what, memory, used, isKilled) => {
  const { context, entry, done } = orphan(memory, used);
  await watchOrphan(context, entry);
  expect(done).toEqual(isKilled ? ["record true", TOLD, "kill 7.1.batch"] : []);
  expect(entry.record.outOfMemory).toBe(isKilled ? true : undefined);
});

test("a script of which the kernel ended a process for its memory goes as a whole", async () => {
  const { context, entry, done } = orphan({ stepMiB: 100, jobMiB: 0 }, { "7.1.batch": 10 }, 1, 1);
  await watchOrphan(context, entry);
  expect(done).toEqual(["record true", TOLD, "kill 7.1.batch"]);
});

test("memory that it shares counts in part, and who was killed before is killed again without a word", async () => {
  const shared = orphan({ stepMiB: 100, jobMiB: 0 }, { "7.1.batch": 150 }, 0.5);
  await watchOrphan(shared.context, shared.entry);
  expect(shared.done).toEqual([]);
  const again = orphan({ stepMiB: 100, jobMiB: 0 }, { "7.1.batch": 150 });
  await watchOrphan(again.context, again.entry);
  await watchOrphan(again.context, again.entry);
  expect(again.done.slice(3)).toEqual(["kill 7.1.batch"]);
});
