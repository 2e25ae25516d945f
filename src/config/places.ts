/**
 * Where things lie, from the environment alone, so that daemons and clients agree without talking.
 *
 * State: `$MGPU_HOME`, else `$XDG_STATE_HOME/mgpu`, else `~/.local/state/mgpu`.
 * Sockets: below `$XDG_RUNTIME_DIR`, else `/tmp`, in a folder named after the uid and, for a state folder of one's
 * own choice, a short hash of its path: a Unix socket's path may have 107 bytes only.
 * Root's, with the state folder that root has by default, are the machine's: /run/mgpu, where its users look.
 * A controller writes the address it really listens on to `endpoint.json` in the state folder; clients read that
 * first, because their own XDG_RUNTIME_DIR may differ from the daemon's.
 */

import { utf8Length } from "../util/bytes.ts";
import { shortHash } from "../util/hash.ts";

export type Environment = Readonly<Record<string, string | undefined>>;

export interface Places {
  /** The state folder. */
  readonly home: string;
  /** Folder of the sockets; must belong to the user alone. */
  readonly runtime: string;
  readonly controllerSocket: string;
  readonly endpointFile: string;
  /** The settings that the controller was started with, unless it was ended by `mgpu down`. */
  readonly settingsFile: string;
  readonly journalFolder: string;
  readonly snapshotFile: string;
  readonly blobFolder: string;
  readonly accountingFolder: string;
  readonly logFolder: string;
}

/** What `endpoint.json` says of a running controller. */
export interface Endpoint {
  readonly socket: string;
  readonly pid: number;
  readonly version: string;
}

/** Where one node daemon keeps its things. */
export interface NodePlaces {
  readonly folder: string;
  /** One folder a step, named by its key. */
  readonly spoolFolder: string;
  /** One JSON file a holder: `{socket, pid, startTicks}`. */
  readonly holderFolder: string;
}

/** Root's own state folder, and where the daemons that work with it have their sockets. */
const MACHINE_HOME = "/root/.local/state/mgpu";
export const MACHINE_RUNTIME = "/run/mgpu";

/** Longest path of a Unix socket: 108 bytes with the closing zero. */
export const SOCKET_PATH_BYTES_MAX = 107;

/** `/h-` with 8 digits and `.sock`, `/controller.sock`; longer names of a holder are hashed to 21 bytes. */
const SOCKET_NAME_BYTES_MAX = 24;

/**
 * Places for this user. Paths in the environment are absolute: the XDG ones count only then, and MGPU_HOME is made so
 * by whoever reads the environment first.
 * @param canHold whether a folder can be made in a folder, which may be missing itself: XDG_RUNTIME_DIR is often
 *   inherited from somebody else (su), or gone (after a logout)
 */
export function placesFrom(env: Environment, uid: number, canHold: (folder: string) => boolean = () => true): Places {
  const home = stateFolder(env);
  const isMachines = uid === 0 && home === MACHINE_HOME && canHold("/run");
  const runtime = isMachines ? MACHINE_RUNTIME : runtimeFolder(env, uid, shortHash(home), canHold);
  return {
    home,
    runtime,
    controllerSocket: `${runtime}/controller.sock`,
    endpointFile: `${home}/endpoint.json`,
    settingsFile: `${home}/controller/settings.json`,
    journalFolder: `${home}/controller/journal`,
    snapshotFile: `${home}/controller/snapshot.json`,
    blobFolder: `${home}/controller/blobs`,
    accountingFolder: `${home}/controller/accounting`,
    logFolder: `${home}/log`,
  };
}

/** Places of one node daemon. */
export function nodePlaces(places: Places, node: string): NodePlaces {
  const folder = `${places.home}/nodes/${node}`;
  return { folder, spoolFolder: `${folder}/spool`, holderFolder: `${folder}/holders` };
}

/** A folder whose path leaves no room for a socket's name, or that can't be made, is no use. */
function runtimeFolder(env: Environment, uid: number, name: string, canHold: (folder: string) => boolean): string {
  const given = env.XDG_RUNTIME_DIR;
  const folder = `${given}/mgpu-${name}`;
  const fits = utf8Length(folder) <= SOCKET_PATH_BYTES_MAX - SOCKET_NAME_BYTES_MAX;
  return given?.startsWith("/") && fits && canHold(given) ? folder : `/tmp/mgpu-${uid}-${name}`;
}

function stateFolder(env: Environment): string {
  if (env.MGPU_HOME) return env.MGPU_HOME.replace(/(?!^)\/+$/, "");
  if (env.XDG_STATE_HOME?.startsWith("/")) return `${env.XDG_STATE_HOME}/mgpu`;
  return `${env.HOME ?? "/root"}/.local/state/mgpu`;
}
