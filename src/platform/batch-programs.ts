/** Commands of another batch system, past our own that go by the same names. */

import { accessSync, constants, realpathSync } from "node:fs";
import { basename, join } from "node:path";
import { type ProgramResult, programRunner } from "./gpu-run.ts";

export interface BatchPrograms {
  /** The PATH that is searched. */
  readonly path: string;
  /** The absolute path of a program along another PATH, else along {@link path}; `null` if only mgpu's is there. */
  find(name: string, first?: string): string | null;
  /** Runs one to its end; never rejects. @param variables besides the few that every program needs */
  run(program: string, args: readonly string[], variables: Readonly<Record<string, string>>): Promise<ProgramResult>;
}

/** Slurm's commands ask for 100 seconds where its controller is slow; who waits longer asks again. */
const TIMEOUT_MS = 60_000;

/** What programs of a batch system may need of an environment, but nothing that would go along with a job. */
const PASSED_ON = /^(PATH|HOME|USER|LOGNAME|SHELL|TMPDIR|SLURM_CONF|SLURM_CONF_SERVER|MUNGE_SOCKET)$/;

/** Those of this machine. */
export function realBatchPrograms(environment: Readonly<Record<string, string | undefined>>): BatchPrograms {
  const passed = Object.entries(environment).filter(
    (entry): entry is [string, string] => PASSED_ON.test(entry[0]) && entry[1] !== undefined,
  );
  const base = { PATH: "/usr/bin:/bin", ...Object.fromEntries(passed), LC_ALL: "C" };
  const runner = programRunner(TIMEOUT_MS);
  return {
    path: base.PATH,
    find: (name, first = "") => findPastOurs(name, `${first}:${base.PATH}`),
    run: (program, args, variables) => runner(program, args, { ...base, ...variables }),
  };
}

/** The first program of that name along a PATH that is not one of mgpu's; `null` if there is none. */
export function findPastOurs(name: string, path: string): string | null {
  for (const folder of path.split(":")) {
    const file = join(folder, name);
    if (!folder.startsWith("/")) continue;
    try {
      accessSync(file, constants.X_OK);
      // `mgpu shims` makes links of Slurm's names to launchers of ours.
      if (!basename(realpathSync(file)).startsWith("mgpu-")) return file;
    } catch {
      // Not here.
    }
  }
  return null;
}
