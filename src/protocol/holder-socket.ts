/**
 * Where the holder of a step listens. A step with a terminal has a holder of its own; the others share one. Clients,
 * the controller and node daemons all derive the path by this rule, so nobody has to announce it.
 */

import { formatStepKey, type StepKey } from "../core/ids.ts";
import { shortHash } from "../util/hash.ts";

/** Longest path of a Unix socket in bytes; the same number as in `config/places.ts`. */
const PATH_BYTES_MAX = 107;

/**
 * Path of the socket that a step can be attached at. It exists once the step's holder has started.
 * @param sharedSocket path of the node's shared holder, as `node.register` announces it
 * @param isPty whether the step has a terminal
 */
export function holderSocketFor(sharedSocket: string, key: StepKey, isPty: boolean): string {
  if (!isPty) return sharedSocket;
  const stem = sharedSocket.replace(/\.sock$/, "");
  const path = `${stem}-${formatStepKey(key)}.sock`;
  if (byteLength(path) <= PATH_BYTES_MAX) return path;
  // Two hashes: paths of different steps must not meet.
  const folder = sharedSocket.slice(0, sharedSocket.lastIndexOf("/") + 1);
  return `${folder}${shortHash(path)}${shortHash(`${path}!`)}.sock`;
}

/**
 * Where the shared holder of a user listens on a node whose daemon is root's: in a folder of the user's own. Each first group
 * has one, because only root may change that.
 * @param sharedSocket that of root's own holder
 */
export function userSocketOf(
  sharedSocket: string,
  { uid, gid }: { readonly uid: number; readonly gid: number },
): string {
  const at = sharedSocket.lastIndexOf("/");
  return `${sharedSocket.slice(0, at)}/${uid}/own${sharedSocket.slice(at).replace(/\.sock$/, "")}-${gid}.sock`;
}

/** Where a user's holder keeps a folder for each batch script, beside its socket. */
export function userSpoolOf(socket: string, scope: string): string {
  return `${socket.slice(0, socket.lastIndexOf("/"))}/spool-${shortHash(scope)}`;
}

/**
 * Where the same holder listens for clients who are let in from elsewhere: they may see to steps whose token they have,
 * and to nothing else.
 * @param socket of {@link holderSocketFor}
 */
export function guestSocketOf(socket: string): string {
  return socket.replace(/\.sock$/, ".step");
}

function byteLength(text: string): number {
  return new TextEncoder().encode(text).length;
}
