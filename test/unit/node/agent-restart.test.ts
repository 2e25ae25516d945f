import { beforeEach, describe, expect, it } from "vitest";
import { batchLaunch, request, runLaunch } from "./sample-launch.ts";
import { STEP_LOG, World } from "./world.ts";

const RUN = runLaunch();
const BATCH = batchLaunch();
const PTY = runLaunch({ job: request({ pty: { columns: 80, rows: 24 } }) });
const BATCH_FOLDER = "/state/n1/spool/7.1.batch";

let world: World;
beforeEach(() => {
  world = new World();
});

describe("a new daemon", () => {
  it("takes running steps over and reports their end", async () => {
    await world.start();
    const jobs = [RUN, batchLaunch({ key: { jobId: 8, attempt: 1, stepId: "batch" } })].map((launch) =>
      world.controller.want(launch),
    );
    await world.clock.advance(10);
    await world.start();
    await world.clock.advance(10);
    for (const { launch } of jobs) world.machine.finish(launch.key);
    await world.clock.advance(10);
    expect(world.machine.runs).toEqual(["7.1.0", "8.1.batch"]);
    expect(jobs.map((job) => job.outcome)).toEqual(["0:0", "0:0"]);
    expect(await world.spool()).toEqual([]);
  });

  it("reports what ended while there was none", async () => {
    await world.start();
    const job = world.controller.want(PTY);
    await world.clock.advance(10);
    world.kill();
    world.machine.finish(PTY.key, [{ code: 4, signal: 0 }]);
    await world.start();
    await world.clock.advance(10);
    expect(job.outcome).toBe("4:0");
    expect(world.machine.holders.flatMap((holder) => [...holder.steps])).toEqual([]);
  });

  it("reports an end again that was not confirmed", async () => {
    await world.start();
    const job = world.controller.want(RUN);
    await world.clock.advance(10);
    world.controller.down = "ECONNREFUSED";
    world.controller.hangUp();
    world.machine.finish(RUN.key);
    await world.clock.advance(10);
    world.kill();
    world.machine.killHolders();
    world.controller.down = "";
    await world.start();
    await world.clock.advance(10);
    expect(job.outcome).toBe("0:0");
    expect(await world.spool()).toEqual([]);
  });

  it("loses steps whose holder is gone, after what is left of them", async () => {
    await world.start();
    const job = world.controller.want(RUN);
    await world.clock.advance(10);
    world.kill();
    world.machine.killHolders();
    await world.start();
    await world.clock.advance(10);
    expect(world.machine.terminations).toEqual(["7.1.0"]);
    expect(job.outcome).toBe("lost: holder lost");
    expect(await world.spool()).toEqual([]);
  });

  it("loses everything to a reboot, and starts what was never started", async () => {
    await world.start();
    const jobs = [RUN, batchLaunch({ key: { jobId: 8, attempt: 1, stepId: "batch" } })].map((launch) =>
      world.controller.want(launch),
    );
    await world.clock.advance(10);
    world.kill();
    world.machine.killHolders();
    world.machine.bootId = "boot-2";
    world.controller.want(runLaunch({ key: { jobId: 9, attempt: 1, stepId: 0 } }));
    await world.start();
    await world.clock.advance(10);
    expect(jobs.map((job) => job.outcome)).toEqual(["lost: node rebooted", "lost: node rebooted"]);
    expect(world.machine.terminations).toEqual([]);
    expect(world.machine.runs).toEqual(["7.1.0", "8.1.batch", "9.1.0"]);
  });

  it("follows a batch script without its holder", async () => {
    await world.start();
    const job = world.controller.want(BATCH);
    await world.clock.advance(30);
    world.kill();
    world.machine.killHolders();
    await world.start();
    await world.clock.advance(5000);
    expect(job.phase).toBe("running");
    expect(world.controller.reports).toEqual(["started 7.1.batch", "started 7.1.batch"]);
    world.machine.batches.set(BATCH_FOLDER, { phase: "ended", exit: { code: 5, signal: 0 } });
    await world.clock.advance(300);
    expect(job.outcome).toBe("5:0");
    expect(world.controller.reports.at(-1)).toBe("cleaned 7.1");
    expect(await world.spool()).toEqual([]);
  });

  it("counts a damaged record as lost", async () => {
    await world.start();
    const job = world.controller.want(RUN);
    await world.clock.advance(10);
    world.kill();
    world.disk.files.set(STEP_LOG, new TextEncoder().encode('{"v":1,"step":"7.1.0","launch":{\n'));
    await world.start();
    await world.clock.advance(10);
    expect(job.outcome).toBe("lost: the node's record of the step is damaged");
    expect(await world.spool()).toEqual([]);
  });

  it("removes the rest of a folder whose removal was cut short", async () => {
    await world.start();
    world.controller.want(RUN);
    await world.clock.advance(10);
    world.machine.finish(RUN.key);
    await world.clock.advance(10);
    world.kill();
    await world.disk.makeFolder("/state/n1/spool/7.1.0");
    world.controller.reports.length = 0;
    await world.start();
    await world.clock.advance(70_000);
    expect(world.controller.reports).toEqual([]);
    expect(await world.spool()).toEqual([]);
  });

  it("removes folders in which nothing was recorded, and strangers", async () => {
    for (const folder of ["7.1.0", "lost+found"]) await world.disk.makeFolder(`/state/n1/spool/${folder}`);
    await world.start();
    expect(await world.spool()).toEqual([]);
  });

  it("does not start a step again that a holder may have started before it died", async () => {
    await world.start();
    world.machine.launchDelayMs = 500;
    const job = world.controller.want(RUN);
    await world.clock.advance(10);
    world.controller.orders = false;
    await world.start();
    world.machine.killHolders();
    await world.clock.advance(1000);
    expect([job.outcome, world.machine.runs]).toEqual(["lost: holder lost", []]);
    await world.controller.node["node.launch"](RUN, {} as never);
    await world.clock.advance(1000);
    expect(world.machine.runs).toEqual([]);
  });

  it("gives up a recorded step that nobody knows or orders again", async () => {
    await world.start();
    world.machine.holderProblem = "";
    const job = world.controller.want(RUN);
    await world.clock.advance(10);
    world.kill();
    for (const holder of world.machine.holders) holder.steps.clear();
    await world.start();
    await world.clock.advance(70_000);
    expect(job.outcome).toBe("lost: the node's daemon was restarted before the step began");
    expect(await world.spool()).toEqual([]);
  });
});

describe("a holder that dies under its daemon", () => {
  it("loses its steps, and a new one takes later launches", async () => {
    await world.start();
    const job = world.controller.want(RUN);
    await world.clock.advance(10);
    world.machine.killHolders();
    await world.clock.advance(200);
    expect(job.outcome).toBe("lost: holder lost");
    expect(world.machine.terminations).toEqual(["7.1.0"]);
    world.controller.want(runLaunch({ key: { jobId: 7, attempt: 2, stepId: 0 } }));
    await world.clock.advance(10);
    expect(world.machine.runs).toEqual(["7.1.0", "7.2.0"]);
  });

  it("is replaced, and the controller hears of the new one", async () => {
    await world.start();
    world.machine.killHolders();
    await world.clock.advance(200);
    expect(world.controller.registrations.map(({ holder }) => holder.pid)).toEqual([100, 101]);
  });

  it("does not keep its daemon from reporting when no new one can be started", async () => {
    await world.start();
    const job = world.controller.want(RUN);
    await world.clock.advance(10);
    world.machine.holderProblem = "out of memory";
    world.machine.killHolders();
    await world.clock.advance(5000);
    // What is left of the step may still run: its job must not be started elsewhere yet.
    expect(job.phase).toBe("running");
    world.machine.holderProblem = "";
    await world.clock.advance(2000);
    expect(job.outcome).toBe("lost: holder lost");
  });

  it.each([
    [1, "", ["7.1.0"]],
    [99, "1:0 the step can't be started: one holder after the other died at once; see the log of mgpu-stepd", []],
  ])("before it could be asked is replaced, %d times at most", async (deaths, outcome, runs) => {
    const { files } = world.disk;
    const { set } = files;
    let left = deaths;
    files.set = (path, data) => {
      set.call(files, path, data);
      const last = new TextDecoder().decode(data).trim().split("\n").at(-1) ?? "";
      const namesHolder = last.includes('"launch"') && !last.includes('"holder":null');
      if (path === STEP_LOG && namesHolder && left-- > 0) world.machine.killHolders();
      return files;
    };
    await world.start();
    const job = world.controller.want(PTY);
    await world.clock.advance(1000);
    expect([job.outcome, world.machine.runs]).toEqual([outcome, runs]);
  });

  it("does not take a job's script along with its steps", async () => {
    await world.start();
    const script = world.controller.want(BATCH);
    const step = world.controller.want(RUN);
    await world.clock.advance(10);
    world.machine.killHolders();
    await world.clock.advance(300);
    expect([script.phase, step.outcome]).toEqual(["running", "lost: holder lost"]);
    expect(world.machine.batches.get(BATCH_FOLDER)).toEqual({ phase: "running" });
  });

  it("leaves batch scripts running", async () => {
    await world.start();
    const job = world.controller.want(BATCH);
    await world.clock.advance(10);
    world.machine.killHolders();
    await world.clock.advance(1000);
    expect([job.phase, world.machine.terminations]).toEqual(["running", []]);
    world.machine.finish(BATCH.key);
    await world.clock.advance(300);
    expect(job.outcome).toBe("0:0");
  });

  it("loses a batch script that is missing twice in a row", async () => {
    await world.start();
    const job = world.controller.want(BATCH);
    await world.clock.advance(10);
    world.machine.batches.clear();
    world.machine.killHolders();
    await world.clock.advance(100);
    expect(job.phase).toBe("running");
    await world.clock.advance(300);
    expect(job.outcome).toBe("lost: the batch script was not started");
  });

  it("leaves a batch script that is cancelled to the next one", async () => {
    await world.start();
    const job = world.controller.want(BATCH);
    await world.clock.advance(10);
    world.machine.killHolders();
    await world.clock.advance(100);
    world.controller.cancel(job);
    await world.clock.advance(100);
    expect(world.controller.reports.slice(-2)).toEqual(["ended 7.1.batch 0:15", "cleaned 7.1"]);
    expect(await world.spool()).toEqual([]);
  });

  it("does not touch other jobs' terminals", async () => {
    await world.start();
    const run = world.controller.want(RUN);
    const pty = world.controller.want({ ...PTY, key: { jobId: 8, attempt: 1, stepId: 0 } });
    await world.clock.advance(10);
    const [shared] = world.machine.holders;
    if (shared) world.machine.killHolder(shared);
    await world.clock.advance(200);
    expect([run.outcome, pty.phase]).toEqual(["lost: holder lost", "running"]);
  });
});

describe("what runs on a node", () => {
  it("is told at each registration, until nothing of it is left", async () => {
    await world.start();
    const job = world.controller.want(BATCH);
    await world.clock.advance(10);
    const starts = async () => {
      world.controller.hangUp();
      await world.clock.advance(1000);
      return world.controller.registrations.at(-1)?.starts;
    };
    expect(await starts()).toEqual([{ jobId: 7, attempt: 1 }]);
    world.controller.cancel(job);
    await world.clock.advance(100);
    expect(await starts()).toEqual([]);
  });

  it("is ended by order even if no record speaks of it, and then clear", async () => {
    world.survivors = ["9.2.batch", "9.2.0", "nonsense"];
    await world.start();
    expect(world.controller.registrations.at(-1)?.starts).toEqual([{ jobId: 9, attempt: 2 }]);
    await world.controller.node["node.terminate"]({ jobId: 9, attempt: 2 }, {} as never);
    await world.clock.advance(100);
    expect(world.machine.terminations).toEqual(["9.2"]);
    expect(world.controller.reports).toEqual(["cleaned 9.2"]);
  });
});
