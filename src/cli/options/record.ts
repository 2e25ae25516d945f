/**
 * What a record of the option table holds beyond what every option has: which commands have it, under which name its
 * value is kept, and the pure function that reads its text. Every option of Slurm's three commands is one of three
 * kinds: supported, taken without effect, refused.
 */

import type { Environment } from "../../config/places.ts";
import type { Parsed } from "../../core/parse.ts";
import type { UtcOffset } from "../../core/time.ts";
import type { Option, VariableOwner } from "../option.ts";

/** A command that submits jobs. */
export type Submitter = Extract<VariableOwner, "srun" | "sbatch" | "salloc">;

/** What the meaning of a text may depend on. */
export interface ReadingFacts {
  readonly submitter: Submitter;
  /** Milliseconds since 1970. */
  readonly nowMs: number;
  readonly utcOffset: UtcOffset;
  readonly environment: Environment;
}

/** Reads an option's text; a flag's is empty. */
export type Reader<T = unknown> = (text: string, facts: ReadingFacts) => Parsed<T>;

interface Owned extends Option {
  /** Commands that have it. */
  readonly of: readonly Submitter[];
}

export interface SupportedOption extends Owned {
  readonly read: Reader;
  /** Name of the value where two commands mean different things by the same long name; else the long name. */
  readonly value?: string;
  readonly ignored?: never;
  readonly refused?: never;
}

export interface IgnoredOption extends Owned {
  readonly ignored: string;
  /** What it may say all the same: a wrong word is told of. */
  readonly check?: Reader;
}

export interface RefusedOption extends Owned {
  readonly refused: string;
}

export type SubmitOption = SupportedOption | IgnoredOption | RefusedOption;

export const SRUN: readonly Submitter[] = ["srun"];
export const SBATCH: readonly Submitter[] = ["sbatch"];
export const SALLOC: readonly Submitter[] = ["salloc"];
export const ALL: readonly Submitter[] = ["srun", "sbatch", "salloc"];
/** Commands that run something themselves, rather than leave a shell to it. */
export const RUNNERS: readonly Submitter[] = ["srun", "sbatch"];
/** Commands that wait for the allocation. */
export const WAITERS: readonly Submitter[] = ["srun", "salloc"];
/** Commands that make an allocation for others to use. */
export const ALLOCATORS: readonly Submitter[] = ["sbatch", "salloc"];

/** `SLURM_`, `SBATCH_` or `SALLOC_` before the same word. */
const PREFIXES: Readonly<Record<Submitter, string>> = { srun: "SLURM_", sbatch: "SBATCH_", salloc: "SALLOC_" };

/** Variables as Slurm names nearly all of them: the command's prefix, then `word`. */
export function named(word: string, of: readonly Submitter[] = ALL): Partial<Record<Submitter, string>> {
  return Object.fromEntries(of.map((submitter) => [submitter, PREFIXES[submitter] + word]));
}

/** What an option without effect or a refused one still needs: how it is written, so that its words are not lost. */
export interface Spelling {
  readonly short?: string;
  readonly aliases?: readonly string[];
  /** Required unless said otherwise. */
  readonly argument?: Option["argument"];
  readonly variables?: Partial<Record<Submitter, string>>;
}

/** What an option without effect may have besides. */
interface Unused extends Spelling {
  readonly check?: Reader;
}

/** An option that is taken without effect. `why` is a clause: why nothing needs to be done. */
export function ignored(
  long: string,
  of: readonly Submitter[],
  why: string,
  { argument = "required", ...spelling }: Unused = {},
): IgnoredOption {
  return { long, of, argument, directive: true, help: why, ignored: why, ...spelling };
}

/** An option that is refused. `instead` is a clause: why, and what to do instead. */
export function refused(
  long: string,
  of: readonly Submitter[],
  instead: string,
  { argument = "required", ...spelling }: Spelling = {},
): RefusedOption {
  return { long, of, argument, directive: true, help: instead, refused: instead, ...spelling };
}
