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
import { messageOf } from "./deferred.ts";
import { connectHolder, type HolderClient, type HolderClientPorts, isNobody } from "./holder-client.ts";
import type { HolderFactory } from "./holder-factory.ts";
import type { HolderPort } from "./holder-port.ts";

/** Starts a program of mgpu in a session of its own, its output appended to a log file. */
export type SpawnDaemon = (program: "mgpu-stepd", args: string[], logFile: string) => Promise<{ readonly pid: number }>;

export interface HoldersPorts extends HolderClientPorts {
  readonly disk: Disk;
  readonly net: Pick<Net, "removeStale">;
  readonly spawn: SpawnDaemon;
  /** When a process started, in clock ticks after boot; `null` if there is none of that pid. */
  startTicks(pid: number): number | null;
  /** Asks a process to end (SIGTERM). */
  endProcess?(pid: number): void;
}

export interface HoldersOptions {
  readonly holderFolder: string;
  /** Path of the shared holder's socket, in a folder that exists. */
  readonly sharedSocket: string;
  readonly logFile: string;
  /** Tells this node's processes from those of other node daemons on the machine; the same after a restart. */
  readonly scope: string;
}

interface HolderRecord {
  readonly socket: string;
  readonly pid: number;
  /** Clock ticks after boot; `null` if the process was gone at once. */
  readonly startTicks: number | null;
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

/** Before that, an adopted one may still get the launch that it was started for. */
const REAP_ADOPTED_MS = 120_000;

/** A factory that knows of no holder yet. */
export function createHolders(ports: HoldersPorts, options: HoldersOptions): HolderFactory {
  return new Holders(ports, options);
}

class Holders implements HolderFactory {
  readonly sharedSocket: string;
  private readonly ports: HoldersPorts;
  private readonly options: HoldersOptions;
  /** Living holders by the name of their record. */
  private readonly clients = new Map<string, HolderClient>();
  private readonly opening = new Map<string, Promise<HolderClient>>();

  constructor(ports: HoldersPorts, options: HoldersOptions) {
    this.ports = ports;
    this.options = options;
    this.sharedSocket = options.sharedSocket;
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
      if (name !== SHARED) this.reapLater(client, REAP_ADOPTED_MS);
      return this.keep(name, client);
    }
    if (record && this.isAlive(record)) {
      const { socket, pid } = record;
      this.ports.log.error("a holder lives but does not listen any more; it is asked to end", {
        socket,
        holderPid: pid,
      });
      this.ports.endProcess?.(pid);
    } else if (record) {
      this.ports.net.removeStale({ path: record.socket });
    }
    await this.ports.disk.remove(this.recordPath(name));
    return null;
  }

  private open(name: string, socket: string): Promise<HolderClient> {
    const known = this.clients.get(name);
    if (known) return Promise.resolve(known);
    const under = this.opening.get(name);
    if (under) return under;
    const opening = this.reachOrStart(name, socket).finally(() => this.opening.delete(name));
    this.opening.set(name, opening);
    return opening;
  }

  /** Somebody may listen there although no record says so: a daemon was killed right after starting it. */
  private async reachOrStart(name: string, socket: string): Promise<HolderClient> {
    const found = await this.reach(socket);
    const client = found ?? (await this.start(name, socket));
    const { pid } = client.identity;
    await this.writeRecord(name, { socket, pid, startTicks: this.ports.startTicks(pid) });
    return this.keep(name, client);
  }

  /** A holder whose socket was removed makes it again: a living one is waited for. */
  private async reachLiving(record: HolderRecord): Promise<HolderClient | null> {
    const { clock } = this.ports;
    const end = clock.monotonic() + SOCKET_BACK_MS_MAX;
    for (;;) {
      const client = await this.reach(record.socket);
      if (client || !this.isAlive(record) || clock.monotonic() >= end) return client;
      await sleep(clock, SOCKET_BACK_POLL_MS);
    }
  }

  /** The living holder at a socket; `null` if nobody listens. */
  private async reach(socket: string): Promise<HolderClient | null> {
    try {
      return await connectHolder(this.ports, socket);
    } catch (error) {
      if (isNobody(error)) return null;
      throw new Error(`the holder at ${socket} can't be used: ${messageOf(error)}`);
    }
  }

  private async start(name: string, socket: string): Promise<HolderClient> {
    const { net, log, clock, spawn } = this.ports;
    const { logFile, scope } = this.options;
    net.removeStale({ path: socket });
    const { pid } = await spawn("mgpu-stepd", ["--socket", socket, "--scope", scope, "--log", logFile], logFile);
    const record = { socket, pid, startTicks: this.ports.startTicks(pid) };
    await this.writeRecord(name, record);
    const end = clock.monotonic() + START_MS_MAX;
    for (;;) {
      const client = await this.reach(socket);
      if (client) {
        log.info("started a holder", { socket, holderPid: client.identity.pid });
        return client;
      }
      if (!this.isAlive(record)) throw new Error(`mgpu-stepd ended right after its start; see ${logFile}`);
      if (clock.monotonic() > end) throw new Error(`mgpu-stepd does not answer at ${socket}; see ${logFile}`);
      await sleep(clock, START_POLL_MS);
    }
  }

  private keep(name: string, client: HolderClient): HolderClient {
    this.clients.set(name, client);
    client.onGone(() => {
      this.clients.delete(name);
      // The shared one's are used again by the next one.
      if (name !== SHARED) void this.tidy(name, client.identity.socket);
    });
    if (name !== SHARED) client.onForget(() => this.reapLater(client, 0));
    return client;
  }

  private async tidy(name: string, socket: string): Promise<void> {
    this.ports.net.removeStale({ path: socket });
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
      const { socket, pid, startTicks } = JSON.parse(text) as Partial<HolderRecord>;
      if (typeof socket !== "string" || typeof pid !== "number") return null;
      return { socket, pid, startTicks: typeof startTicks === "number" ? startTicks : null };
    } catch {
      // Not JSON, or nothing with fields.
      return null;
    }
  }
}
