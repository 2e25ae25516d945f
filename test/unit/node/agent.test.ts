import { beforeEach, describe, expect, it } from "vitest";
import { RpcError } from "../../../src/protocol/errors.ts";
import { batchLaunch, request, runLaunch, share } from "./sample-launch.ts";
import { World } from "./world.ts";

const RUN = runLaunch();
const BATCH = batchLaunch();
const PTY = runLaunch({ job: request({ pty: { columns: 80, rows: 24 } }) });
const CONTEXT = {} as never;

let world: World;
beforeEach(() => {
  world = new World();
});

describe("a step", () => {
  it("runs, is reported started and ended, and leaves nothing behind", async () => {
    await world.start();
    const job = world.controller.want(RUN);
    await world.clock.advance(10);
    expect(world.machine.runs).toEqual(["7.1.0"]);
    expect(world.controller.reports).toEqual(["started 7.1.0"]);
    world.machine.finish(RUN.key, [{ code: 3, signal: 0 }]);
    await world.clock.advance(10);
    expect(world.controller.reports).toEqual(["started 7.1.0", "ended 7.1.0 3:0 clean"]);
    expect(job.outcome).toBe("3:0");
    expect(await world.spool()).toEqual([]);
    expect(world.machine.terminations).toEqual([]);
    expect(world.complaints).toEqual([]);
  });

  it("is recorded before its holder is asked and before the order is answered", async () => {
    await world.start();
    let answered = false;
    const order = Promise.resolve(world.controller.node["node.launch"](RUN, CONTEXT)).then(() => {
      answered = true;
    });
    await Promise.resolve();
    expect([answered, world.machine.runs.length]).toEqual([false, 0]);
    await order;
    const record = world.stepLog()[0]?.launch;
    expect(record).toMatchObject({ key: RUN.key, kind: "run", tasks: 1, bootId: "boot-1", startAt: RUN.startAt });
    expect(JSON.stringify(record)).not.toContain("secret");
  });

  it("with a terminal has a holder of its own", async () => {
    await world.start();
    world.controller.want(PTY);
    await world.clock.advance(10);
    expect(world.machine.holders.map((holder) => holder.identity.socket)).toEqual([
      "/run/holder.sock",
      "/run/holder-7.1.0.sock",
    ]);
    world.machine.finish(PTY.key);
    await world.clock.advance(10);
    expect(world.controller.reports.at(-1)).toBe("ended 7.1.0 0:0 clean");
  });

  it("that leaves processes behind is cleared away, and reported clear once it is", async () => {
    world.machine.leavesProcesses = () => true;
    await world.start();
    world.controller.want(RUN);
    await world.clock.advance(10);
    world.machine.finish(RUN.key);
    await world.clock.advance(100);
    expect(world.controller.reports).toEqual(["started 7.1.0", "ended 7.1.0 0:0", "cleaned 7.1"]);
    expect(world.machine.terminations).toEqual(["7.1"]);
    expect(await world.spool()).toEqual([]);
  });

  it("that used too much memory is reported so, also by the next daemon", async () => {
    await world.start();
    world.controller.want(RUN);
    await world.clock.advance(10);
    world.controller.losesAnswers = true;
    world.machine.finish(RUN.key, [{ code: 0, signal: 9 }], { outOfMemory: true });
    await world.clock.advance(10);
    world.controller.losesAnswers = false;
    await world.start();
    await world.clock.advance(10);
    expect(world.controller.reports.slice(1)).toEqual(Array(2).fill("ended 7.1.0 0:9 clean out of memory"));
  });

  it("that its holder can't start ends with the problem, and never as a success", async () => {
    world.machine.launchProblem = "no such program";
    await world.start();
    const job = world.controller.want(RUN);
    await world.clock.advance(10);
    expect(world.controller.reports).toEqual(["ended 7.1.0 127:0 clean (no such program)"]);
    expect(job.outcome).toBe("127:0 no such program");
  });

  it("that this node can't build ends with the problem", async () => {
    await world.start();
    world.controller.want(runLaunch({ allocation: [share("n2", 3)] }));
    await world.clock.advance(10);
    expect(world.controller.reports).toEqual(["ended 7.1.0 1:0 clean (the job holds nothing on node n1)"]);
  });

  it("ends with the problem when no holder can be started; a later one may be", async () => {
    world.machine.holderProblem = "mgpu-stepd ended right after its start";
    await world.start();
    const job = world.controller.want(RUN);
    await world.clock.advance(10);
    expect(job.outcome).toBe("1:0 the step can't be started: mgpu-stepd ended right after its start");
    world.machine.holderProblem = "";
    world.controller.want(runLaunch({ key: { jobId: 8, attempt: 1, stepId: 0 } }));
    await world.clock.advance(10);
    expect(world.machine.runs).toEqual(["8.1.0"]);
  });

  it("is refused while its launch can't be recorded", async () => {
    await world.start();
    world.disk.failWith = "ENOSPC";
    const job = world.controller.want(RUN);
    await world.clock.advance(10);
    expect(job.outcome).toMatch(/^refused: node n1 can't record the launch: ENOSPC/);
    expect(world.machine.runs).toEqual([]);
    expect(world.controller.reports).toEqual(["cleaned 7.1"]);
  });

  it("is reported even if its end can't be recorded; the holder keeps it until that is confirmed", async () => {
    await world.start();
    world.controller.want(RUN);
    await world.clock.advance(10);
    world.disk.failWith = "ENOSPC";
    world.controller.reportError = new RpcError("STORAGE", "disk full there too");
    world.machine.finish(RUN.key);
    await world.clock.advance(10);
    expect([...(world.machine.holders[0]?.steps.keys() ?? [])]).toEqual(["7.1.0"]);
    world.controller.reportError = null;
    await world.clock.advance(2000);
    expect(world.controller.reports.at(-1)).toBe("ended 7.1.0 0:0 clean");
    expect([...(world.machine.holders[0]?.steps.keys() ?? [])]).toEqual([]);
  });
});

describe("an order to launch that comes again", () => {
  it("does not start a running step twice, and says again that it runs", async () => {
    await world.start();
    const { node } = world.controller;
    await Promise.all([1, 2, 3].map(() => node["node.launch"](RUN, CONTEXT)));
    await world.clock.advance(10);
    await node["node.launch"](RUN, CONTEXT);
    await world.clock.advance(10);
    expect(world.machine.runs).toEqual(["7.1.0"]);
    expect(world.controller.reports).toEqual(["started 7.1.0", "started 7.1.0"]);
  });

  it("says again how an ended step ended", async () => {
    world.machine.leavesProcesses = () => true;
    await world.start();
    const { node } = world.controller;
    await node["node.launch"](RUN, CONTEXT);
    await world.clock.advance(10);
    world.machine.finish(RUN.key);
    await world.clock.advance(10);
    await node["node.launch"](RUN, CONTEXT);
    await world.clock.advance(10);
    expect(world.controller.reports.slice(1)).toEqual(["ended 7.1.0 0:0", "ended 7.1.0 0:0"]);
    expect(world.machine.runs).toEqual(["7.1.0"]);
  });

  it("after all is over starts nothing, not even after a restart", async () => {
    await world.start();
    world.controller.want(RUN);
    await world.clock.advance(10);
    world.machine.finish(RUN.key);
    await world.clock.advance(10);
    await world.controller.node["node.launch"](RUN, CONTEXT);
    await world.start();
    await world.clock.advance(10);
    await world.controller.node["node.launch"](RUN, CONTEXT);
    await world.clock.advance(10);
    expect(world.machine.runs).toEqual(["7.1.0"]);
    expect(world.controller.reports.at(-1)).toBe("lost 7.1.0 this start of the job is over on this node");
    expect(await world.spool()).toEqual([]);
  });

  it("runs another job of the same number, from a controller that lost its state", async () => {
    await world.start();
    world.controller.want(RUN);
    await world.clock.advance(10);
    world.machine.finish(RUN.key);
    await world.clock.advance(10);
    world.controller.want({ ...RUN, startAt: RUN.startAt + 1 });
    await world.clock.advance(10);
    expect(world.machine.runs).toEqual(["7.1.0", "7.1.0"]);
  });

  it("does not mix up a running step with another job of the same number", async () => {
    await world.start();
    world.controller.want(RUN);
    await world.clock.advance(10);
    const job = world.controller.want({ ...RUN, startAt: RUN.startAt + 1 });
    await world.clock.advance(10);
    expect(world.machine.runs).toEqual(["7.1.0"]);
    expect(job.outcome).toBe("lost: the node still has an earlier job of the same number");
  });
});

describe("an order to end a job", () => {
  it("ends its processes and says so, the end of its step first", async () => {
    await world.start();
    const job = world.controller.want(RUN);
    await world.clock.advance(10);
    world.controller.cancel(job);
    await world.clock.advance(10);
    expect(world.controller.reports).toEqual(["started 7.1.0", "ended 7.1.0 0:15 clean", "cleaned 7.1"]);
    expect(await world.spool()).toEqual([]);
  });

  it("tells a holder why, and where its scripts may say so", async () => {
    await world.start();
    world.controller.want(BATCH);
    await world.clock.advance(10);
    await world.controller.node["node.terminate"]({ jobId: 7, attempt: 1, cause: "time limit" }, CONTEXT);
    await world.clock.advance(10);
    const notice = { cause: "time limit", node: "n1", scripts: ["/state/n1/spool/7.1.batch"] };
    expect(world.machine.terminationDetails).toEqual([["/run/holder.sock", { notice }]]);
  });

  it("tells so a new holder where the script's own is gone", async () => {
    await world.start();
    world.controller.want(BATCH);
    await world.clock.advance(10);
    world.machine.killHolders();
    await world.clock.advance(1000);
    await world.controller.node["node.terminate"]({ jobId: 7, attempt: 1, cause: "cancelled" }, CONTEXT);
    await world.clock.advance(10);
    const notice = { cause: "cancelled", node: "n1", scripts: ["/state/n1/spool/7.1.batch"] };
    expect(world.machine.terminationDetails).toEqual([["/run/holder.sock", { notice }]]);
  });

  it("gives each of several holders its own steps", async () => {
    await world.start();
    world.controller.want(BATCH);
    world.controller.want(PTY);
    await world.clock.advance(10);
    await world.controller.node["node.terminate"]({ jobId: 7, attempt: 1 }, CONTEXT);
    await world.clock.advance(10);
    expect(world.machine.terminationDetails).toEqual([
      ["/run/holder.sock", { elsewhere: ["7.1.0"] }],
      ["/run/holder-7.1.0.sock", { elsewhere: ["7.1.batch"] }],
    ]);
  });

  it("of which nothing is known is answered at once; a launch that it overtook is not followed", async () => {
    await world.start();
    await world.controller.node["node.terminate"]({ jobId: 7, attempt: 1 }, CONTEXT);
    await world.controller.node["node.launch"](RUN, CONTEXT);
    await world.clock.advance(10);
    expect(world.machine.runs).toEqual([]);
    expect(world.controller.reports).toEqual(["cleaned 7.1", "lost 7.1.0 this start of the job is over on this node"]);
    world.controller.want(runLaunch({ key: { jobId: 7, attempt: 2, stepId: 0 } }));
    await world.clock.advance(10);
    expect(world.machine.runs).toEqual(["7.2.0"]);
  });

  it("reaches a step that is on its way", async () => {
    await world.start();
    const { node } = world.controller;
    const launched = node["node.launch"](RUN, CONTEXT);
    await node["node.terminate"]({ jobId: 7, attempt: 1 }, CONTEXT);
    await node["node.terminate"]({ jobId: 7, attempt: 1 }, CONTEXT);
    await launched;
    await world.clock.advance(6000);
    expect(world.controller.reports.at(-1)).toBe("cleaned 7.1");
    expect(world.controller.reports.filter((report) => report.startsWith("ended"))).toHaveLength(1);
    expect(world.machine.holders.flatMap((holder) => [...holder.steps.values()])).toEqual([]);
    expect(await world.spool()).toEqual([]);
  });

  it("waits for a launch that is under way to a holder", async () => {
    await world.start();
    world.machine.launchDelayMs = 500;
    const job = world.controller.want(RUN);
    await world.clock.advance(10);
    world.controller.cancel(job);
    await world.clock.advance(1000);
    expect(world.machine.runs).toEqual(["7.1.0"]);
    expect(world.controller.reports.slice(-2)).toEqual(["ended 7.1.0 0:15 clean", "cleaned 7.1"]);
  });

  it("ends a step whose launch an earlier daemon sent, when it arrives after all", async () => {
    await world.start();
    world.machine.launchDelayMs = 500;
    world.controller.want(RUN);
    await world.clock.advance(10);
    world.controller.orders = false;
    await world.start();
    await world.controller.node["node.terminate"]({ jobId: 7, attempt: 1 }, CONTEXT);
    await world.clock.advance(10_000);
    expect(world.machine.runs).toEqual(["7.1.0"]);
    expect(world.machine.terminations).toEqual(["7.1", "7.1.0"]);
    expect(world.machine.holders.flatMap((holder) => [...holder.steps])).toEqual([]);
    expect(await world.spool()).toEqual([]);
  });

  it("does not forget an end that is not confirmed", async () => {
    await world.start();
    const job = world.controller.want(RUN);
    await world.clock.advance(10);
    world.controller.losesAnswers = true;
    world.controller.cancel(job);
    await world.clock.advance(10);
    expect(await world.spool()).toEqual(["7.1.0"]);
    world.controller.losesAnswers = false;
    world.controller.reports.length = 0;
    await world.start();
    await world.clock.advance(100);
    expect(world.controller.reports).toEqual(["ended 7.1.0 0:15 clean", "cleaned 7.1"]);
    expect(await world.spool()).toEqual([]);
  });

  it("goes on with a new holder when the old one dies over it", async () => {
    await world.start();
    const job = world.controller.want(RUN);
    await world.clock.advance(10);
    world.machine.killHolders();
    world.controller.cancel(job);
    await world.clock.advance(10_000);
    expect(world.controller.reports.at(-1)).toBe("cleaned 7.1");
    expect(await world.spool()).toEqual([]);
  });
});

describe("an order to end a step", () => {
  const STEP = { jobId: 7, attempt: 1, stepId: 0 } as const;
  const terminate = (stepId: number | "batch" | null = 0) =>
    world.controller.node["node.terminate"]({ jobId: 7, attempt: 1, stepId }, CONTEXT);

  it("ends it alone; its job's other steps run on", async () => {
    await world.start();
    const [script] = [BATCH, RUN].map((launch) => world.controller.want(launch));
    await world.clock.advance(30);
    world.controller.orders = false;
    await terminate();
    await terminate();
    await world.clock.advance(10);
    expect(world.machine.terminations).toEqual(["7.1.0"]);
    expect(world.controller.reports.slice(2)).toEqual(["ended 7.1.0 0:15"]);
    expect(script?.phase).toBe("running");
    expect(await world.spool()).toEqual(["7.1.batch"]);
  });

  it("tells its outputs why, if the order says so", async () => {
    await world.start();
    for (const launch of [BATCH, RUN]) world.controller.want(launch);
    await world.clock.advance(10);
    world.controller.orders = false;
    const order = { jobId: 7, attempt: 1, cause: "time limit" } as const;
    await world.controller.node["node.terminate"]({ ...order, stepId: 0 }, CONTEXT);
    await world.clock.advance(10);
    await world.controller.node["node.terminate"]({ ...order, stepId: "batch" }, CONTEXT);
    await world.clock.advance(10);
    const notice = { cause: "time limit", node: "n1" };
    expect(world.machine.terminationDetails.map(([, details]) => details)).toEqual([
      { notice: { ...notice, scripts: [] } },
      { notice: { ...notice, scripts: ["/state/n1/spool/7.1.batch"] } },
    ]);
  });

  it("says again how it ended if it is over", async () => {
    world.machine.leavesProcesses = () => true;
    await world.start();
    await world.controller.node["node.launch"](RUN, CONTEXT);
    await world.clock.advance(10);
    world.machine.finish(RUN.key);
    await world.clock.advance(10);
    await terminate();
    await world.clock.advance(20_000);
    expect(world.controller.reports.slice(1)).toEqual(["ended 7.1.0 0:0", "ended 7.1.0 0:0"]);
    expect(world.machine.terminations).toEqual([]);
  });

  it("that overtook the launch keeps it from starting", async () => {
    await world.start();
    await terminate();
    const launch = runLaunch({ allocation: [share("n1", 2)] });
    await world.controller.node["node.launch"](launch, CONTEXT);
    await world.clock.advance(10);
    expect(world.machine.runs).toEqual([]);
    expect(world.controller.reports).toEqual(["ended 7.1.0 0:15,0:15 clean (ended before it was started)"]);
    expect(await world.spool()).toEqual([]);
    await world.controller.node["node.launch"](runLaunch({ key: { ...STEP, stepId: 1 } }), CONTEXT);
    await world.clock.advance(10);
    expect(world.machine.runs).toEqual(["7.1.1"]);
  });

  it("that nobody here knows is answered all the same, after a while", async () => {
    await world.start();
    world.controller.want(BATCH);
    await terminate();
    await world.clock.advance(9_000);
    expect(world.controller.reports).toEqual(["started 7.1.batch"]);
    await world.clock.advance(2_000);
    expect(world.controller.reports.slice(1)).toEqual(["ended 7.1.0 0:15 (ended before it was started)"]);
  });

  it("reaches one that is on its way, and one whose holder dies over it", async () => {
    await world.start();
    world.machine.launchDelayMs = 500;
    world.controller.want(RUN);
    await world.clock.advance(10);
    await terminate();
    await world.clock.advance(1000);
    expect(world.controller.reports.at(-1)).toBe("ended 7.1.0 0:15 clean");
    world.machine.launchDelayMs = 0;
    const lost = world.controller.want(runLaunch({ key: { ...STEP, stepId: 1 } }));
    await world.clock.advance(10);
    world.machine.killHolders();
    await terminate(1);
    await world.clock.advance(10_000);
    expect(lost.outcome).toBe("lost: holder lost");
    expect(await world.spool()).toEqual([]);
  });

  it("reaches a script without a holder", async () => {
    await world.start();
    const script = world.controller.want(BATCH);
    await world.clock.advance(10);
    world.machine.killHolders();
    await world.clock.advance(100);
    await terminate("batch");
    await world.clock.advance(100);
    expect(script.outcome).toBe("0:15");
  });

  it("null is for the whole job", async () => {
    await world.start();
    world.controller.want(RUN);
    await world.clock.advance(10);
    await terminate(null);
    await world.clock.advance(10);
    expect(world.machine.terminations).toEqual(["7.1"]);
    expect(world.controller.reports.at(-1)).toBe("cleaned 7.1");
  });
});

describe("a job with several steps", () => {
  const step = (stepId: number) => runLaunch({ key: { jobId: 7, attempt: 1, stepId } });

  it("gets further ones after those before are over and forgotten", async () => {
    await world.start();
    for (const stepId of [0, 1]) {
      world.controller.want(step(stepId));
      await world.clock.advance(10);
      world.machine.finish(step(stepId).key);
      await world.clock.advance(10);
      expect(await world.spool()).toEqual([]);
    }
    expect(world.machine.runs).toEqual(["7.1.0", "7.1.1"]);
    expect(world.controller.reports.filter((report) => report.startsWith("ended"))).toEqual([
      "ended 7.1.0 0:0 clean",
      "ended 7.1.1 0:0 clean",
    ]);
    await world.controller.node["node.launch"](step(0), CONTEXT);
    await world.start();
    await world.controller.node["node.launch"](step(1), CONTEXT);
    await world.clock.advance(10);
    expect(world.machine.runs).toHaveLength(2);
  });

  it("is clean here only when its last step ends", async () => {
    await world.start();
    for (const stepId of [0, 1]) world.controller.want(step(stepId));
    await world.clock.advance(10);
    world.controller.orders = false;
    world.machine.finish(step(1).key);
    await world.clock.advance(10);
    expect(world.controller.reports.at(-1)).toBe("ended 7.1.1 0:0");
    expect(await world.spool()).toEqual(["7.1.0"]);
    world.machine.finish(step(0).key);
    await world.clock.advance(10);
    expect(world.controller.reports.at(-1)).toBe("ended 7.1.0 0:0 clean");
    expect(await world.spool()).toEqual([]);
  });

  it("is not clean while a step is on its way to a holder", async () => {
    await world.start();
    world.controller.want(step(0));
    await world.clock.advance(10);
    world.machine.launchDelayMs = 500;
    world.controller.want(step(1));
    world.machine.finish(step(0).key);
    await world.clock.advance(10);
    expect(world.controller.reports.at(-1)).toBe("ended 7.1.0 0:0");
  });

  it("keeps one record of what they may have left behind, until they did not", async () => {
    world.machine.leavesProcesses = () => true;
    await world.start();
    world.controller.orders = false;
    const { node } = world.controller;
    for (const stepId of [0, 1, 2]) await node["node.launch"](step(stepId), CONTEXT);
    await world.clock.advance(10);
    for (const stepId of [0, 1]) world.machine.finish(step(stepId).key);
    await world.clock.advance(10);
    expect(await world.spool()).toEqual(["7.1.2"]);
    world.machine.finish(step(2).key);
    await world.clock.advance(10);
    expect(await world.spool()).toEqual(["7.1.2"]);
    await node["node.launch"](step(3), CONTEXT);
    await world.clock.advance(10);
    expect(await world.spool()).toEqual(["7.1.2", "7.1.3"]);
    world.machine.leavesProcesses = () => false;
    world.machine.finish(step(3).key);
    await world.clock.advance(10);
    expect(await world.spool()).toEqual([]);
  });
});

describe("an order to signal", () => {
  it.each([
    ["all steps, whole", RUN, "steps", 10, ["7.1.0 10 true"]],
    ["one step", RUN, 0, 10, ["7.1.0 10 true"]],
    ["no other step", RUN, 1, 10, []],
    ["not the batch script", BATCH, "steps", 10, []],
    ["the batch script for SIGKILL", BATCH, "steps", 9, ["7.1.batch 9 false"]],
    ["the batch script's shell alone", BATCH, "batch", 10, ["7.1.batch 10 false"]],
    ["all of the batch script", BATCH, "full", 10, ["7.1.batch 10 true"]],
    ["a step with all else", RUN, "full", 10, ["7.1.0 10 true"]],
  ] as const)("reaches %s", async (_what, launch, target, signal, expected) => {
    await world.start();
    world.controller.want(launch);
    await world.clock.advance(10);
    await world.controller.node["node.signal"]({ jobId: 7, attempt: 1, target, signal }, CONTEXT);
    await world.clock.advance(10);
    expect(world.machine.signals).toEqual(expected);
  });

  it("reaches a script that lost its holder", async () => {
    await world.start();
    world.controller.want(BATCH);
    await world.clock.advance(10);
    world.machine.killHolders();
    await world.clock.advance(100);
    await world.controller.node["node.signal"]({ jobId: 7, attempt: 1, target: "batch", signal: 10 }, CONTEXT);
    await world.clock.advance(100);
    expect(world.machine.signals).toEqual(["7.1.batch 10 false"]);
  });
});

describe("the end of the daemon", () => {
  it("comes when it is told to; what runs goes on", async () => {
    const agent = await world.start();
    world.controller.want(RUN);
    await world.clock.advance(10);
    let isEnded = false;
    void agent.ended.then(() => {
      isEnded = true;
    });
    await world.controller.node["node.shutdown"]({ holders: true }, CONTEXT);
    await world.clock.advance(100);
    expect([isEnded, world.controller.connected]).toEqual([true, false]);
    expect(world.machine.holders.map((holder) => holder.alive)).toEqual([true]);
    await world.clock.advance(60_000);
    expect(world.controller.connected).toBe(false);
  });

  it("takes idle holders along and starts no new one", async () => {
    await world.start();
    await world.controller.node["node.shutdown"]({ holders: true }, CONTEXT);
    await world.clock.advance(10_000);
    expect(world.machine.holders.map((holder) => holder.alive)).toEqual([false]);
  });
});
