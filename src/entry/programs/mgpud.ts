/** mgpud: the node daemon of one machine, or of a part of it. */

import { removeEmptyFolder } from "../../platform/runtime-folder.ts";
import { CONTROLLER_OPTION, NODE_OPTIONS, readDaemonLine } from "../daemon-line.ts";
import { runNode } from "../node.ts";

const PROGRAM = "mgpud";

void main();

async function main(): Promise<void> {
  const options = [...NODE_OPTIONS, CONTROLLER_OPTION];
  const line = readDaemonLine(PROGRAM, "The node daemon of an mgpu cluster.", options);
  const agent = await runNode(PROGRAM, line);
  const stop = (): void => agent.stop();
  process.on("SIGTERM", stop);
  process.on("SIGINT", stop);
  process.on("SIGHUP", () => {});
  await agent.ended;
  removeEmptyFolder(line.places.runtime);
  process.exit(0);
}
