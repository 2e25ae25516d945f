/** mgpuctld: the controller; with --with-node the node daemon of this machine in the same process. */

import { rememberedOf } from "../../config/remembered.ts";
import type { Controller } from "../../controller/main.ts";
import type { Agent } from "../../node/agent.ts";
import { removeEmptyFolder } from "../../platform/runtime-folder.ts";
import { runController } from "../controller.ts";
import { NODE_OPTIONS, readDaemonLine } from "../daemon-line.ts";
import { runNode } from "../node.ts";

const PROGRAM = "mgpuctld";

const line = readDaemonLine(PROGRAM, "The controller of an mgpu cluster.", [
  { long: "with-node", argument: "none", help: "run this machine's node daemon in the same process" },
  {
    long: "listen",
    argument: "required",
    metavar: "host:port",
    help: "listen for other machines there; nothing else than TLS with a key is answered",
  },
  ...NODE_OPTIONS,
]);

let controller: Controller | null = null;
let agent: Agent | null = null;
let isEnding = false;

void main();

async function main(): Promise<void> {
  process.on("SIGTERM", () => void end());
  process.on("SIGINT", () => void end());
  process.on("SIGHUP", () => void controller?.reconfigure());
  controller = await runController(PROGRAM, line, () => void end());
  if (isEnding) return stop();
  if (line.has("with-node")) agent = await runNode(PROGRAM, line, controller);
  if (isEnding) return agent?.stop();
  // Settings with which it could not even start are not worth remembering.
  await controller.rememberSettings(rememberedOf(line.givenSettings, agent !== null));
}

/** Ends in order, however far the start has come. */
async function end(): Promise<void> {
  if (isEnding) return;
  isEnding = true;
  agent?.stop();
  if (controller) await stop();
}

async function stop(): Promise<void> {
  await controller?.stop();
  removeEmptyFolder(line.places.runtime);
  process.exit(0);
}
