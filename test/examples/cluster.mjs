// A small cluster of its own, started and ended by a program: a controller with a node, and one node more.
import { connect, nodes, startController, startNode } from "mgpu";

const variables = { MGPU_FAKE_GPUS: "2" };
const controller = await startController({ variables });
const node = await startNode({ name: "more", gpus: 1, cpus: 2, memoryMiB: 1000, variables });
const on = await connect({ start: false });
console.log(
  (await nodes(on))
    .map(({ name, gpus }) => `${name === "more" ? name : "this machine"}: ${gpus.length} GPUs`)
    .sort()
    .join(", "),
);
on.close();
await node.stop();
await controller.stop({ force: true });
