/** Control groups as the kernel shows them: folders with files, as an argument, because few machines have all kinds. */

import * as fs from "node:fs";

export interface GroupFiles {
  /** A file's text; `null` if there is none, or it can't be read. */
  read(path: string): string | null;
  /** @throws Error of the system */
  write(path: string, text: string): void;
  /** Makes a group; one that is there is fine. @throws Error of the system */
  make(path: string): void;
  /** Removes a group without processes and groups in it. @throws Error of the system: EBUSY while it has any */
  remove(path: string): void;
  /** Names of the groups in one; none if it is not there. */
  groupsIn(path: string): string[];
  /** Whether we may write to a file. */
  mayWrite(path: string): boolean;
  /** The user that a process runs as; `null` if it is gone. */
  ownerOf(pid: number): number | null;
  /** Whether it is a daemon of mgpu's of our own user: that is no part of the job that it was started in. */
  isDaemon(pid: number): boolean;
  /** Sends KILL; a process that is gone is fine. */
  kill(pid: number): void;
}

/** This machine's. */
export function realGroupFiles(): GroupFiles {
  return {
    read(path) {
      try {
        return fs.readFileSync(path, "utf8");
      } catch {
        return null;
      }
    },
    // Never made: where the kernel offers no such file, there is nothing to say to it.
    write: (path, text) => fs.writeFileSync(path, text, { flag: "r+" }),
    make(path) {
      try {
        fs.mkdirSync(path, 0o755);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
      }
    },
    remove: (path) => fs.rmdirSync(path),
    groupsIn(path) {
      try {
        const entries = fs.readdirSync(path, { withFileTypes: true });
        return entries.flatMap((entry) => (entry.isDirectory() ? [entry.name] : []));
      } catch {
        return [];
      }
    },
    mayWrite(path) {
      try {
        fs.accessSync(path, fs.constants.W_OK);
        return true;
      } catch {
        return false;
      }
    },
    ownerOf(pid) {
      try {
        return fs.statSync(`/proc/${pid}`).uid;
      } catch {
        return null;
      }
    },
    isDaemon(pid) {
      try {
        const environment = fs.readFileSync(`/proc/${pid}/environ`, "latin1").split("\0");
        return environment.includes("MGPU_DAEMON=1") && fs.statSync(`/proc/${pid}`).uid === process.getuid?.();
      } catch {
        return false;
      }
    },
    kill(pid) {
      try {
        process.kill(pid, "SIGKILL");
      } catch {
        // Gone, or not ours to kill.
      }
    },
  };
}
