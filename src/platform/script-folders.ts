/**
 * Folders of batch scripts, used again: a new inode is dear (ext4 looks past all that were freed in the last minute: half a millisecond
 * each on a busy machine), and each script has a folder, its text and three records. What was a script's becomes the next one's by a
 * rename, once its records are blank; its text stays if it is the same, and is a new file if not. A record is overwritten with
 * blanks, and never cut: ext4 gives and takes its block then (a tenth of a millisecond).
 */

import * as fs from "node:fs";
import { dirname } from "node:path";

/** Names of the files in a folder. Any other one, and the folder is not used again. */
export interface ScriptFolderNames {
  readonly script: string;
  /** Overwritten with blanks. */
  readonly records: readonly string[];
}

export interface ScriptFolders {
  /**
   * Gives a used folder another path, with this script in it and without records.
   * @param folder absolute; there is none yet
   * @returns false if there is none to be had, or in doubt: then `folder` does not exist
   */
  take(folder: string, script: Uint8Array): boolean;
  /**
   * Writes a record in place of what is there; blanks follow if that was longer.
   * @returns whether it was written
   */
  writeRecord(path: string, text: string): boolean;
  /** Nobody asks for it by that path any more. @param isFree its script is over, and nobody writes into it */
  letGo(folder: string, isFree: boolean): void;
  close(): void;
}

interface Used {
  readonly path: string;
  readonly script: string;
}

/** More are left to whoever removes folders: as many as scripts that run at once on a large machine. */
const FOLDERS_MAX = 128;

/** Larger ones are not remembered. */
const SCRIPT_BYTES_MAX = 16 * 1024;

/** Nobody needed one for so long: all are removed, some at a time. */
const IDLE_MS = 30_000;
const TIDY_MS = 4_000;
const REMOVED_AT_ONCE = 8;

const SCRIPT_MODE = 0o700;
const RECORD_MODE = 0o600;

/** A number, or a path. */
const RECORD_BYTES_MAX = 64 * 1024;

/** What of a script is remembered to know it again; `null` for one that is too large. */
function scriptText(script: Uint8Array): string | null {
  return script.length > SCRIPT_BYTES_MAX ? null : Buffer.from(script).toString("latin1");
}

/** The machine's. */
export function realScriptFolders(names: ScriptFolderNames): ScriptFolders {
  /** In the order of their return. */
  let used: Used[] = [];
  /** Scripts of the folders that are in use. */
  const texts = new Map<string, string>();
  const parents = new Set<string>();
  let count = 0;
  let lastMs = 0;
  let timer: NodeJS.Timeout | null = null;
  const tidy = (): void => {
    timer = null;
    if (performance.now() - lastMs >= IDLE_MS) for (const { path } of used.splice(0, REMOVED_AT_ONCE)) remove(path);
    if (used.length > 0) later();
  };
  const later = (): void => {
    timer ??= setTimeout(tidy, TIDY_MS);
    timer.unref();
  };
  return {
    take(folder, script) {
      lastMs = performance.now();
      const parent = dirname(folder);
      if (!parents.has(parent)) {
        parents.add(parent);
        removeForeign(parent);
      }
      const text = scriptText(script);
      if (text !== null) texts.set(folder, text);
      const here = used.filter(({ path }) => dirname(path) === parent);
      const chosen = text === null ? undefined : (here.find((one) => one.script === text) ?? here[0]);
      if (chosen === undefined || text === null) return false;
      used = used.filter((one) => one !== chosen);
      try {
        prepare(chosen, { folder, script, text }, names);
        return true;
      } catch {
        remove(chosen.path);
        return false;
      }
    },
    writeRecord(path, text) {
      try {
        overwrite(path, text, fs.constants.O_CREAT);
        return true;
      } catch {
        return false;
      }
    },
    letGo(folder, isFree) {
      const script = texts.get(folder);
      texts.delete(folder);
      if (script === undefined || !isFree || used.length >= FOLDERS_MAX) return;
      count += 1;
      const path = `${dirname(folder)}/free-${process.pid}-${count}`;
      try {
        fs.renameSync(folder, path);
      } catch {
        // Removed already.
        return;
      }
      used.push({ path, script });
      later();
    },
    close() {
      if (timer) clearTimeout(timer);
      for (const { path } of used.splice(0)) remove(path);
    },
  };
}

/** Makes a used folder another script's. Throws, with the folder where it was, if that can't be done. */
function prepare(
  { path, script }: Used,
  wanted: { readonly folder: string; readonly script: Uint8Array; readonly text: string },
  names: ScriptFolderNames,
): void {
  const found = fs.readdirSync(path);
  if (found.some((name) => name !== names.script && !names.records.includes(name))) {
    throw new Error("something else is in it");
  }
  const file = `${path}/${names.script}`;
  if (script !== wanted.text || !isSame(file, wanted.script)) {
    if (found.includes(names.script)) fs.unlinkSync(file);
    write(file, wanted.script);
  }
  for (const name of names.records) if (found.includes(name)) overwrite(`${path}/${name}`, "", 0);
  fs.renameSync(path, wanted.folder);
}

/** What an earlier holder left. One that still lives may be giving its own to a script just now, whose text would be gone then. */
function removeForeign(parent: string): void {
  try {
    for (const name of fs.readdirSync(parent)) {
      const owner = /^free-(\d+)-\d+$/.exec(name)?.[1];
      if (owner !== undefined && !fs.existsSync(`/proc/${owner}`)) remove(`${parent}/${name}`);
    }
  } catch {
    // None is there yet.
  }
}

function remove(path: string): void {
  try {
    fs.rmSync(path, { recursive: true, force: true });
  } catch {
    // The next node daemon removes it.
  }
}

/** Whether a file is as it was written, whatever its script did to it: this text, with no other name, for its owner to run. */
function isSame(file: string, wanted: Uint8Array): boolean {
  const { O_RDONLY, O_NONBLOCK, O_NOFOLLOW } = fs.constants;
  const descriptor = fs.openSync(file, O_RDONLY | O_NONBLOCK | O_NOFOLLOW);
  try {
    const { mode, nlink, size } = fs.fstatSync(descriptor);
    if (mode !== (fs.constants.S_IFREG | SCRIPT_MODE) || nlink !== 1 || size !== wanted.length) return false;
    const found = Buffer.alloc(size);
    return fs.readSync(descriptor, found, 0, size, 0) === size && found.equals(wanted);
  } finally {
    fs.closeSync(descriptor);
  }
}

function write(file: string, script: Uint8Array): void {
  const descriptor = fs.openSync(file, "wx", SCRIPT_MODE);
  try {
    // The umask may have taken bits away.
    fs.fchmodSync(descriptor, SCRIPT_MODE);
    fs.writeFileSync(descriptor, script);
  } finally {
    fs.closeSync(descriptor);
  }
}

function overwrite(file: string, text: string, flags: number): void {
  const { O_WRONLY, O_NONBLOCK, O_NOFOLLOW } = fs.constants;
  const descriptor = fs.openSync(file, flags | O_WRONLY | O_NONBLOCK | O_NOFOLLOW, RECORD_MODE);
  try {
    const facts = fs.fstatSync(descriptor);
    if (!facts.isFile() || facts.nlink !== 1 || facts.size > RECORD_BYTES_MAX) throw new Error(`${file} is no record`);
    const bytes = Buffer.from(text);
    const all = Buffer.alloc(Math.max(bytes.length, facts.size), " ");
    bytes.copy(all);
    if (all.length > 0 && fs.writeSync(descriptor, all, 0, all.length, 0) !== all.length) throw new Error("full");
  } finally {
    fs.closeSync(descriptor);
  }
}

/** A record's text, up to its first kilobyte; empty if there is none. */
export function readRecord(file: string): string {
  const { O_RDONLY, O_NONBLOCK, O_NOFOLLOW } = fs.constants;
  try {
    const descriptor = fs.openSync(file, O_RDONLY | O_NONBLOCK | O_NOFOLLOW);
    try {
      const found = Buffer.alloc(1024);
      return found.toString("latin1", 0, fs.readSync(descriptor, found, 0, found.length, 0));
    } finally {
      fs.closeSync(descriptor);
    }
  } catch {
    return "";
  }
}
