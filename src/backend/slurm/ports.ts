/** What Slurm as the cluster behind mgpu's commands may touch, and how it is told which Slurm is meant. */

import type { Clock } from "../../platform/clock.ts";
import type { ApartOrder, ApartProgram, ProgramOrder, ProgramRun } from "../../platform/programs.ts";
import type { SessionFiles } from "../../platform/session-files.ts";

/** Which Slurm, and who said so. */
export interface SlurmPlace {
  /** Path of its slurm.conf; empty for what SLURM_CONF or the machine says. */
  readonly conf: string;
  /** Folder of its commands; empty for those along PATH. */
  readonly bin: string;
  /** `MGPU_BACKEND`, `-M centre`, `backend in /etc/mgpu/config.yaml`. */
  readonly source: string;
}

/** A part of what every command gets. */
export interface SlurmPorts {
  /** The name the user typed. */
  readonly program: string;
  readonly version: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly user: { readonly uid: number; readonly gid: number; readonly name: string };
  /** Where mgpu's own commands lie: links to them are not Slurm's. */
  readonly launcherFolder: string;
  readonly clock: Clock;
  /** Short host name. */
  readonly hostname: string;
  readonly files: {
    /** Both throw Node's errors. */
    stat(path: string): { readonly isFile: boolean; readonly size: number };
    read(path: string): Uint8Array;
    /** Part of a plain file and its size; `null` if there is none. Rejects with Node's error. */
    window(
      path: string,
      from: number,
      bytes: number,
    ): Promise<{ readonly data: Uint8Array; readonly size: number } | null>;
  };
  readonly programs: {
    run(order: ProgramOrder): Promise<ProgramRun>;
    find(name: string, pathVariable: string, except: string): string | null;
    startApart(order: ApartOrder): Promise<ApartProgram>;
  };
  readonly places: {
    /** The state folder. */
    readonly home: string;
  };
  readonly sessionFiles: SessionFiles;
  readonly random: { hex(bytes: number): string };
  /** The Node that runs us. */
  readonly nodePath: string;
}

/** A refusal in sentences, which the command says as its own. */
export class Refusal extends Error {
  override readonly name = "Refusal";
  readonly problems: readonly string[];
  readonly hint: string | undefined;

  constructor(problems: string | readonly string[], hint?: string) {
    const list = typeof problems === "string" ? [problems] : problems;
    super(list.join("; "));
    this.problems = list;
    this.hint = hint;
  }
}
