/** Tasks that wait for their control group, as real processes; the group itself is pretended. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { GroupUse } from "../../../src/platform/memory-groups.ts";
import type { HolderStep, StepLaunch } from "../../../src/protocol/holder.ts";
import { attach, call, ended, launch, makeFolder, openHolder, shell, stepKey, task, until } from "./harness.ts";

const GROUP = "/no/such/group";

const grouped = (stepMiB = 0, jobMiB = 4000): Partial<StepLaunch> => ({ memory: { stepMiB, jobMiB, group: GROUP } });

/** A holder whose groups say this. */
function openWith(use: GroupUse | null = null): ReturnType<typeof openHolder> {
  const open = openHolder();
  Object.assign(open.ports, { groupUse: (path: string) => (path === GROUP ? use : null) });
  return open;
}

const descriptors = (pid: number): string => readFileSync(`/proc/${pid}/comm`, "utf8").trim();

describe("tasks with a group", () => {
  test("tell their pids and wait; then their programs start in these processes, with nothing left open", async () => {
    const { handlers } = openWith();
    const key = stepKey();
    const tasks = [shell("echo $$ $SLURM_TASK_PID; ls /proc/$$/fd"), shell("echo $$", { task: 1 })];
    const { waiting = [] }: HolderStep = await call(handlers, "holder.launch", launch(key, tasks, grouped()));
    expect(waiting).toHaveLength(2);
    expect(waiting.map(descriptors)).toEqual(["sh", "sh"]);
    const [said] = (await call(handlers, "holder.status", {})).steps;
    expect(said?.waiting).toEqual(waiting);
    const client = attach(handlers, key);
    await call(handlers, "holder.go", { key });
    const end = await ended(handlers, key);
    expect(end).toMatchObject({ exits: [{ code: 0 }, { code: 0 }] });
    expect(end).not.toHaveProperty("waiting");
    await client.done;
    const [pids = "", ...open] = client.text(0).trim().split("\n");
    const [own, told] = pids.split(" ").map(Number);
    expect(own).toBe(told);
    // Above are what the tests' own program was started with.
    expect(open.filter((one) => Number(one) < 10)).toEqual(["0", "1", "2"]);
    expect([own, Number(client.text(1))].sort()).toEqual([...waiting].sort());
    // Late and twice is harmless.
    await call(handlers, "holder.go", { key });
  });

  test("of a batch script, whose wrapper is not of them", async () => {
    const { handlers, folder } = openWith();
    const key = stepKey("batch");
    const path = join(folder, "out");
    const out = { stdout: { to: "file", path, append: false }, stderr: { to: "stdout" } } as const;
    const batch = { script: Buffer.from("#!/bin/sh\necho $$; ls /proc/$$/fd\n"), spool: makeFolder(folder, "spool") };
    const step = await call(handlers, "holder.launch", launch(key, [task(["x"], out)], { batch, ...grouped() }));
    expect(step.waiting).toHaveLength(1);
    const wrapper = JSON.parse(readFileSync(join(batch.spool, "pid"), "utf8")) as { pid: number };
    expect(step.waiting).not.toContain(wrapper.pid);
    await call(handlers, "holder.go", { key });
    expect(await ended(handlers, key)).toMatchObject({ exits: [{ code: 0, signal: 0 }] });
    const [pid, ...open] = readFileSync(path, "utf8").trim().split("\n");
    expect(Number(pid)).toBe(step.waiting?.[0]);
    expect(open.filter((one) => Number(one) < 10)).toEqual(expect.arrayContaining(["0", "1", "2"]));
    expect(open).not.toEqual(expect.arrayContaining(["6"]));
    expect(open).not.toEqual(expect.arrayContaining(["7"]));
  });

  test("of a batch script on a terminal", async () => {
    const { handlers, folder } = openWith();
    const key = stepKey("batch");
    const stdout = { to: "file", path: join(folder, "out"), append: false } as const;
    const batch = { script: Buffer.from("#!/bin/sh\necho $$\n"), spool: makeFolder(folder, "spool") };
    const order = launch(key, [task(["x"], { stdout })], { batch, pty: { columns: 80, rows: 24 }, ...grouped() });
    const step = await call(handlers, "holder.launch", order);
    expect(step.waiting).toHaveLength(1);
    await call(handlers, "holder.go", { key });
    expect(await ended(handlers, key)).toMatchObject({ exits: [{ code: 0, signal: 0 }] });
    expect(readFileSync(join(folder, "out"), "utf8").trim()).toBe(String(step.waiting?.[0]));
  });

  test("on a terminal", async () => {
    const { handlers } = openWith();
    const key = stepKey();
    const pty = { columns: 80, rows: 24 };
    const step = await call(handlers, "holder.launch", launch(key, [shell("echo $$; tty")], { pty, ...grouped() }));
    const client = attach(handlers, key);
    await call(handlers, "holder.go", { key });
    await client.done;
    expect(client.text().replaceAll("\r", "")).toMatch(new RegExp(`^${step.waiting?.[0]}\\n/dev/pts/\\d+\\n$`));
  });

  test("are ended like others while they wait", async () => {
    const { handlers } = openWith();
    const key = stepKey();
    await call(handlers, "holder.launch", launch(key, [shell("echo never")], grouped()));
    await call(handlers, "holder.terminate", { jobId: key.jobId, attempt: 1, killWaitMs: 1000 });
    expect(await ended(handlers, key)).toMatchObject({ exits: [{ code: 0, signal: 15 }] });
  });

  test("go on without one when nobody comes for them", async () => {
    const { handlers, ports } = openWith();
    const key = stepKey();
    await call(handlers, "holder.launch", launch(key, [shell("exit 3")], grouped()));
    await ports.clock.hurry();
    expect(await ended(handlers, key)).toMatchObject({ exits: [{ code: 3, signal: 0 }] });
  });
});

describe("a step of which the kernel ended a process for its memory", () => {
  const KILLED = { kills: 1, peakMiB: 40 };

  test("ran out of memory, and says so with its limit", async () => {
    const { handlers } = openWith(KILLED);
    const key = stepKey();
    await call(handlers, "holder.launch", launch(key, [shell("kill -9 $$")], grouped(40, 4000)));
    const client = attach(handlers, key);
    await call(handlers, "holder.go", { key });
    expect(await ended(handlers, key)).toMatchObject({ outOfMemory: true, exits: [{ code: 0, signal: 9 }] });
    await client.done;
    expect(client.text(0, "err")).toBe(
      `slurmstepd: error: Detected 1 oom_kill event in StepId=${key.jobId}.0. Some of the step tasks have been OOM Killed.\n` +
        "slurmstepd: error: It reached its limit of 40 MiB of memory.\n",
    );
  });

  test("goes as a whole, as a batch script too; the limit may be its job's", async () => {
    const { handlers, folder } = openWith({ kills: 1, peakMiB: 20 });
    const key = stepKey("batch");
    const path = join(folder, "out");
    const out = { stdout: { to: "file", path, append: false }, stderr: { to: "stdout" } } as const;
    const batch = { script: Buffer.from("#!/bin/sh\nsleep 1000\n"), spool: makeFolder(folder, "spool") };
    await call(handlers, "holder.launch", launch(key, [task(["x"], out)], { batch, ...grouped(0, 100) }));
    await call(handlers, "holder.go", { key });
    expect(await ended(handlers, key)).toMatchObject({ outOfMemory: true, exits: [{ code: 0, signal: 9 }] });
    const words = "Its job reached its limit of 100 MiB of memory on this node.\n";
    await until(() => readFileSync(path, "utf8").endsWith(words), "the lines");
    await call(handlers, "holder.terminate", { jobId: key.jobId, attempt: 1, killWaitMs: 1000 });
  });
});
