/**
 * Root's mgpu of this machine, for its other users: each has a socket that nobody else can open, beside the one that is
 * root's own. Who has none yet is given it at the door (platform/user-door.ts).
 */

import { MACHINE_RUNTIME } from "../config/places.ts";
import type { Connected } from "../rpc/types.ts";
import { errnoText } from "../util/errno.ts";
import { UserError } from "./context.ts";
import { type ConnectPorts, dialAny, NoController, noController } from "./dial.ts";

/** Where root's mgpu that serves a whole machine listens. */
export const MACHINE_SOCKET = `${MACHINE_RUNTIME}/controller.sock`;

/**
 * Connects a user to root's controller.
 * @param socket root's own
 * @returns `null` if there is no door beside it: whoever listens there serves nobody else
 * @throws UserError where somebody else than root could have put the door there; NoController with what is said at the door
 */
export async function dialAsUser(ports: ConnectPorts, socket: string): Promise<Connected | null> {
  const runtime = socket.slice(0, socket.lastIndexOf("/"));
  const { uid } = ports.user;
  const own = `${runtime}/${uid}/controller.sock`;
  if (ports.files.trustProblem(runtime, 0) !== "") return null;
  const found = await dialAny(ports, [own]);
  if ("peer" in found) return found;
  try {
    const path = await ports.askAtDoor(socket, uid);
    const again = await dialAny(ports, [path]);
    if ("peer" in again) return again;
    throw noController(again, "sudo mgpu status says how it is");
  } catch (error) {
    if (error instanceof UserError) throw error;
    const { code } = error as { readonly code?: string };
    if (code === "ENOENT" || code === "ENOTDIR" || code === "EACCES") return null;
    const why = code === undefined ? (error as Error).message : errnoText(error);
    const isNobody = code === "ECONNREFUSED";
    throw new NoController(`can't reach root's mgpu at ${runtime}: ${why}`, "sudo mgpu up starts it", isNobody);
  }
}

/** Whether a user's commands are for root's mgpu of this machine rather than for one of the user's own. */
export async function isMachineMeant(ports: ConnectPorts): Promise<boolean> {
  const { user, environment, files, findDaemon } = ports;
  if (user.uid === 0 || environment.MGPU_HOME || files.trustProblem(MACHINE_RUNTIME, 0) !== "") return false;
  // While root's are started again, a user who had a socket must not get daemons of his own instead.
  const isServed = [`${MACHINE_RUNTIME}/door.sock`, `${MACHINE_RUNTIME}/${user.uid}`].some((path) =>
    files.exists(path),
  );
  if (!isServed) return false;
  // One that was started before root's may have jobs.
  return (await findDaemon()) === null;
}
