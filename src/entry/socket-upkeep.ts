/** What keeps the socket of a daemon of this machine in its place: platform/listener.ts. */

import { dirname } from "node:path";
import type { Upkeep } from "../platform/listener.ts";
import type { Log } from "../platform/log.ts";
import { makePrivateFolder } from "../platform/runtime-folder.ts";

/** @param onTaken another program listens at the path: nobody will find this one again */
export function socketUpkeep(socket: string, log: Log, onTaken: () => void): Upkeep {
  return { log, onTaken, makeFolder: () => makePrivateFolder(dirname(socket)) };
}
