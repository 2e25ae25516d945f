/**
 * Listening on a Unix socket, and staying there. A socket's file can vanish under its owner: the folder for them is
 * removed when the user logs out, and whoever clears /tmp takes it along. Nobody can connect then, and nobody is told.
 * So whoever has an {@link Upkeep} looks after the file now and then, and listens anew where it is gone. Connections
 * that exist go on meanwhile.
 */

import { chmodSync, lchownSync, lstatSync, rmSync } from "node:fs";
import { createConnection, createServer, type Server, type Socket } from "node:net";
import { systemText } from "../util/errno.ts";
import type { Log } from "./log.ts";

/** What it takes to listen anew. */
export interface Upkeep {
  /** Makes the socket's folder, ours alone; throws with a sentence if that can't be. */
  makeFolder(): void;
  /** Hears once of each change: why it stays missing, back again. */
  readonly log: Pick<Log, "info" | "error">;
  /** Another program listens at our path: nobody will find us again. */
  onTaken(): void;
  /** Milliseconds between two looks; 2 s unless given. */
  readonly everyMs?: number;
}

/** Who may open a socket. */
export interface SocketAccess {
  readonly mode: number;
  /** Another user than the one that listens; only root may say so. */
  readonly owner?: { readonly uid: number; readonly gid: number };
}

const OWN: SocketAccess = { mode: 0o600 };

/** Of a Unix socket, without the closing zero. */
const PATH_BYTES_MAX = 107;

/** One lstat in this time costs nothing; commands wait longer than it. */
const LOOK_MS = 2000;

/**
 * Listens until closed.
 * @param access who may open it; its owner alone unless given
 *
 * Rejects with the socket's own error, EADDRINUSE if the file exists. */
export async function listenOn(
  path: string,
  onSocket: (socket: Socket) => void,
  upkeep: Upkeep | null,
  access: SocketAccess = OWN,
): Promise<{ close(): void }> {
  if (Buffer.byteLength(path) > PATH_BYTES_MAX) {
    // The kernel would take the first bytes of it, and listen somewhere else.
    throw new Error(`${path} is longer than the ${PATH_BYTES_MAX} bytes of a socket's path`);
  }
  upkeep?.makeFolder();
  const bindAgain = (): Promise<Bound> => bind(path, onSocket, access);
  const first = await bindAgain();
  if (!upkeep) return first;
  const keeper = new Keeper(path, bindAgain, upkeep, first);
  return { close: () => keeper.close() };
}

/** A server, and the file that belongs to it. */
interface Bound {
  whoseFile(): "ours" | "nobody's" | "another's";
  /** Listens no more; the file goes, unless it is another's. */
  close(): void;
}

function bind(path: string, onSocket: (socket: Socket) => void, { mode, owner }: SocketAccess): Promise<Bound> {
  return new Promise((resolve, reject) => {
    const server = createServer(onSocket);
    server.once("error", reject);
    const previous = process.umask(0o177);
    // The socket file appears within listen() itself, so the umask guards it from its first moment.
    server.listen(path, () => {
      try {
        chmodSync(path, mode);
        // In a folder of root's: nobody else can have put a link there.
        if (owner) lchownSync(path, owner.uid, owner.gid);
        resolve(boundTo(path, server));
      } catch (error) {
        // Its folder went in this very moment.
        server.close();
        reject(error);
      }
    });
    process.umask(previous);
  });
}

function boundTo(path: string, server: Server): Bound {
  const { dev, ino } = lstatSync(path);
  const whoseFile: Bound["whoseFile"] = () => {
    try {
      const found = lstatSync(path);
      return found.dev === dev && found.ino === ino ? "ours" : "another's";
    } catch {
      // Where nobody can look, nobody finds a socket either.
      return "nobody's";
    }
  };
  return {
    whoseFile,
    close() {
      // Closing removes whatever lies at the path. Another's stays there, and our server ends with this program.
      if (whoseFile() === "another's") server.unref();
      else server.close();
    },
  };
}

class Keeper {
  private readonly path: string;
  private readonly bindAgain: () => Promise<Bound>;
  private readonly upkeep: Upkeep;
  private readonly timer: NodeJS.Timeout;
  private bound: Bound;
  private isLooking = false;
  private isClosed = false;
  private isTaken = false;
  /** Said last; empty while all is well. */
  private trouble = "";

  constructor(path: string, bindAgain: () => Promise<Bound>, upkeep: Upkeep, first: Bound) {
    this.path = path;
    this.bindAgain = bindAgain;
    this.upkeep = upkeep;
    this.bound = first;
    this.timer = setInterval(() => void this.look(), upkeep.everyMs ?? LOOK_MS);
    this.timer.unref();
  }

  close(): void {
    this.isClosed = true;
    clearInterval(this.timer);
    this.bound.close();
  }

  private async look(): Promise<void> {
    if (this.isLooking || this.isClosed) return;
    this.isLooking = true;
    try {
      await this.mend();
    } catch (error) {
      this.say(`the socket is gone and can't be made again: ${systemText(error)}`);
    } finally {
      this.isLooking = false;
    }
  }

  private async mend(): Promise<void> {
    const { path, bindAgain, upkeep } = this;
    const whose = this.bound.whoseFile();
    if (whose === "ours") {
      this.trouble = "";
      return;
    }
    if (whose === "another's") {
      if (this.isTaken || (await isAnswered(path))) return this.noteTaken();
      rmSync(path, { force: true });
    }
    if (this.isClosed) return;
    // Before the new one is there: closing removes the file.
    this.bound.close();
    upkeep.makeFolder();
    const bound = await bindAgain();
    this.bound = bound;
    this.trouble = "";
    if (this.isClosed) bound.close();
    else upkeep.log.info("the socket was gone; listening at a new one", { socket: path });
  }

  private noteTaken(): void {
    if (this.isTaken || this.isClosed) return;
    this.isTaken = true;
    this.say("another program listens at our socket's path now");
    this.upkeep.onTaken();
  }

  private say(trouble: string): void {
    if (trouble !== this.trouble) this.upkeep.log.error(trouble, { socket: this.path });
    this.trouble = trouble;
  }
}

/** Whether somebody listens at a socket. */
function isAnswered(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection({ path });
    socket.once("error", () => resolve(false));
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
  });
}
