/**
 * The holders of root's node daemon for its users: found or started like its own, but with a user's rights and in the
 * user's folders. One ends when nothing ran in it for a while, so that groups which a user got since count for the next one.
 */

import { formatStepKey, type StepKey } from "../core/ids.ts";
import type { Clock } from "../platform/clock.ts";
import { holderSocketFor, userSocketOf, userSpoolOf } from "../protocol/holder-socket.ts";
import type { OtherUsers, Runner, RunnerAccount } from "./holder-factory.ts";
import type { HolderPort } from "./holder-port.ts";

/** A user with all groups that a holder gets. */
export interface HolderUser extends Runner {
  readonly groups: readonly number[];
}

export interface UserHolderPorts {
  readonly clock: Clock;
  /** A user of this machine by name or number; `null` if there is none. Rejects, with `nodeFault`, if nobody can say. */
  findAccount(name: string): Promise<RunnerAccount | null>;
  /** Makes the folders in which a user's holder works. Throws with a sentence. */
  prepare(user: Runner): void;
  /** Removes a folder of the user's, with the user's rights. Never rejects. */
  remove(user: Runner, folder: string): Promise<void>;
}

export interface UserHolderOptions {
  /** That of root's own holder. */
  readonly sharedSocket: string;
  readonly scope: string;
  /** The controller is on another machine: numbers of users and groups may differ there. */
  readonly isFar: boolean;
}

/** Answers of the user database are good for so long: each launch asks. */
const KNOWN_MS = 30_000;

/** Users remembered at most. */
const KNOWN_MAX = 1000;

/** @param open the living holder of a name, at a socket, or a new one */
export function createUserHolders(
  ports: UserHolderPorts,
  options: UserHolderOptions,
  open: (name: string, socket: string, user: HolderUser) => Promise<HolderPort>,
): OtherUsers {
  const { sharedSocket, scope } = options;
  const accountOf = remembering(ports);
  const socketOf = (user: Runner): string => userSocketOf(sharedSocket, user);
  const batchFolder = (user: Runner, key: StepKey): string =>
    `${userSpoolOf(socketOf(user), scope)}/${formatStepKey(key)}`;
  const openFor = async (user: Runner, name: string, socket: string): Promise<HolderPort> => {
    ports.prepare(user);
    const groups = (await accountOf(user.name))?.groups ?? [];
    return open(name, socket, { ...user, groups: [user.gid, ...groups] });
  };
  return {
    async resolve(submitter) {
      const account = await accountOf(submitter.name);
      if (!account) throw new Error(`this machine knows no user ${submitter.name}`);
      if (account.uid === 0) throw new Error("that is root here");
      if (!options.isFar && account.uid !== submitter.uid) {
        throw new Error(
          `${submitter.name} has uid ${account.uid} here, and the job was submitted by uid ${submitter.uid}`,
        );
      }
      // Root chooses any group (--gid); what another machine calls by a number may be another group here.
      const isGood = !options.isFar || account.groups.includes(submitter.gid);
      return { ...account, gid: isGood ? submitter.gid : account.gid };
    },
    shared: (user) => openFor(user, sharedHolderName(user), socketOf(user)),
    forPty: (user, key) => openFor(user, formatStepKey(key), holderSocketFor(socketOf(user), key, true)),
    batchFolder,
    removeBatch: (user, key) => ports.remove(user, batchFolder(user, key)),
  };
}

/** `u1000-100`: how the record of a user's shared holder is called. */
function sharedHolderName({ uid, gid }: Runner): string {
  return `u${uid}-${gid}`;
}

/** Whether that is the name of a user's shared holder. */
export function isUserHolder(name: string): boolean {
  return /^u\d+-\d+$/.test(name);
}

function remembering({ clock, findAccount }: UserHolderPorts): (name: string) => Promise<RunnerAccount | null> {
  const known = new Map<string, { readonly at: number; readonly account: Promise<RunnerAccount | null> }>();
  return (name) => {
    const found = known.get(name);
    if (found && clock.monotonic() - found.at < KNOWN_MS) return found.account;
    const account = findAccount(name);
    known.delete(name);
    known.set(name, { at: clock.monotonic(), account });
    const [oldest] = known.keys();
    if (known.size > KNOWN_MAX && oldest !== undefined) known.delete(oldest);
    // Nobody, or no answer: asked again at once next time, the user may be made meanwhile.
    const forget = (): void => void (known.get(name)?.account === account && known.delete(name));
    account.then((one) => one === null && forget(), forget);
    return account;
  };
}
