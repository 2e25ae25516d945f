/** Files that are programs, as the controller looks at them before it takes a job (controller/program-guard.ts). */

import { readFile, realpath, stat } from "node:fs/promises";

/** Larger files are no batch script. */
const SCRIPT_BYTES_MAX = 4 * 1024 * 1024;

/** This machine's. Neither rejects: what can't be seen is `null`. */
export function realProgramFiles() {
  return {
    resolve: (path: string): Promise<string | null> => realpath(path).catch(() => null),
    async read(path: string): Promise<Uint8Array | null> {
      try {
        const { size } = await stat(path);
        return size > SCRIPT_BYTES_MAX ? null : await readFile(path);
      } catch {
        return null;
      }
    },
  };
}
