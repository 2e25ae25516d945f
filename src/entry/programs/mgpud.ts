/** mgpud: the node daemon of one machine, or of a part of it. */

import { nodePlaces } from "../../config/places.ts";
import { removeEmptyFolder } from "../../platform/runtime-folder.ts";
import { ALLOCATION_OPTION, CONTROLLER_OPTION, NODE_OPTIONS, readDaemonLine } from "../daemon-line.ts";
import { endHolders } from "../end-holders.ts";
import { runNode } from "../node.ts";

const PROGRAM = "mgpud";

void main();

async function main(): Promise<void> {
  const options = [...NODE_OPTIONS, CONTROLLER_OPTION, ALLOCATION_OPTION];
  const line = readDaemonLine(PROGRAM, "The node daemon of an mgpu cluster.", options);
  const agent = await runNode(PROGRAM, line, null);
  const isLent = line.value("allocation") !== undefined;
  const stop = (): void => void (isLent ? agent.leave() : agent.stop());
  process.on("SIGTERM", stop);
  process.on("SIGINT", stop);
  process.on("SIGHUP", () => {});
  await agent.ended;
  // Nobody comes after it who would take them over.
  if (isLent) endHolders(nodePlaces(line.places, line.settings.nodeName).holderFolder);
  removeEmptyFolder(line.places.runtime);
  process.exit(0);
}
