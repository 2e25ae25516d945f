/**
 * Connecting to Unix sockets in folders that are another user's. connect(2) follows links, so root, given a path there,
 * could be led to any socket of the machine: its owner must be known before the first byte.
 */

import { closeSync, constants, fstatSync, openSync } from "node:fs";
import { createConnection, Socket } from "node:net";
import type { Address } from "./net.ts";

/** Linux: names a file without opening it, which is all that can be done with a socket's. */
const O_PATH = 0o10000000;

/**
 * A connection in the making. With an `owner` only to a socket that is that user's, and through no link at the path's end; all
 * folders above must be root's or that user's. What stands against it comes as its error (ENOENT, ECONNREFUSED, EPERM ...).
 */
export function connectUnix({ path, owner }: Address): Socket {
  if (owner === undefined) return createConnection({ path });
  try {
    return connectOwned(path, owner);
  } catch (error) {
    return new Socket().destroy(error as Error);
  }
}

/** The descriptor holds on to the file that was looked at: what is put in its place meanwhile does not matter. */
function connectOwned(path: string, uid: number): Socket {
  const descriptor = openSync(path, O_PATH | constants.O_NOFOLLOW);
  try {
    const found = fstatSync(descriptor);
    if (!found.isSocket()) throw refusal(`${path} is no socket: nobody connects to what it may lead to`);
    if (found.uid !== uid) throw refusal(`the socket ${path} belongs to uid ${found.uid}, not ${uid}`);
    const socket = createConnection({ path: `/proc/self/fd/${descriptor}` });
    let isOpen = true;
    const close = (): void => {
      if (isOpen) closeSync(descriptor);
      isOpen = false;
    };
    socket.once("connect", close);
    socket.once("close", close);
    return socket;
  } catch (error) {
    closeSync(descriptor);
    throw error;
  }
}

function refusal(message: string): Error {
  return Object.assign(new Error(message), { code: "EPERM" });
}
