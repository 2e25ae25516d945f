/**
 * An option is data. The parser, --help, the man page, completion, directives and environment variables all come
 * from the same record; every value is kept as the text the user typed until a pure function reads it.
 */

/** Commands whose variables an option may come from: srun reads SLURM_*, sbatch SBATCH_*, and so on. */
export type VariableOwner =
  | "srun"
  | "sbatch"
  | "salloc"
  | "squeue"
  | "sinfo"
  | "scancel"
  | "scontrol"
  | "sacct"
  | "sattach"
  | "sbcast"
  | "mgpu";

export interface Option {
  /** Without dashes: `cpus-per-task`. */
  readonly long: string;
  /** One letter. */
  readonly short?: string;
  /** Other long names that mean the same. */
  readonly aliases?: readonly string[];
  /** `optional` takes a value only as `--name=value` or `-nvalue`, as getopt_long does. */
  readonly argument: "none" | "required" | "optional";
  /** What stands for the value in help: `count`. */
  readonly metavar?: string;
  /** One sentence, no full stop. */
  readonly help: string;
  /** Environment variable that sets it, by command. */
  readonly variables?: Partial<Record<VariableOwner, string>>;
  /** Further variables, looked at in this order when the first says nothing. */
  readonly otherVariables?: Partial<Record<VariableOwner, readonly string[]>>;
  /** May stand in a batch script after #SBATCH or #MGPU. */
  readonly directive?: boolean;
  /** Taken, and nothing done: why nothing needs to be. Not shown in help. */
  readonly ignored?: string;
  /** Not taken: what to do instead. Not shown in help. */
  readonly refused?: string;
}

/**
 * What may follow options.
 * - `permute`: operands and options in any order (squeue, scancel ...)
 * - `stop`: everything from the first operand on belongs to the user's program, untouched (srun, sbatch)
 */
export type OperandMode = "permute" | "stop";

/** The outcome of reading a command line: texts by long name, in the order given. */
export interface ParsedOptions {
  /** A flag has one empty text for each time it was given. */
  readonly values: ReadonlyMap<string, readonly string[]>;
  readonly operands: readonly string[];
  /** All words as they were given. */
  readonly words?: readonly string[];
  /** One sentence a problem, in getopt_long's words: `unrecognized option '--foo'`. */
  readonly problems: readonly string[];
}
