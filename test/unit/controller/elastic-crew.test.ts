/** What the crew of lent nodes does while time goes by: its batch system answers from a table, its jobs start nowhere. */

import { expect, test } from "vitest";
import type { ControllerContext } from "../../../src/controller/context.ts";
import { ElasticCrew } from "../../../src/controller/elastic/crew.ts";
import type { BatchManager, OuterJob } from "../../../src/controller/elastic/manager.ts";
import type { Command } from "../../../src/core/commands.ts";
import type { ElasticLimits } from "../../../src/core/elastic/records.ts";
import { step } from "../../../src/core/kernel.ts";
import { emptyState } from "../../../src/core/state.ts";
import { silentLog } from "../../../src/platform/log.ts";
import { EASY } from "../../../src/sched/policy.ts";
import { createHandClock } from "../node/hand-clock.ts";
import { gpuRequest, inventory, submit, T0 } from "../support/samples.ts";

const IDLE_S = 60;

function crewWith(limits: Partial<ElasticLimits> = {}) {
  const clock = createHandClock();
  const state = emptyState();
  const now = (): number => T0 + clock.monotonic();
  const shutDown: string[] = [];
  const outer: OuterJob[] = [];
  const tokens: string[] = [];
  const sessionOf = (node: string) => ({
    peer: { call: async () => void shutDown.push(node), close: () => {} },
  });
  const context = {
    clock: { ...clock, now },
    log: silentLog(),
    loop: { state, execute: async (command: Command) => step(state, command, now()).decision },
    settings: { elasticIntervalS: 10, logLevel: "info" },
    sessions: { get: sessionOf, lostAt: () => null },
    isConnected: (node: string) => state.nodes.has(node),
    guard: { seenBy: (node: unknown) => node },
    order: EASY,
    isEnding: () => false,
  } as unknown as ControllerContext;
  const manager = {
    title: "Slurm",
    list: async () => outer,
    async submit({ node }: { node: string }) {
      outer.push({ id: `${outer.length + 1}`, node, phase: "waiting", why: "Priority", host: "", endsAt: null });
      return { type: "submitted", id: `${outer.length}` };
    },
    cancel: async () => {},
  } as unknown as BatchManager;
  const crew = new ElasticCrew(context, {
    managers: { slurm: manager },
    invite: async () => `token ${tokens.length + 1}`,
    revoke: async () => {},
    write: async (path, text) => void (/\.join$/.test(path) && tokens.push(text.trim())),
    remove: async () => {},
    folder: "/elastic",
  });
  const execute = (...commands: readonly Command[]): void => {
    for (const command of commands) expect(step(state, command, now()).decision.kind).toBe("accept");
  };
  const shape = { cpus: 8, memoryMiB: 4000, gpus: "4", timeS: 36_000 };
  const all = { max: 2, backlog: 1, minBetweenS: 0, idleS: IDLE_S, ...limits };
  const queue = { manager: "slurm", by: { uid: 0, name: "root" }, shape, limits: all, args: [], place: {} } as const;
  execute({ type: "elastic.add", queue, note: "made" });
  return {
    ...{ crew, state, execute, shutDown, tokens },
    /** Lets seconds go by, with all that falls due in them. */
    async pass(seconds: number) {
      await clock.advance(seconds * 1000);
    },
    /** The batch system starts an allocation, whose node joins. */
    async joins(node: string, gpus = 4) {
      const at = outer.findIndex((one) => one.node === node);
      const job = outer[at] ?? expect.unreachable();
      outer[at] = { ...job, phase: "running", host: "far", endsAt: now() + shape.timeS * 1000 };
      execute({ type: "node.register", node, inventory: inventory(gpus), starts: [] });
      await crew.noteJoined({ name: node, inventory: inventory(gpus), allocation: job.id } as never);
    },
    runs(node: string) {
      const at = outer.findIndex((one) => one.node === node);
      outer[at] = { ...(outer[at] ?? expect.unreachable()), phase: "running", host: "far", endsAt: now() + 36_000_000 };
    },
  };
}

/** Whole nodes for some minutes. */
const over = (nodes: number) => ({
  request: {
    ...gpuRequest(4),
    nodes: { min: nodes, max: nodes },
    gpus: { per: "node", wishes: [{ type: null, thousandths: 4000 }] },
  } as const,
  timeLimitS: 600,
});

const cancel = { type: "job.cancel", jobId: 1, tasks: null, byUid: 0, cause: "" } as const;

test("a lent node waits for the others of a job that needs several, however long they take, but no longer than it", async () => {
  const { crew, state, execute, shutDown, pass, joins } = crewWith({ max: 3 });
  execute(submit("gang", over(3)));
  crew.start();
  await pass(20);
  expect([...state.elastic.nodes.keys()]).toEqual(["slurm1-1"]);
  await joins("slurm1-1");
  await pass(20);
  expect([...state.elastic.nodes.keys()]).toEqual(["slurm1-1", "slurm1-2"]);
  await pass(IDLE_S * 5);
  expect(shutDown).toEqual([]);
  await joins("slurm1-2");
  await pass(IDLE_S * 5);
  expect([...state.elastic.nodes.keys()]).toEqual(["slurm1-1", "slurm1-2", "slurm1-3"]);
  expect(shutDown).toEqual([]);
  execute(cancel);
  await pass(IDLE_S + 20);
  expect(new Set(shutDown)).toEqual(new Set(["slurm1-1", "slurm1-2"]));
  crew.stop();
});

test.each([
  [0, ", of 4 that were asked for: does nvidia-smi show them there?"],
  [4, ""],
])("a lent node with %i of the GPUs that were asked for says so", async (gpus, more) => {
  const { crew, state, execute, pass, joins } = crewWith();
  execute(submit("pair", over(2)));
  crew.start();
  await pass(20);
  await joins("slurm1-1", gpus);
  const said = new RegExp(`slurm1-1 joined from [^"]*${gpus} GPUs${more.replace("?", "\\?")}"`);
  expect(JSON.stringify([...state.elastic.queues.values()])).toMatch(said);
  crew.stop();
});

test("a lent node leaves where no other can come", async () => {
  const { crew, execute, shutDown, pass, joins } = crewWith();
  execute(submit("pair", over(2)));
  crew.start();
  await pass(20);
  await joins("slurm1-1");
  await pass(20);
  const change = { type: "pause", reason: "tests", by: { uid: 0, name: "root" } } as const;
  execute({ type: "elastic.change", queueId: 1, change, note: "" });
  await pass(IDLE_S - 10);
  // What was asked for already may still come.
  expect(shutDown).toEqual([]);
  execute({ type: "elastic.over", node: "slurm1-2", note: "over" });
  await pass(IDLE_S + 20);
  expect(new Set(shutDown)).toEqual(new Set(["slurm1-1"]));
  crew.stop();
});

test("a token is made when the allocation runs, and another one before it is too old to join with", async () => {
  const { crew, execute, tokens, pass, runs } = crewWith();
  execute(submit("one", { request: gpuRequest(4), timeLimitS: 600 }));
  crew.start();
  await pass(3600);
  expect(tokens).toEqual([]);
  runs("slurm1-1");
  await pass(20);
  expect(tokens).toEqual(["token 1"]);
  await pass(7 * 60);
  expect(tokens).toEqual(["token 1"]);
  await pass(90);
  expect(tokens).toEqual(["token 1", "token 2"]);
  crew.stop();
});
