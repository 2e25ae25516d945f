/**
 * The real holders of a node daemon: found again after a restart by the records in its holder folder, or started.
 *
 *   <holderFolder>/shared.json               the shared one
 *   <holderFolder>/<JOB.ATTEMPT.STEP>.json   that of a step with a terminal
 *
 * each `{socket, pid, startTicks}`. A record is written as soon as its holder is started; what it says counts only
 * as long as that very process lives.
 */

import { formatStepKey, type StepKey } from "../core/ids.ts";
import { sleep } from "../platform/clock.ts";
import type { Disk } from "../platform/disk.ts";
import type { Net } from "../platform/net.ts";
import { messageOf, within } from "./deferred.ts";
import { connectHolder, type HolderClient, type HolderClientPorts, isNobody } from "./holder-client.ts";
import type { HolderFactory, OtherUsers, Runner } from "./holder-factory.ts";
import type { HolderPort } from "./holder-port.ts";
import { createUserHolders, type HolderUser, isUserHolder, type UserHolderPorts } from "./user-holders.ts";

/** Starts a program of mgpu in a session of its own, its output appended to a log file. */
export type SpawnDaemon = (program: "mgpu-stepd", args: string[], logFile: string) => Promise<{ readonly pid: number }>;

/** Of a root's daemon: the same for a holder that becomes a user. */
export interface UserPorts extends UserHolderPorts {
  spawn(user: Runner, args: string[], logFile: string): Promise<{ readonly pid: number }>;
}

export interface HoldersPorts extends HolderClientPorts {
  readonly disk: Disk;
  readonly net: Pick<Net, "removeStale">;
  readonly spawn: SpawnDaemon;
  /** When a process started, in clock ticks after boot; `null` if there is none of that pid. */
  startTicks(pid: number): number | null;
  /** Where the daemon is root's. */
  readonly users?: UserPorts;
}

export interface HoldersOptions {
  readonly holderFolder: string;
  /** Path of the shared holder's socket, in a folder that exists. */
  readonly sharedSocket: string;
  readonly logFile: string;
  /** Tells this node's processes from those of other node daemons on the machine; the same after a restart. */
  readonly scope: string;
  /** The controller is on another machine. */
  readonly isFar?: boolean;
}

interface HolderRecord {
  readonly socket: string;
  readonly pid: number;
  /** Clock ticks after boot; `null` if the process was gone at once. */
  readonly startTicks: number | null;
  /** As whom it runs; absent for the daemon's own user. */
  readonly uid?: number;
}

const SHARED = "shared";

/** A holder that has not answered by then hangs. */
const START_MS_MAX = 10_000;
const START_POLL_MS = 10;

/** A holder looks after its socket each 2 s (platform/listener.ts). */
const SOCKET_BACK_MS_MAX = 5000;
const SOCKET_BACK_POLL_MS = 100;

/** How often a terminal's holder is asked to end once its step is over: it stays while its output is waited for. */
const REAP_MS = 5000;

/** A user's holder in which nothing was started for so long is asked to end, if nothing runs in it; how often it is looked at. */
const RETIRE_MS = 60_000;
const RETIRE_LOOK_MS = 20_000;

/** A holder that said that it ends is gone by then. */
const LEAVE_MS_MAX = 30_000;

/** Before that, an adopted one may still get the launch that it was started for. */
const REAP_ADOPTED_MS = 120_000;

/** A factory that knows of no holder yet. */
export function createHolders(ports: HoldersPorts, options: HoldersOptions): HolderFactory {
  return new Holders(ports, options);
}

class Holders implements HolderFactory {
  readonly sharedSocket: string;
  readonly others?: OtherUsers;
  private readonly ports: HoldersPorts;
  private readonly options: HoldersOptions;
  /** Living holders by the name of their record. */
  private readonly clients = new Map<string, HolderClient>();
  private readonly opening = new Map<string, Promise<HolderClient>>();
  /** Users' holders that were asked to end; each resolves when it is gone, or stays. */
  private readonly ending = new Map<string, Promise<void>>();
  /** What was in the place of a user's socket, as said last. */
  private refused = "";
  /** When each was last asked for, on the monotonic clock. */
  private readonly usedAt = new Map<string, number>();

  constructor(ports: HoldersPorts, options: HoldersOptions) {
    this.ports = ports;
    this.options = options;
    this.sharedSocket = options.sharedSocket;
    if (!ports.users) return;
    const open = (name: string, socket: string, user: HolderUser) => this.open(name, socket, user);
    this.others = createUserHolders(ports.users, { isFar: false, ...options }, open);
  }

  shared(): Promise<HolderPort> {
    return this.open(SHARED, this.sharedSocket);
  }

  forPty(key: StepKey, socket: string): Promise<HolderPort> {
    return this.open(formatStepKey(key), socket);
  }

  async adopt(): Promise<readonly HolderPort[]> {
    const { disk, log } = this.ports;
    await disk.makeFolder(this.options.holderFolder);
    const adopted: HolderPort[] = [];
    for (const file of await disk.list(this.options.holderFolder)) {
      if (!file.endsWith(".json")) continue;
      const name = file.slice(0, -".json".length);
      try {
        const client = await this.adoptOne(name);
        if (client) adopted.push(client);
      } catch (error) {
        // Its record stays: it may answer a later daemon, or one of its own version.
        log.error("a holder can't be taken over", { name, error: messageOf(error) });
      }
    }
    return adopted;
  }

  async shutdownIdle(): Promise<void> {
    await Promise.all([...this.clients.values()].map((client) => client.shutdown(true).catch(() => false)));
  }

  private async adoptOne(name: string): Promise<HolderClient | null> {
    const record = await this.readRecord(name);
    const client = record && (await this.reachLiving(record));
    if (client) {
      if (name !== SHARED && !isUserHolder(name)) this.reapLater(client, REAP_ADOPTED_MS);
      return this.keep(name, client);
    }
    if (record && this.isAlive(record)) {
      const { socket, pid } = record;
      this.ports.log.error("a holder lives but does not listen any more; it is asked to end", {
        socket,
        holderPid: pid,
      });
      this.ports.endProcess?.(pid, "SIGTERM", record.uid);
    } else if (record && record.uid === undefined) {
      this.ports.net.removeStale({ path: record.socket });
    }
    await this.ports.disk.remove(this.recordPath(name));
    return null;
  }

  private open(name: string, socket: string, user: HolderUser | null = null): Promise<HolderClient> {
    this.usedAt.set(name, this.ports.clock.monotonic());
    const known = this.clients.get(name);
    if (known) return Promise.resolve(known);
    const under = this.opening.get(name);
    if (under) return under;
    const opening = this.reachOrStart(name, socket, user).finally(() => this.opening.delete(name));
    this.opening.set(name, opening);
    return opening;
  }

  /** Somebody may listen there although no record says so: a daemon was killed right after starting it. */
  private async reachOrStart(name: string, socket: string, user: HolderUser | null): Promise<HolderClient> {
    await this.ending.get(name);
    const stays = this.clients.get(name);
    if (stays) return stays;
    const found = await this.reach(socket, user?.uid);
    const client = found ?? (await this.start(name, socket, user));
    const { pid } = client.identity;
    // Of one that was started the record is there, with the pid that the kernel gave: a user's holder may say any.
    if (found || !user) {
      await this.writeRecord(name, { socket, pid, startTicks: this.ports.startTicks(pid), ...ownerOf(user?.uid) });
    }
    return this.keep(name, client);
  }

  /** A holder whose socket was removed makes it again: a living one is waited for. */
  private async reachLiving(record: HolderRecord): Promise<HolderClient | null> {
    const { clock } = this.ports;
    const end = clock.monotonic() + SOCKET_BACK_MS_MAX;
    for (;;) {
      const client = await this.reach(record.socket, record.uid);
      if (client) client.processId = record.pid;
      if (client || !this.isAlive(record) || clock.monotonic() >= end) return client;
      await sleep(clock, SOCKET_BACK_POLL_MS);
    }
  }

  /** The living holder at a socket; `null` if nobody listens. */
  private async reach(socket: string, owner?: number): Promise<HolderClient | null> {
    try {
      return await connectHolder(this.ports, socket, owner);
    } catch (error) {
      if (isNobody(error)) return null;
      if (isNobody(error, owner)) {
        this.noteRefused(messageOf(error));
        return null;
      }
      throw new Error(`the holder at ${socket} can't be used: ${messageOf(error)}`);
    }
  }

  /** Once: it is tried again while the next holder starts. */
  private noteRefused(problem: string): void {
    if (problem !== this.refused) this.ports.log.warn("a holder's socket is not its user's", { problem });
    this.refused = problem;
  }

  private async start(name: string, socket: string, user: HolderUser | null): Promise<HolderClient> {
    const { log, clock } = this.ports;
    const logFile = user ? userLogOf(socket, this.options) : this.options.logFile;
    const { pid } = await (user ? this.spawnAs(user, socket, logFile) : this.spawnOwn(socket, logFile));
    const record = { socket, pid, startTicks: this.ports.startTicks(pid), ...ownerOf(user?.uid) };
    await this.writeRecord(name, record);
    const end = clock.monotonic() + START_MS_MAX;
    for (;;) {
      const client = await this.reach(socket, user?.uid);
      if (client) {
        client.processId = pid;
        log.info("started a holder", { socket, holderPid: client.identity.pid });
        return client;
      }
      if (!this.isAlive(record)) throw new Error(`mgpu-stepd ended right after its start; see ${logFile}`);
      if (clock.monotonic() > end) throw new Error(`mgpu-stepd does not answer at ${socket}; see ${logFile}`);
      await sleep(clock, START_POLL_MS);
    }
  }

  private spawnOwn(socket: string, logFile: string): Promise<{ readonly pid: number }> {
    this.ports.net.removeStale({ path: socket });
    const args = ["--socket", socket, "--scope", this.options.scope, "--log", logFile];
    return this.ports.spawn("mgpu-stepd", args, logFile);
  }

  /** It logs to where it is started, and removes a stale socket itself: root touches nothing in a user's folder. */
  private spawnAs(user: HolderUser, socket: string, logFile: string): Promise<{ readonly pid: number }> {
    const { users } = this.ports;
    if (!users) throw new Error("only root's node daemon has holders of others");
    const identity = ["--become", `${user.uid}:${user.gid}:${user.groups.join()}`];
    return users.spawn(user, ["--socket", socket, "--scope", this.options.scope, ...identity], logFile);
  }

  private keep(name: string, client: HolderClient): HolderClient {
    this.clients.set(name, client);
    client.onGone(() => {
      if (this.clients.get(name) === client) this.clients.delete(name);
      // The shared one's are used again by the next one.
      if (name !== SHARED && !isUserHolder(name)) void this.tidy(name, client);
    });
    if (isUserHolder(name)) this.retireLater(name, client);
    else if (name !== SHARED) client.onForget(() => this.reapLater(client, 0));
    return client;
  }

  /** A user's holder ends some time after the last step. From the question on, nobody else is given it. */
  private retireLater(name: string, client: HolderClient): void {
    this.ports.clock.after(RETIRE_LOOK_MS, () => {
      if (this.clients.get(name) !== client) return;
      const idleMs = this.ports.clock.monotonic() - (this.usedAt.get(name) ?? 0);
      if (idleMs < RETIRE_MS) return this.retireLater(name, client);
      this.clients.delete(name);
      const asked = this.retire(name, client).finally(() => this.ending.delete(name));
      this.ending.set(name, asked);
    });
  }

  private async retire(name: string, client: HolderClient): Promise<void> {
    const isEnding = await client.shutdown().catch(() => false);
    if (isEnding) {
      await within(this.ports.clock, new Promise<void>((resolve) => client.onGone(resolve)), LEAVE_MS_MAX);
      // The user's next step must not wait for it.
      if (client.isLiving) client.kill();
    } else if (client.isLiving) {
      this.clients.set(name, client);
      this.retireLater(name, client);
    }
  }

  private async tidy(name: string, { identity, owner }: HolderClient): Promise<void> {
    if (owner === undefined) this.ports.net.removeStale({ path: identity.socket });
    try {
      await this.ports.disk.remove(this.recordPath(name));
    } catch (error) {
      this.ports.log.warn("a holder's record can't be removed", { name, error: messageOf(error) });
    }
  }

  /** A terminal's holder has nothing more to do once its step is forgotten and its output taken. */
  private reapLater(client: HolderClient, ms: number): void {
    this.ports.clock.after(ms, () => {
      client.shutdown().then(
        (isEnding) => !isEnding && this.reapLater(client, REAP_MS),
        () => {},
      );
    });
  }

  private isAlive({ pid, startTicks }: HolderRecord): boolean {
    return startTicks !== null && this.ports.startTicks(pid) === startTicks;
  }

  private recordPath(name: string): string {
    return `${this.options.holderFolder}/${name}.json`;
  }

  private async writeRecord(name: string, record: HolderRecord): Promise<void> {
    await this.ports.disk.replace(this.recordPath(name), new TextEncoder().encode(`${JSON.stringify(record)}\n`));
  }

  private async readRecord(name: string): Promise<HolderRecord | null> {
    const text = new TextDecoder().decode(await this.ports.disk.read(this.recordPath(name)));
    try {
      const { socket, pid, startTicks, uid } = JSON.parse(text) as Partial<HolderRecord>;
      if (typeof socket !== "string" || typeof pid !== "number") return null;
      return { socket, pid, startTicks: typeof startTicks === "number" ? startTicks : null, ...ownerOf(uid) };
    } catch {
      // Not JSON, or nothing with fields.
      return null;
    }
  }
}

function ownerOf(uid: number | undefined): Pick<HolderRecord, "uid"> {
  return uid === undefined ? {} : { uid };
}

/** In root's folder for the user's logs, see platform/user-folders.ts: `/run/mgpu/1000/log/mgpu-stepd-gpu0.log`. */
function userLogOf(socket: string, { logFile }: HoldersOptions): string {
  const own = socket.slice(0, socket.lastIndexOf("/"));
  return `${own.slice(0, own.lastIndexOf("/"))}/log${logFile.slice(logFile.lastIndexOf("/"))}`;
}
