/** The same over the machine's own sockets. */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { realNet } from "../../../src/platform/net.ts";
import type { AnyHandlers } from "../../../src/rpc/types.ts";
import { errorOf, type Rig, startRigOver } from "./rig.ts";

const KEY = { key: { jobId: 1, attempt: 1, stepId: 0 }, token: "t" };

describe("over Unix sockets", () => {
  let folder = "";
  const rigs: Rig<ReturnType<typeof realNet>>[] = [];

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "mgpu-rpc-"));
  });

  afterEach(() => {
    for (const rig of rigs.splice(0)) {
      rig.peer.close();
      rig.server.close();
    }
    rmSync(folder, { recursive: true });
  });

  async function start(handlers: AnyHandlers) {
    const rig = await startRigOver(realNet(), { path: join(folder, "s") }, handlers);
    rigs.push(rig);
    return rig;
  }

  it("answers pipelined calls, each its own", async () => {
    const { peer } = await start({
      "node.terminate": async ({ jobId }) => {
        if (jobId % 2 === 0) await null;
        return {};
      },
      "controller.shutdown": () => ({ cancelled: [1] }),
    });
    const calls = Array.from({ length: 500 }, (_, i) => peer.call("node.terminate", { jobId: i + 1, attempt: 1 }));
    expect(await Promise.all(calls)).toHaveLength(500);
    await expect(peer.call("controller.shutdown", { force: true })).resolves.toEqual({ cancelled: [1] });
  });

  it("streams 80 MiB through a window of 256 KiB, every byte in place", async () => {
    const chunk = new Uint8Array(50_000);
    for (let i = 0; i < chunk.length; i++) chunk[i] = i % 251;
    const chunks = 1700;
    const { peer } = await start({
      "step.attach": async (_, sink) => {
        for (let i = 0; i < chunks; i++) {
          await sink.send({ type: "data", task: 0, stream: "out", offset: i * chunk.length, data: chunk });
        }
        return { exits: [], problem: "" };
      },
    });
    let next = 0;
    let wrong = 0;
    await peer.stream("step.attach", KEY, (item) => {
      if (item.type !== "data") return;
      if (item.offset !== next || Buffer.compare(item.data, chunk) !== 0) wrong++;
      next += item.data.length;
    });
    expect({ next, wrong }).toEqual({ next: chunks * chunk.length, wrong: 0 });
  });

  it("carries a large script in one call", async () => {
    const sizes: number[] = [];
    const { peer } = await start({
      "step.input": ({ data }) => {
        sizes.push(data.length);
        return {};
      },
    });
    const script = new Uint8Array(12 * 1024 * 1024).fill(35);
    await peer.call("step.input", { ...KEY, task: null, offset: 0, data: script, eof: true });
    expect(sizes).toEqual([script.length]);
  });

  it("loses contact when the server goes", async () => {
    const { peer, server } = await start({ "controller.shutdown": () => new Promise(() => {}) });
    const call = errorOf(peer.call("controller.shutdown", { force: true }));
    await new Promise((resolve) => setImmediate(resolve));
    server.close();
    expect((await call).code).toBe("LOST_CONTACT");
    await peer.closed;
  });
});
