/** mgpuctld: the controller; with --with-node the node daemon of this machine in the same process. */

import { runController } from "../controller.ts";
import { NODE_OPTIONS, readDaemonLine } from "../daemon-line.ts";
import { runNode } from "../node.ts";

const PROGRAM = "mgpuctld";

const line = readDaemonLine(PROGRAM, "The controller of an mgpu cluster.", [
  { long: "with-node", argument: "none", help: "run this machine's node daemon in the same process" },
  ...NODE_OPTIONS,
]);

void main();

async function main(): Promise<void> {
  let isEnding = false;
  const end = async (): Promise<void> => {
    if (isEnding) return;
    isEnding = true;
    agent?.stop();
    await controller.stop();
    process.exit(0);
  };
  const controller = await runController(PROGRAM, line, () => void end());
  const agent = line.has("with-node") ? await runNode(PROGRAM, line) : null;
  process.on("SIGTERM", () => void end());
  process.on("SIGINT", () => void end());
  process.on("SIGHUP", () => {});
}
