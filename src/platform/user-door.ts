/**
 * How users of this machine get to root's controller. The kernel alone says who somebody is: each user has a socket that
 * nobody else can open. A user who has none yet asks for it at the door, which everybody can open:
 *
 *   <runtime>/door.sock             "1000\n" is answered with the path of that user's socket and a line feed
 *   <runtime>/1000/controller.sock  the user's, mode 0600, in a folder of root's
 *
 * Who names somebody else's number gets a path that it can't open: so the door believes everything.
 */

import { readdirSync, rmSync } from "node:fs";
import type { Socket } from "node:net";
import { DOOR, USER_SOCKET } from "./door-question.ts";
import { listenOn, type Upkeep } from "./listener.ts";
import type { Log } from "./log.ts";
import { attach, type Connection, type ConnectionEvents, wrap } from "./net.ts";
import { makePrivateFolder } from "./runtime-folder.ts";
import { closedFolder, makeUserFolder } from "./user-folders.ts";
import type { Account } from "./users.ts";

export interface UserDoorPorts {
  readonly log: Log;
  /** A user of this machine by name or number; `null` if there is none. Rejects if nobody can say. */
  findAccount(name: string): Promise<Account | null>;
}

/** Takes a connection of somebody who is that user for sure. */
export type AcceptUser = (connection: Connection, user: Account) => ConnectionEvents;

/** A question is a number: who takes longer, or says more, has none. */
const QUESTION_MS = 5000;
const QUESTION_CHARS_MAX = 12;

/** Questions at a time; each may ask the user database. */
const QUESTIONS_MAX = 64;

/** Connections of one user at a time. */
const CONNECTIONS_MAX = 256;

/** Connections at the door at a time, from whomever: more than questions, so that who waits is told to. */
const KNOCKING_MAX = 128;

/** Sockets in all: a directory service may know very many users. */
const USERS_MAX = 10_000;

/** Users at a time who are served again after a restart: a directory service that is slow must not stop the start. */
const RESTORED_MAX = 4;

/** Under this number connections at the door are counted: root needs no door. */
const DOOR_UID = 0;

/** Groups change seldom; who has a new one waits no longer for it than that. */
const ACCOUNT_MS = 30_000;

/** Root's side: listens at the door, and for each user who came. */
export class UserDoor {
  private readonly ports: UserDoorPorts;
  private readonly runtime: string;
  private readonly accept: AcceptUser;
  private readonly users = new Map<number, Promise<{ close(): void }>>();
  private readonly sockets = new Set<Socket>();
  /** Living connections of each user; those at the door by `DOOR_UID`. */
  private readonly counts = new Map<number, number>();
  /** Of whom it was said that there are too many; until all of them are gone. */
  private readonly crowded = new Set<number>();
  private door: { close(): void } | null = null;
  private questions = 0;
  private isOver = false;
  /** A folder on the way here that only root can pass; empty where users get here. */
  closed = "";

  /** @param runtime root's folder of sockets */
  constructor(ports: UserDoorPorts, runtime: string, accept: AcceptUser) {
    this.ports = ports;
    this.runtime = runtime;
    this.accept = accept;
  }

  /** Opens the door; who had a socket before has it again soon afterwards. Rejects if that can't be. */
  async open(): Promise<void> {
    const path = `${this.runtime}/${DOOR}`;
    rmSync(path, { force: true });
    this.closed = closedFolder(this.runtime);
    this.door = await listenOn(path, (socket) => this.answer(socket), this.upkeep(), { mode: 0o666 });
    const known = readdirSync(this.runtime).filter((name) => /^[1-9]\d{0,9}$/.test(name));
    for (let at = 0; at < RESTORED_MAX; at++) void this.restore(known);
  }

  /** Serves one after the other. Whom nobody knows just now asks at the door. Never rejects. */
  private async restore(known: string[]): Promise<void> {
    for (let name = known.shift(); name !== undefined && !this.isOver; name = known.shift()) {
      await this.serve(Number(name)).catch(() => "");
    }
  }

  close(): void {
    this.isOver = true;
    this.door?.close();
    for (const listener of this.users.values()) void listener.then((one) => one.close()).catch(() => {});
    for (const socket of this.sockets) socket.destroy();
  }

  private answer(socket: Socket): void {
    if (!this.track(socket, DOOR_UID, KNOCKING_MAX)) return;
    const timer = setTimeout(() => socket.destroy(), QUESTION_MS);
    let text = "";
    socket.on("error", () => {});
    socket.once("close", () => clearTimeout(timer));
    if (this.questions >= QUESTIONS_MAX) return void socket.end("busy: try again\n");
    this.questions += 1;
    socket.once("close", () => {
      this.questions -= 1;
    });
    socket.on("data", (chunk: Buffer) => {
      text += chunk.toString("latin1");
      if (!text.includes("\n") && text.length <= QUESTION_CHARS_MAX) return;
      socket.removeAllListeners("data");
      const uid = /^([1-9]\d{0,9})\n$/.exec(text)?.[1];
      if (uid === undefined) return void socket.end("no number of a user\n");
      this.serve(Number(uid)).then(
        (path) => socket.end(`${path}\n`),
        (error: unknown) => socket.end(`${(error as Error).message}\n`),
      );
    });
  }

  /** The path of a user's socket, made if it is missing. Rejects with a sentence. */
  private async serve(uid: number): Promise<string> {
    const path = `${this.runtime}/${uid}/${USER_SOCKET}`;
    let listening = this.users.get(uid);
    if (!listening) {
      if (this.users.size >= USERS_MAX) throw new Error(`there are sockets for ${USERS_MAX} users already`);
      listening = this.listenFor(uid, path);
      this.users.set(uid, listening);
      listening.catch(() => this.users.delete(uid));
    }
    await listening;
    return path;
  }

  private async listenFor(uid: number, path: string): Promise<{ close(): void }> {
    const { log, findAccount } = this.ports;
    let account = await findAccount(String(uid));
    if (!account || account.uid !== uid) throw new Error(`this machine knows no user ${uid}`);
    const owner: Account = account;
    let askedAt = Date.now();
    const refresh = async (): Promise<void> => {
      askedAt = Date.now();
      account = (await findAccount(String(uid)).catch(() => null)) ?? account;
    };
    if (this.isOver) throw new Error("mgpuctld is ending");
    makePrivateFolder(this.runtime);
    makeUserFolder(this.runtime, uid);
    rmSync(path, { force: true });
    const onSocket = (socket: Socket): void => {
      if (!this.track(socket, uid, CONNECTIONS_MAX)) return;
      if (Date.now() - askedAt > ACCOUNT_MS) void refresh();
      attach(socket, this.accept(wrap(socket), account ?? owner));
    };
    const listener = await listenOn(path, onSocket, this.upkeep(uid), { mode: 0o600, owner });
    log.info("a user is served", { user: owner.name, uid });
    return listener;
  }

  /** Whether there is room for one more: nobody may take all descriptors of root's controller. */
  private track(socket: Socket, uid: number, most: number): boolean {
    const count = this.counts.get(uid) ?? 0;
    if (count >= most) {
      socket.destroy();
      this.noteCrowd(uid, most);
      return false;
    }
    this.counts.set(uid, count + 1);
    this.sockets.add(socket);
    socket.once("close", () => {
      this.sockets.delete(socket);
      const left = (this.counts.get(uid) ?? 1) - 1;
      if (left > 0) return void this.counts.set(uid, left);
      this.counts.delete(uid);
      this.crowded.delete(uid);
    });
    return true;
  }

  private noteCrowd(uid: number, most: number): void {
    if (this.crowded.has(uid)) return;
    this.crowded.add(uid);
    const { log } = this.ports;
    if (uid === DOOR_UID) log.warn("too many connections at the door; more are refused", { most });
    else log.warn("a user has too many connections; more are refused", { uid, most });
  }

  private upkeep(uid?: number): Upkeep {
    return {
      log: this.ports.log,
      onTaken: () => {},
      makeFolder: () => {
        makePrivateFolder(this.runtime);
        if (uid !== undefined) makeUserFolder(this.runtime, uid);
      },
    };
  }
}
