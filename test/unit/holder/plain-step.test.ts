import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import {
  attach,
  call,
  ended,
  input,
  joined,
  launch,
  openHolder,
  runToEnd,
  shell,
  stepKey,
  task,
  until,
} from "./harness.ts";

describe("exits", () => {
  test.each([
    ["exit 0", { code: 0, signal: 0 }],
    ["exit 7", { code: 7, signal: 0 }],
    ["exit 143", { code: 143, signal: 0 }],
    ["kill -TERM $$", { code: 0, signal: 15 }],
    ["kill -SEGV $$", { code: 0, signal: 11 }],
    ["kill -KILL $$", { code: 0, signal: 9 }],
  ])("%s", async (text, exit) => {
    const { handlers } = openHolder();
    const key = stepKey();
    const client = await runToEnd(handlers, launch(key, [shell(text)]));
    expect(await client.done).toEqual({ exits: [{ task: 0, exit }], problem: "" });
    expect(client.sink.items.map(({ type }) => type)).toEqual(["started", "exit"]);
    const step = await ended(handlers, key);
    const { usage, ...rest } = step;
    expect(rest).toEqual({ key, phase: "ended", exits: [exit], problem: "", clean: true });
    expect(usage?.cpuMs[4]).toBeGreaterThanOrEqual(0);
  });

  test("of several tasks, in the order of the launch", async () => {
    const { handlers } = openHolder();
    const tasks = [3, 1, 2].map((number) => shell(`exit ${number}`, { task: number }));
    const client = await runToEnd(handlers, launch(stepKey(), tasks));
    const { exits } = await client.done;
    expect(exits.map((entry) => [entry.task, entry.exit.code])).toEqual([
      [3, 3],
      [1, 1],
      [2, 2],
    ]);
  });
});

describe("environment", () => {
  test("the step's, the task's over it, and the cookie over both; nothing of the holder's", async () => {
    const { handlers } = openHolder();
    const key = stepKey();
    const environment = { SLURM_PROCID: "0", MGPU_STEP: "9.9.9" };
    const client = await runToEnd(handlers, launch(key, [task(["env"], { environment })]));
    const lines = client.text().trim().split("\n");
    expect(lines).toContain("MARK=of the step");
    expect(lines).toContain("SLURM_PROCID=0");
    expect(lines).toContain(`MGPU_STEP=${key.jobId}.1.0`);
    expect(lines.map((line) => line.split("=")[0]).sort()).toEqual([
      "HOME",
      "MARK",
      "MGPU_STEP",
      "MGPU_STEP_SCOPE",
      "PATH",
      "SLURM_PROCID",
      "SLURM_TASK_PID",
    ]);
  });

  test("each task leads a session and a process group, with real pipes", async () => {
    const { handlers } = openHolder();
    const text = "set -- $(cat /proc/$$/stat); [ $1 = $5 ] && [ $1 = $6 ] && echo leader; echo again >/dev/stderr";
    const client = await runToEnd(handlers, launch(stepKey(), [task(["bash", "-c", text])]));
    expect(client.text()).toBe("leader\n");
    expect(client.text(0, "err")).toBe("again\n");
  });
});

describe("output", () => {
  test("5 MB of any bytes arrive exactly through a slow consumer, with a flat queue", async () => {
    const { handlers, folder } = openHolder();
    const key = stepKey();
    const data = Buffer.alloc(5_000_000);
    for (let at = 0; at < data.length; at++) data[at] = (at * 7 + (at >> 8)) & 0xff;
    const file = join(folder, "data");
    writeFileSync(file, data);
    await call(handlers, "holder.launch", launch(key, [task(["cat", file])]));
    const client = attach(handlers, key, false);
    let done = false;
    void client.done.then(() => {
      done = true;
    });
    await until(() => {
      client.sink.acknowledge(2);
      return done;
    }, "the end of the output");
    expect(client.bytes().equals(data)).toBe(true);
    expect(client.sink.peakUnacknowledged).toBeLessThan(400_000);
  });

  test("a program that nobody listens to blocks at the window", async () => {
    const { handlers, folder } = openHolder();
    const key = stepKey();
    const counter = join(folder, "count");
    const program = [
      'import sys\nn=0\nwhile True:\n sys.stdout.buffer.write(b"x"*65536)',
      `n+=1\n open(${JSON.stringify(counter)},"w").write(str(n))`,
    ].join("\n ");
    await call(handlers, "holder.launch", launch(key, [task(["python3", "-u", "-c", program])]));
    let last = "";
    let same = 0;
    await until(() => {
      let now = "";
      try {
        now = readFileSync(counter, "utf8");
      } catch {
        return false;
      }
      same = now !== "" && now === last ? same + 1 : 0;
      last = now;
      return same > 40;
    }, "the program blocks");
    // The window, the pipe, and two chunks inside the holder.
    expect(Number(last)).toBeLessThanOrEqual((256 + 64 + 128 + 64) / 64);
    await call(handlers, "holder.terminate", { jobId: key.jobId, attempt: 1, killWaitMs: 1000 });
    expect((await ended(handlers, key)).exits).toEqual([{ code: 0, signal: 15 }]);
  });

  test("streams are told apart, task by task", async () => {
    const { handlers } = openHolder();
    const tasks = [0, 1].map((number) => shell(`echo out${number}; echo err${number} >&2`, { task: number }));
    const client = await runToEnd(handlers, launch(stepKey(), tasks));
    for (const number of [0, 1]) {
      expect(client.text(number)).toBe(`out${number}\n`);
      expect(client.text(number, "err")).toBe(`err${number}\n`);
    }
  });

  test("stderr joined to stdout keeps the order", async () => {
    const { handlers } = openHolder();
    const both = shell("echo 1; echo 2 >&2; echo 3", { stderr: { to: "stdout" } });
    const client = await runToEnd(handlers, launch(stepKey(), [both]));
    expect(client.text()).toBe("1\n2\n3\n");
  });

  test("the first line comes while the program still runs", async () => {
    const { handlers } = openHolder();
    const key = stepKey();
    await call(
      handlers,
      "holder.launch",
      launch(key, [shell("echo ready; read -r line; echo $line", { stdin: { from: "client" } })]),
    );
    const client = attach(handlers, key);
    await until(() => client.text() === "ready\n", "the first line");
    await input(handlers, key, { offset: 0, data: "bye\n" });
    await client.done;
    expect(client.text()).toBe("ready\nbye\n");
  });
});

describe("a lost client", () => {
  test("nothing is lost and nothing doubled, however often it happens", async () => {
    const { handlers } = openHolder();
    const key = stepKey();
    await call(handlers, "holder.launch", launch(key, [task(["seq", "1", "200000"])]));
    const items = [];
    for (let round = 0; round < 5; round++) {
      const client = attach(handlers, key, false);
      await until(() => client.sink.unacknowledged > 100_000, "some output");
      client.sink.acknowledge(3 + round);
      client.leave();
      await expect(client.done).rejects.toThrow();
      items.push(...client.sink.items);
    }
    const last = attach(handlers, key);
    await last.done;
    items.push(...last.sink.items);
    const expected = Array.from({ length: 200_000 }, (_, index) => `${index + 1}\n`).join("");
    expect(joined(items).toString() === expected).toBe(true);
  });

  test("a newer attach takes over, and starts with what was not acknowledged", async () => {
    const { handlers } = openHolder();
    const key = stepKey();
    await call(
      handlers,
      "holder.launch",
      launch(key, [shell("echo one; read -r x; echo two", { stdin: { from: "client" } })]),
    );
    const first = attach(handlers, key, false);
    await until(() => first.text() === "one\n", "the first line");
    const second = attach(handlers, key);
    await expect(first.done).rejects.toMatchObject({ code: "CANCELLED" });
    await until(() => second.text() === "one\n", "the replay");
    await input(handlers, key, { offset: 0, data: "\n" });
    await second.done;
    expect(second.text()).toBe("one\ntwo\n");
    expect(second.sink.items[0]).toEqual({ type: "started", tasks: [0] });
  });

  test("after the end all is still there, and gone once it was collected and forgotten", async () => {
    const { handlers } = openHolder();
    const key = stepKey();
    await call(handlers, "holder.launch", launch(key, [shell("seq 1 100")]));
    await ended(handlers, key);
    await call(handlers, "holder.forget", { key });
    expect(await call(handlers, "holder.shutdown", {})).toEqual({ ending: false });
    const client = attach(handlers, key);
    await client.done;
    expect(client.text().split("\n")).toHaveLength(101);
    expect(await call(handlers, "holder.status", {})).toEqual({ steps: [] });
    // A client that lost the answer asks again.
    const again = attach(handlers, key);
    expect(await again.done).toEqual(await client.done);
    expect(again.text()).toBe("");
    expect(await call(handlers, "holder.shutdown", {})).toEqual({ ending: true });
  });
});

describe("the end of a step", () => {
  test("background children that hold the output are ended", async () => {
    const { handlers } = openHolder();
    const key = stepKey();
    const client = await runToEnd(handlers, launch(key, [shell("sleep 1000 & echo done")]));
    expect(client.text()).toBe("done\n");
    expect((await ended(handlers, key)).clean).toBe(true);
  });

  test("also those that ignore TERM, and daemons of a session of their own", async () => {
    const { handlers, ports } = openHolder();
    const key = stepKey();
    const stubborn = "trap '' TERM; while :; do sleep 1; done";
    const text = `(setsid sh -c "${stubborn}" >/dev/null 2>&1 &) ; (${stubborn}) & sleep 0.2; exit 3`;
    await call(handlers, "holder.launch", launch(key, [shell(text)]));
    const client = attach(handlers, key);
    await until(() => ports.table.find(`${key.jobId}.1.`).length >= 3, "the daemon");
    expect((await client.done).exits[0]?.exit).toEqual({ code: 3, signal: 0 });
    expect((await ended(handlers, key)).clean).toBe(true);
  });

  test("other steps of the job are left alone, and say that it is not clean", async () => {
    const { handlers } = openHolder();
    const key = stepKey();
    const other = { ...key, stepId: 1 };
    await call(handlers, "holder.launch", launch(other, [task(["sleep", "1000"])]));
    await runToEnd(handlers, launch(key, [shell("exit 0")]));
    const { steps } = await call(handlers, "holder.status", {});
    expect(steps.find((step) => step.key.stepId === 0)).toMatchObject({ phase: "ended", clean: false });
    expect(steps.find((step) => step.key.stepId === 1)).toMatchObject({ phase: "running" });
    await call(handlers, "holder.terminate", { jobId: key.jobId, attempt: 1, killWaitMs: 1000 });
    const after = await call(handlers, "holder.status", {});
    expect(after.steps.map(({ phase, clean }) => [phase, clean])).toEqual([
      ["ended", true],
      ["ended", true],
    ]);
  });
});

test("a step tells what it used: live, and exactly at its end", async () => {
  const { handlers, ports } = openHolder();
  const key = stepKey();
  const spin = "i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done";
  await call(
    handlers,
    "holder.launch",
    launch(key, [shell(`(${spin}); read -r go`), shell("read -r go", { task: 1 })]),
  );
  const { jobId } = key;
  const live = async () => (await call(handlers, "holder.usage", { jobId, attempt: 1 })).steps[0];
  const found = await until(async () => {
    const step = await live();
    return (step?.usage?.cpuMs[0] ?? 0) > 20 ? step : null;
  }, "CPU time");
  expect(found.key).toEqual(key);
  expect(found.usage?.rssKiB?.[4]).toBeGreaterThan(0);
  expect(found.pids.length).toBeGreaterThanOrEqual(2);
  expect(found.usage?.cpuMs[1]).toBe(0);
  await ports.clock.hurry();
  await call(handlers, "holder.terminate", { jobId, attempt: 1, killWaitMs: 1000 });
  const { usage } = await ended(handlers, key);
  expect(usage?.cpuMs[0]).toBeGreaterThan(20);
  expect(usage?.cpuMs[1]).toBe(0);
});
