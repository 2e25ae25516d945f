/** sattach: what it shows, and where our input goes. */

import { describe, expect, test } from "vitest";
import { command } from "../../../src/cli/commands/sattach.ts";
import { runCommand } from "../../../src/cli/run.ts";
import { RpcError } from "../../../src/protocol/errors.ts";
import type { Item, JobUpdate, Params, Result } from "../../../src/protocol/procedures.ts";
import { connected, type Fake, type FakeOptions, fakeContext, fakePeer, settle } from "./fake-context.ts";
import { jobRow, point, RUNNING } from "./fake-job.ts";

type WatchItem = Item<"step.watch">;

interface Started {
  readonly fake: Fake;
  readonly inputs: Params<"step.input">[];
  emit(node: string, ...items: WatchItem[]): Promise<void>;
  end(): Promise<void>;
  code(): number | undefined;
}

const UPDATE: JobUpdate = {
  row: jobRow(RUNNING),
  step: { stepId: 0, state: "RUNNING", endAt: null, nodeList: "n[1-2]", cause: "" },
  attach: [point("n1", 0, 2), point("n2", 2, 1)],
  final: false,
};

async function sattach(
  argv: string[],
  update: JobUpdate | RpcError = UPDATE,
  options: FakeOptions = {},
): Promise<Started> {
  const inputs: Params<"step.input">[] = [];
  const senders = new Map<string, (item: WatchItem) => Promise<void>>();
  const ends: (() => void)[] = [];
  const controller = fakePeer({
    "jobs.get": async (_, send) => {
      await send({ jobs: [] });
      return { now: 0 };
    },
    "job.watch": async (_, send, { signal }) => {
      if (update instanceof RpcError) throw update;
      await send(update);
      return new Promise((_, reject) => {
        const cancel = (): void => reject(new RpcError("CANCELLED", "cancelled"));
        if (signal?.aborted) cancel();
        signal?.addEventListener("abort", cancel);
      });
    },
  });
  const fake = fakeContext({
    ...{ program: "sattach", controller },
    connectHolder: async ({ socket }) => {
      const node = socket.slice("/run/".length, -".sock".length);
      return connected(
        fakePeer({
          "step.watch": (_, send): Promise<Result<"step.watch">> =>
            new Promise((resolve) => {
              senders.set(node, send);
              ends.push(() => resolve({ exits: [], problem: "" }));
            }),
          "step.input": (params) => {
            inputs.push(params);
            return {};
          },
        }),
      );
    },
    ...options,
  });
  let code: number | undefined;
  void runCommand(command, argv, fake.context).then((value) => {
    code = value;
  });
  await settle();
  return {
    ...{ fake, inputs },
    async emit(node, ...items) {
      for (const item of items) await senders.get(node)?.(item);
      await settle();
    },
    async end() {
      for (const end of ends) end();
      await settle();
    },
    code: () => code,
  };
}

const data = (task: number, text: string, offset: number, stream: "out" | "err" = "out"): WatchItem => ({
  ...{ type: "data", task, stream, offset },
  data: new TextEncoder().encode(text),
});

describe("output", () => {
  test("of all tasks from now on, and their highest code", async () => {
    const { fake, emit, end, code } = await sattach(["-l", "7.0"]);
    await emit("n1", { type: "started", tasks: [0, 1] }, data(1, "b\n", 500), data(0, "e\n", 9, "err"));
    await emit("n2", data(2, "c\n", 0), { type: "exit", task: 2, exit: { code: 4, signal: 0 } });
    await end();
    expect(code()).toBe(4);
    expect(fake.out()).toBe("1: b\n2: c\n");
    expect(fake.err()).toBe("0: e\nsattach: error: n2: task 2: Exited with exit code 4\n");
  });
  test("of one task only", async () => {
    const { fake, emit } = await sattach(["--output-filter=1", "--error-filter", "0", "7.0"]);
    await emit("n1", data(0, "a\n", 0), data(1, "b\n", 0), data(0, "x\n", 0, "err"), data(1, "y\n", 0, "err"));
    expect(fake.out()).toBe("b\n");
    expect(fake.err()).toBe("x\n");
  });
  test("that came too fast is counted", async () => {
    const { fake, emit, end } = await sattach(["7.0"]);
    await emit("n1", data(0, "a\n", 100), data(0, "b\n", 1102));
    await end();
    expect(fake.out()).toBe("a\nb\n");
    expect(fake.err()).toBe("sattach: 1000 bytes of output came too fast and were left out\n");
  });
});

test("input goes to all tasks, or to one; its end does not", async () => {
  const all = await sattach(["7.0"]);
  all.fake.input.type("hi\n");
  all.fake.input.end();
  await settle();
  expect(all.inputs.map(({ task, offset, eof }) => ({ task, offset, eof }))).toEqual([
    { task: null, offset: 0, eof: false },
    { task: null, offset: 0, eof: false },
  ]);
  expect(all.inputs[0]?.client).toMatch(/^sattach-/);
  const one = await sattach(["--input-filter=2", "7.0"]);
  one.fake.input.type("hi\n");
  await settle();
  expect(one.inputs).toMatchObject([{ task: 2 }]);
});

test("--layout", async () => {
  const { fake, code } = await sattach(["--layout", "7.0"]);
  expect(code()).toBe(0);
  expect(fake.out()).toBe(
    "Job step layout:\n  3 tasks, 2 nodes (n[1-2])\n\n  Node 0 (n1), 2 task(s): 0 1\n  Node 1 (n2), 1 task(s): 2\n",
  );
});

describe("what can't be", () => {
  test.each([
    [[], "No job step ID specified."],
    [["7.0", "8.0"], "sattach takes only a single job step ID as input"],
    [["7"], '"7" does not look like a jobid.stepid'],
    [["7.batch"], "7.batch: a batch script writes to its files"],
    [["--read-only", "--steal", "7.0"], "--read-only and --steal can't be used together"],
    [["--detach-keys=tab", "7.0"], '--detach-keys: expected a key such as ctrl-\\ or ctrl-a, or none, got "tab"'],
    [["--output-filter=x", "7.0"], '--output-filter: expected a task\'s number, got "x"'],
  ])("%j", async (argv, text) => {
    const { fake, code } = await sattach(argv);
    expect({ code: code(), err: fake.err() }).toEqual({ code: 1, err: `sattach: error: ${text}\n` });
  });
  test("our own name says what lists the sessions", async () => {
    const fake = fakeContext({ program: "mgpu-sattach" });
    expect(await runCommand(command, [], fake.context)).toBe(1);
    expect(fake.err()).toContain("hint: mgpu screens lists what can be attached");
  });
  test("a step that is over, or never was", async () => {
    const over = await sattach(["7.0"], { ...UPDATE, step: { ...UPDATE.step, endAt: 5 } as JobUpdate["step"] });
    expect(over.fake.err()).toBe("sattach: error: Failed on 7.0: Job/step already completing or completed\n");
    const unknown = await sattach(["7.0"], new RpcError("INVALID_STEP", "Invalid job id specified"));
    expect(unknown.fake.err()).toBe("sattach: error: Failed on 7.0: Invalid job id specified\n");
    expect([over.code(), unknown.code()]).toEqual([1, 1]);
  });
});
