/**
 * The looking and steering commands against the real controller over a real socket, in one process. Its node is
 * played: it registers, says that everything it is given runs, and ends what it is told to end.
 */

import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { command as mgpu } from "../../../src/cli/commands/mgpu.ts";
import { command as scancel } from "../../../src/cli/commands/scancel.ts";
import { command as sinfo } from "../../../src/cli/commands/sinfo.ts";
import { command as squeue } from "../../../src/cli/commands/squeue.ts";
import { connectController } from "../../../src/cli/connect.ts";
import type { Command, CommandContext } from "../../../src/cli/context.ts";
import { runCommand } from "../../../src/cli/run.ts";
import { type Places, placesFrom } from "../../../src/config/places.ts";
import { settingsFrom } from "../../../src/config/settings.ts";
import { type Controller, startController } from "../../../src/controller/main.ts";
import { recover } from "../../../src/controller/store/recover.ts";
import { realClock } from "../../../src/platform/clock.ts";
import { realDigest } from "../../../src/platform/digest.ts";
import { type Disk, realDisk } from "../../../src/platform/disk.ts";
import { silentLog } from "../../../src/platform/log.ts";
import { realNet } from "../../../src/platform/net.ts";
import { realRandom } from "../../../src/platform/random.ts";
import { makePrivateFolder } from "../../../src/platform/runtime-folder.ts";
import { PROTOCOL } from "../../../src/protocol/envelope.ts";
import type { Params } from "../../../src/protocol/procedures.ts";
import { connectPeer } from "../../../src/rpc/connect.ts";
import type { Peer } from "../../../src/rpc/types.ts";
import { gpus as gpusOf, nodeOf, specOf } from "../../golden/cluster.ts";
import { fakeContext } from "./fake-context.ts";

const USER = { uid: 1000, gid: 1000, name: "ada" };
const PID = 4242;

const clock = realClock();
const net = realNet();
const log = silentLog();

let folder: string;
let places: Places;
let controller: Controller;
let node: Peer;
let isEnding: Promise<void>;
/** Whatever is to be stored waits for it. */
let blobGate: Promise<void>;
let isBlobWaiting: boolean;
let onNodeShutdown: () => Promise<void>;
/** Jobs that the node was told to end. */
let terminated: number[];
/** Jobs whose start the controller has on disk. */
let reported: number[];

const NO_MAIL = { problem: () => "", send: () => {} };

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "mgpu-live-"));
  const environment = { MGPU_HOME: `${folder}/home`, XDG_RUNTIME_DIR: folder, MGPU_KILL_WAIT: "0" };
  places = placesFrom(environment, USER.uid);
  makePrivateFolder(places.runtime);
  // Environments and scripts can be made to wait on their way to the disk.
  const real = realDisk();
  const disk: Disk = {
    ...real,
    replace: async (path, data) => {
      if (path.includes("/blobs/")) {
        isBlobWaiting = true;
        await blobGate;
      }
      return real.replace(path, data);
    },
  };
  blobGate = Promise.resolve();
  isBlobWaiting = false;
  terminated = [];
  reported = [];
  onNodeShutdown = async () => {};
  const ports = { clock, net, log, disk, random: realRandom(), digest: realDigest(), mailer: NO_MAIL };
  let end = (): void => {};
  isEnding = new Promise((resolve) => {
    end = resolve;
  });
  const { settings } = settingsFrom(environment);
  const options = { places, settings, pid: PID, user: { uid: 1000, name: "ada" }, version: "0.1.0" };
  controller = await startController({ ...ports, compact: async () => 0, exit: end }, options);
  node = await playNode();
});

afterEach(async () => {
  node.close();
  await controller.stop();
  rmSync(folder, { recursive: true, force: true });
});

const hello = (role: "client" | "node") => ({ role, protocol: PROTOCOL, version: "0.1.0", user: USER });

async function playNode(): Promise<Peer> {
  const started: Params<"node.launch">["key"][] = [];
  const { peer } = await connectPeer({ net, clock, log }, { path: places.controllerSocket }, hello("node"), {
    "node.launch": async ({ key }) => {
      started.push(key);
      clock.after(0, () => {
        const reports = [{ type: "started" as const, key }];
        // Trouble is the controller's; a real node tries again.
        peer.call("node.report", { reports }).then(
          () => reported.push(key.jobId),
          () => {},
        );
      });
      return {};
    },
    "node.terminate": async ({ jobId, attempt }) => {
      terminated.push(jobId);
      const reports = [{ type: "cleaned" as const, jobId, attempt }];
      // A real node keeps them until they are taken.
      clock.after(0, () => void peer.call("node.report", { reports }).catch(() => {}));
      return {};
    },
    "node.signal": async () => ({}),
    "node.shutdown": async () => {
      await onNodeShutdown();
      return {};
    },
  });
  const gpus = [0, 1].map((index) => ({ index, uuid: `GPU-${index}`, model: "A100", type: "a100", memoryMiB: 40_960 }));
  const { inventory } = nodeOf("desk", { cpus: 4, memoryMiB: 8000, gpus });
  const holder = { socket: "/none", pid: 1, uid: 1000, version: "0.1.0", startedAt: 0 };
  await peer.call("node.register", { name: "desk", inventory, pid: PID, startedAt: clock.now(), holder });
  return peer;
}

/** A context that is real where it matters here. */
function contextFor(program: string): { context: CommandContext; out: () => string; err: () => string } {
  const fake = fakeContext({ program });
  const real = { ...fake.context, places, clock, net };
  const startDaemon = (): Promise<never> => Promise.reject(new Error("not in this test"));
  const findDaemon = async (): Promise<null> => null;
  const context = {
    ...real,
    connect: (options: { readonly start?: boolean } = {}) =>
      connectController(
        {
          ...{ ...real, log, startDaemon, findDaemon, secureNet: startDaemon, askAtDoor: startDaemon },
          loadSlurm: () => {
            throw new Error("not in this test");
          },
        },
        { start: options.start ?? true },
      ),
  };
  return { context, out: fake.out, err: fake.err };
}

async function run(command: Command, argv: readonly string[], program = `mgpu-${command.name}`) {
  const { context, out, err } = contextFor(program);
  const code = await runCommand(command, argv, context);
  return { code, out: out(), err: err() };
}

async function submit(name: string, gpus: number, kind: "batch" | "run" = "batch"): Promise<number> {
  const {
    user: _,
    scriptDigest: _s,
    environmentDigest: _e,
    ...job
  } = specOf({ name, kind }, { gpus: gpus > 0 ? gpusOf(gpus, null) : null });
  const { peer } = await connectPeer({ net, clock, log }, { path: places.controllerSocket }, hello("client"));
  const params = { requestId: name, job, script: new TextEncoder().encode("#!/bin/sh\n"), environment: {} };
  const { jobId } = await peer.call("job.submit", params);
  peer.close();
  return jobId;
}

/** Repeats a listing until it shows what is waited for. */
async function until(command: Command, argv: readonly string[], text: string): Promise<void> {
  await expect.poll(async () => (await run(command, argv)).out, { timeout: 5000, interval: 10 }).toBe(text);
}

describe("against the real controller", () => {
  test("jobs are listed, cancelled and forgotten about", async () => {
    for (const [name, gpus] of [
      ["one", 1],
      ["two", 1],
      ["three", 2],
    ] as const)
      await submit(name, gpus);
    await until(squeue, ["-ho", "%i %j %T %N"], "1 one RUNNING desk\n2 two RUNNING desk\n3 three PENDING \n");
    expect((await run(squeue, ["-h", "-o", "%R|%b", "-t", "PD"])).out).toBe("(Resources)|gres/gpu:2\n");
    expect((await run(sinfo, ["-h", "--gpus"])).out).toBe("desk      mixed      2/4       2/2       a100      -\n");
    expect((await run(sinfo, ["-h"])).out).toBe("main*        up   infinite      1    mix desk\n");
    const { jobs } = JSON.parse((await run(squeue, ["--json", "-j", "2"])).out);
    expect(jobs).toMatchObject([{ job_id: 2, job_state: ["RUNNING"], gres_detail: ["gpu:1(IDX:1)"], nodes: "desk" }]);

    expect(await run(scancel, ["1", "2"])).toEqual({ code: 0, out: "", err: "" });
    await until(squeue, ["-ho", "%i %T"], "3 RUNNING\n");
    expect(await run(scancel, ["1", "77"])).toEqual({ code: 0, out: "", err: "" });
    expect(await run(scancel, ["-s", "USR1", "77"], "scancel")).toEqual({
      code: 1,
      out: "",
      err: "scancel: error: Kill job error on job id 77: Invalid job id specified\n",
    });
    expect(await run(scancel, ["3", "--signal", "USR1"])).toEqual({ code: 0, out: "", err: "" });
    expect((await run(squeue, ["-ht", "CA", "-o", "%i %t %r"])).out).toBe("1 CA None\n2 CA None\n");
    expect((await run(squeue, ["-j", "77"], "squeue")).err).toBe("slurm_load_jobs error: Invalid job id specified\n");
  });

  test("mgpu up, status and down", async () => {
    const up = await run(mgpu, ["up"], "mgpu");
    expect(up.out).toMatch(new RegExp(`^mgpu runs already: mgpuctld 0\\.1\\.0, pid ${PID}\\n`));
    expect(up.out).toContain("  node    desk: idle, 2 GPUs (a100), 4 CPUs, 8000 MiB of memory\n");
    const status = await run(mgpu, ["status"], "mgpu");
    expect([status.code, status.err]).toEqual([0, ""]);
    expect(status.out).toMatch(/^DAEMON +NODE +PID +STATE +UPTIME +VERSION\nmgpuctld +- +4242 +up /);

    await submit("busy", 1);
    await until(squeue, ["-ho", "%i %T"], "1 RUNNING\n");
    const refused = await run(mgpu, ["down"], "mgpu");
    expect(refused).toMatchObject({ code: 1, out: "" });
    expect(refused.err).toMatch(/^mgpu down: error: job 1 is still running\nJOBID {2}USER {2}NAME {2}NODELIST\n1 /);

    isEnding = isEnding.then(() => controller.stop());
    expect(await run(mgpu, ["down", "--force"], "mgpu")).toEqual({
      code: 0,
      out: "mgpu has ended; 1 job cancelled: 1\n",
      err: "",
    });
    await isEnding;
    expect((await run(mgpu, ["down"], "mgpu")).out).toBe("mgpu is not running\n");
    expect((await run(mgpu, ["status"], "mgpu")).code).toBe(1);
    expect(await run(squeue, [], "squeue")).toEqual({
      code: 1,
      out: "",
      err: "slurm_load_jobs error: Unable to contact slurm controller (connect failure)\n",
    });
  });

  test("a submission that mgpu down overtakes is refused, and nothing of it is queued", async () => {
    let open = (): void => {};
    blobGate = new Promise((resolve) => {
      open = resolve;
    });
    let release = (): void => {};
    const hasBegun = new Promise<void>((begun) => {
      onNodeShutdown = () => {
        begun();
        return new Promise((resolve) => {
          release = resolve;
        });
      };
    });
    const submitted = submit("late", 1, "run");
    submitted.catch(() => {});
    await expect.poll(() => isBlobWaiting).toBe(true);
    isEnding = isEnding.then(() => controller.stop());
    const down = run(mgpu, ["down"], "mgpu");
    await hasBegun;
    open();
    await expect(submitted).rejects.toMatchObject({ code: "SHUTTING_DOWN", message: "mgpu is being ended" });
    release();
    expect((await down).out).toBe("mgpu has ended\n");
    await isEnding;
    const { state } = await recover(realDisk(), places);
    expect([...state.jobs.values()]).toEqual([]);
  });

  test("a state folder that is gone takes no job, and ends with what runs by force", async () => {
    await submit("busy", 1);
    await expect.poll(() => reported, { interval: 5 }).toEqual([1]);
    rmSync(`${folder}/home`, { recursive: true });
    await expect(submit("more", 1)).rejects.toMatchObject({
      code: "STORAGE",
      message: expect.stringContaining("was removed or replaced"),
    });
    const status = await run(mgpu, ["status"], "mgpu");
    expect([status.code, status.out]).toEqual([1, expect.stringMatching(/\nproblem {2}.* was removed or replaced /)]);
    expect((await run(mgpu, ["down"], "mgpu")).err).toContain("job 1 is still running");
    isEnding = isEnding.then(() => controller.stop());
    expect((await run(mgpu, ["down", "--force"], "mgpu")).code).toBe(0);
    expect(terminated).toEqual([1]);
    expect(existsSync(`${folder}/home`)).toBe(false);
  });
});
