/** A part of a file that may be growing, read with one's own rights or, by root, with those of another user. */

import * as fs from "node:fs";

/** A part of a file, and how large the file is. */
export interface FileWindow {
  readonly data: Uint8Array;
  /** Bytes. */
  readonly size: number;
}

/** How long reading with another user's rights may take, in milliseconds: a file system that hangs must not hang us. */
const HELPER_MS = 10_000;

/** The helper's own words around the data. */
const HELPER_EXTRA_BYTES = 64;

const MISSING = ["ENOENT", "ENOTDIR"];

/**
 * Bytes of a plain file from `from` on, at most `bytes`; empty beyond its end. `null` if there is no such file. Throws
 * Node's error, and another one for what is no plain file.
 */
export function readWindow(path: string, from: number, bytes: number): FileWindow | null {
  let file: number;
  try {
    // Not to wait for the other end of a pipe that has this name.
    file = fs.openSync(path, fs.constants.O_RDONLY | fs.constants.O_NONBLOCK);
  } catch (error) {
    if (MISSING.includes((error as NodeJS.ErrnoException).code ?? "")) return null;
    throw error;
  }
  try {
    const info = fs.fstatSync(file);
    if (!info.isFile()) throw noPlainFile(path);
    const buffer = Buffer.allocUnsafe(Math.max(0, Math.min(bytes, info.size - from)));
    const count = buffer.length === 0 ? 0 : fs.readSync(file, buffer, 0, buffer.length, from);
    return { data: buffer.subarray(0, count), size: info.size };
  } finally {
    fs.closeSync(file);
  }
}

/** The first line says what became of it, then come the bytes. */
const HELPER = `
if [ ! -e "$1" ]; then echo missing
elif [ ! -f "$1" ]; then echo special
elif [ ! -r "$1" ]; then echo denied
else
  echo "size $(stat -L -c %s -- "$1")"
  exec dd if="$1" bs=65536 iflag=skip_bytes,count_bytes skip="$2" count="$3" status=none
fi`;

/**
 * {@link readWindow} with the rights of another user, for which root starts a small program; without need for that,
 * with one's own. Rejects with an error that has Node's code where the system refused.
 */
export async function readWindowAs(
  user: { readonly uid: number; readonly gid: number },
  path: string,
  from: number,
  bytes: number,
): Promise<FileWindow | null> {
  const own = process.getuid?.() ?? 0;
  if (own !== 0 || user.uid === own) return readWindow(path, from, bytes);
  const { execFile } = process.getBuiltinModule("node:child_process");
  const identity = [`--reuid=${user.uid}`, `--regid=${user.gid}`, "--clear-groups"];
  const args = [...identity, "--", "sh", "-c", HELPER, "sh", path, String(from), String(bytes)];
  const output = await new Promise<Buffer>((resolve, reject) => {
    const options = { encoding: "buffer", maxBuffer: bytes + HELPER_EXTRA_BYTES, timeout: HELPER_MS } as const;
    execFile("setpriv", args, options, (error, stdout) => (error ? reject(error) : resolve(stdout)));
  });
  return parseHelper(output, path);
}

function parseHelper(output: Buffer, path: string): FileWindow | null {
  const end = output.indexOf(10);
  const [word, size] = output.toString("latin1", 0, Math.max(0, end)).split(" ");
  if (word === "missing") return null;
  if (word === "size") return { data: output.subarray(end + 1), size: Number(size) };
  throw word === "denied" ? Object.assign(new Error(`${path} can't be read`), { code: "EACCES" }) : noPlainFile(path);
}

/** No error of the system: opening such a thing may wait for ever. */
function noPlainFile(path: string): Error {
  return new Error(`${path} is no plain file`);
}
