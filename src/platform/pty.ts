/**
 * Pseudo-terminals as an argument. Of node-pty only the two native functions `open` and `resize` are used: its own
 * spawn and write lose trailing output, leak descriptors and spin on large pastes.
 *
 * The slave is held open here for as long as the terminal lives, so the master never hangs up with output unread.
 */

import * as fs from "node:fs";
import { createRequire } from "node:module";
import { ReadStream } from "node:tty";
import { type ByteSource, socketSource } from "./pipes.ts";

export interface Pty {
  /** What programs write. */
  readonly source: ByteSource;
  /** A fresh, blocking descriptor of the terminal for a child; the caller closes it. */
  openTerminal(): number;
  /** Types into the terminal; returns the bytes taken, 0 while it is full. */
  type(data: Uint8Array): number;
  /** Writes as a program would; returns the bytes taken, 0 while it is full or stopped. */
  print(data: Uint8Array): number;
  resize(columns: number, rows: number): void;
  close(): void;
}

export interface Ptys {
  /** Opens a terminal of that size. Throws if the machine has none left, or the native module can't be loaded. */
  open(columns: number, rows: number): Pty;
  /** Descriptors that children must not inherit: the native function opens them without close-on-exec. */
  readonly descriptors: ReadonlySet<number>;
}

/** The part of node-pty's native module that is used; see its src/unix/pty.cc. */
interface NativePty {
  open(columns: number, rows: number): { readonly master: number; readonly slave: number; readonly pty: string };
  resize(descriptor: number, columns: number, rows: number, widthPixels: number, heightPixels: number): void;
}

/** What TIOCSWINSZ can hold. */
const SIZE_MAX = 0xffff;

/**
 * The machine's terminals.
 * @param modulePath node-pty's `pty.node`, absolute; loaded at the first use
 */
export function realPtys(modulePath: string): Ptys {
  let native: NativePty | null = null;
  const descriptors = new Set<number>();
  return {
    descriptors,
    open(columns, rows) {
      native ??= createRequire(modulePath)(modulePath) as NativePty;
      return openPty(native, descriptors, Math.min(columns, SIZE_MAX), Math.min(rows, SIZE_MAX));
    },
  };
}

function openPty(native: NativePty, descriptors: Set<number>, columns: number, rows: number): Pty {
  const { master, slave, pty: path } = native.open(columns, rows);
  descriptors.add(master).add(slave);
  const stream = new ReadStream(master);
  let open = true;
  return {
    source: socketSource(stream),
    openTerminal: () => fs.openSync(path, fs.constants.O_RDWR | fs.constants.O_NOCTTY),
    type: (data) => (open ? writeSome(master, data) : data.length),
    print: (data) => (open ? writeSome(slave, data) : data.length),
    resize(newColumns, newRows) {
      if (open) native.resize(master, Math.min(newColumns, SIZE_MAX), Math.min(newRows, SIZE_MAX), 0, 0);
    },
    close() {
      if (!open) return;
      open = false;
      stream.once("close", () => descriptors.delete(master));
      stream.destroy();
      fs.closeSync(slave);
      descriptors.delete(slave);
    },
  };
}

/** One non-blocking write. */
function writeSome(descriptor: number, data: Uint8Array): number {
  try {
    return fs.writeSync(descriptor, data);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EAGAIN") return 0;
    throw error;
  }
}
