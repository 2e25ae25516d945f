// A small cluster of its own, started and ended by a program: a controller with a node, and one node more.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect, nodes, startController, startNode } from "mgpu";

// In a state folder of its own: the mgpu that may run here is left alone.
const home = mkdtempSync(join(tmpdir(), "mgpu-"));
const variables = { MGPU_FAKE_GPUS: "2" };
const controller = await startController({ home, variables });
const node = await startNode({ home, name: "more", gpus: 1, cpus: 2, memoryMiB: 1000, variables });
const on = await connect({ home, start: false });
console.log(
  (await nodes(on))
    .map(({ name, gpus }) => `${name === "more" ? name : "this machine"}: ${gpus.length} GPUs`)
    .sort()
    .join(", "),
);
on.close();
await node.stop();
await controller.stop({ force: true });
rmSync(home, { recursive: true });
