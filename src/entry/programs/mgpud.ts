/** mgpud: the node daemon of one machine, or of a part of it. */

import { CONTROLLER_OPTION, NODE_OPTIONS, readDaemonLine } from "../daemon-line.ts";
import { runNode } from "../node.ts";

const PROGRAM = "mgpud";

void main();

async function main(): Promise<void> {
  const options = [...NODE_OPTIONS, CONTROLLER_OPTION];
  const agent = await runNode(PROGRAM, readDaemonLine(PROGRAM, "The node daemon of an mgpu cluster.", options));
  const stop = (): void => agent.stop();
  process.on("SIGTERM", stop);
  process.on("SIGINT", stop);
  process.on("SIGHUP", () => {});
  await agent.ended;
  process.exit(0);
}
