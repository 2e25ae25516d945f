/** Steps that use more memory than was asked for, as real processes. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { StepLaunch } from "../../../src/protocol/holder.ts";
import { attach, call, ended, launch, makeFolder, openHolder, shell, stepKey, task, until } from "./harness.ts";

/** Uses so many MiB until it is ended. */
const hog = (mib: number): string => `exec dd if=/dev/zero of=/dev/null bs=${mib}M count=1000000 2>/dev/null`;

const limits = (stepMiB: number, jobMiB = 0): Partial<StepLaunch> => ({ memory: { stepMiB, jobMiB } });

const KILLED = { code: 0, signal: 9 };

const event = (step: string): RegExp =>
  new RegExp(
    `^(mine\n)?slurmstepd: error: Detected 1 oom_kill event in StepId=${step}\\. Some of the step tasks have been OOM ` +
      "Killed\\.\nslurmstepd: error: It(s job)? used \\d+ MiB of memory( on this node)? and may use 40 MiB\\.\n$",
  );

describe("a step above its limit", () => {
  test("is killed with all of its processes, says so on its stderr, and is told to have run out of memory", async () => {
    const { handlers } = openHolder();
    const key = stepKey();
    const tasks = [shell(`setsid sleep 1000 & echo mine >&2; ${hog(80)}`), shell("sleep 1000", { task: 1 })];
    await call(handlers, "holder.launch", launch(key, tasks, limits(40)));
    const client = attach(handlers, key);
    expect(await ended(handlers, key)).toMatchObject({ exits: [KILLED, KILLED], outOfMemory: true, clean: true });
    await client.done;
    expect(client.text(0, "err")).toMatch(event(`${key.jobId}.0`));
    expect(client.text(0, "err")).toContain("mine\n");
    expect(client.text(1, "err")).toBe("");
  });

  test("as a batch script says so in its output file, and its exit is known", async () => {
    const { handlers, folder } = openHolder();
    const key = stepKey("batch");
    const path = join(folder, "out");
    const out = { stdout: { to: "file", path, append: false }, stderr: { to: "stdout" } } as const;
    const batch = {
      script: Buffer.from(`#!/bin/sh\n(${hog(80)})\necho survived\n`),
      spool: makeFolder(folder, "spool"),
    };
    await call(handlers, "holder.launch", launch(key, [task(["x"], out)], { batch, ...limits(0, 40) }));
    expect(await ended(handlers, key)).toMatchObject({ exits: [KILLED], outOfMemory: true });
    await until(() => event(`${key.jobId}.batch`).test(readFileSync(path, "utf8")), "the lines");
    // A script may be over before the last of what it started: its job is cleared away then.
    await call(handlers, "holder.terminate", { jobId: key.jobId, attempt: 1, killWaitMs: 1000 });
  });

  test("of a job above its limit is the largest; the others run on", async () => {
    const { handlers } = openHolder();
    const small = stepKey(0);
    const large = { ...small, stepId: 1 };
    await call(handlers, "holder.launch", launch(small, [shell(hog(40))], limits(0, 100)));
    await call(handlers, "holder.launch", launch(large, [shell(hog(80))], limits(0, 100)));
    const over = await until(async () => {
      const { steps } = await call(handlers, "holder.status", {});
      return steps.find((step) => step.phase === "ended");
    }, "an end");
    expect(over).toMatchObject({ key: large, outOfMemory: true });
    expect((await call(handlers, "holder.status", {})).steps.find(({ key }) => key.stepId === 0)?.phase).toBe(
      "running",
    );
    await call(handlers, "holder.terminate", { jobId: small.jobId, attempt: 1, killWaitMs: 1000 });
  });
});

describe("a step within its limit", () => {
  test("is left alone, also if its processes share memory that counts more than once at first sight", async () => {
    const { handlers } = openHolder();
    const key = stepKey();
    // Four processes with the same 60 MiB; they end by themselves after three looks.
    const text = 'my $x = "x"; $x x= 60 << 20; fork; fork; print STDERR "shared\\n"; sleep 3; exit 0';
    await call(handlers, "holder.launch", launch(key, [task(["perl", "-e", text])], limits(200)));
    const client = attach(handlers, key);
    const end = await ended(handlers, key);
    expect(end.exits).toEqual([{ code: 0, signal: 0 }]);
    expect(end).not.toHaveProperty("outOfMemory");
    await client.done;
    expect(client.text(0, "err")).toBe("shared\n".repeat(4));
  });

  test("is not looked at any more once it is over, nor is one without a limit", async () => {
    const { handlers, ports } = openHolder();
    let looks = 0;
    const { memory } = ports.table;
    const mostKiB = (pid: number): number => {
      looks++;
      return memory.mostKiB(pid);
    };
    Object.assign(ports.table, { memory: { ...memory, mostKiB } });
    const key = stepKey();
    await call(handlers, "holder.launch", launch(key, [shell(hog(80))]));
    const limited = stepKey();
    await call(handlers, "holder.launch", launch(limited, [shell("exit 0")], limits(40)));
    await ended(handlers, limited);
    await ports.clock.hurry();
    const before = looks;
    await ports.clock.hurry();
    expect(looks).toBe(before);
    expect((await call(handlers, "holder.status", {})).steps[0]?.phase).toBe("running");
    await call(handlers, "holder.terminate", { jobId: key.jobId, attempt: 1, killWaitMs: 1000 });
  });
});
