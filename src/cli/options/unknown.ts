/**
 * What may have been meant by an option that is none: one that Slurm documents and this version of mgpu lacks, one of
 * another command, or a typing error. Names stand here by themselves, so that no command loads another one's options.
 */

import { nearest } from "../../util/nearest.ts";
import type { Option } from "../option.ts";

/** Long names of options that Slurm's listing commands document. Those that mgpu has are no matter. */
const LISTING_OPTIONS =
  "all array array-unique batch clusters ctld cron dead exact expand-patterns federation full future hurry interactive " +
  "iterate licenses list-reasons local long node noconvert only-job-state partition priority reservation responding " +
  "running-over running-under sibling start step steps summarize verbose";

/** Long names that not all of the submitting commands have, by those that do. */
const SUBMIT_OPTIONS: Readonly<Record<string, string>> = {
  sbatch:
    "array batch each export-file ignore-pbs kill-on-invalid-dep no-requeue parsable progress requeue retries retry-wait wrap",
  salloc: "bell kill-command no-bell no-shell",
  srun:
    "bcast connection-timeout cpu-bind detach-keys disable-status epilog exact exit-on-silence external-launcher " +
    "het-group jobid kill-on-bad-exit label max-consecutive-timeouts max-wait-time mpi multi-prog no-pty " +
    "on-disconnect overlap preserve-env prolog quit-on-interrupt relative send-libs session-timeout " +
    "task-epilog task-prolog unbuffered",
  "srun and sbatch": "error export inactivity-timeout input open-mode output propagate pty test-only wait",
  "srun and salloc": "immediate x11",
  "sbatch and salloc": "get-user-env wait-all-nodes",
};

/** Letters of the same. */
const SUBMIT_LETTERS: Readonly<Record<string, string>> = {
  a: "--array of sbatch",
  e: "--error of srun and sbatch",
  i: "--input of srun and sbatch",
  l: "--label of srun",
  o: "--output of srun and sbatch",
  r: "--relative of srun",
  u: "--unbuffered of srun",
  E: "--preserve-env of srun",
  I: "--immediate of srun and salloc",
  K: "--kill-on-bad-exit of srun and --kill-command of salloc",
  T: "--threads of srun",
  W: "--wait of srun and sbatch",
  X: "--disable-status of srun",
  Z: "--no-allocate of srun",
};

/** A hint for those problems of {@link parseOptions} that are about unknown options. */
export function unknownOptionHint(problems: readonly string[], options: readonly Option[]): string | undefined {
  const names = problems.flatMap((problem) => /unrecognized option '--([^=']*)/.exec(problem)?.[1] ?? []);
  const letters = problems.flatMap((problem) => /invalid option -- '(.)'/u.exec(problem)?.[1] ?? []);
  const submits = options.some(({ long }) => long === "cpus-per-task");
  const known = submits ? submitHint(names, letters) : listingHint(names);
  if (known !== undefined) return known;
  // Whoever means something is not sent to an option that does nothing.
  const useful = options.filter(({ ignored, refused }) => ignored === undefined && refused === undefined);
  const longs = useful.map(({ long }) => long);
  const guesses = new Set(names.flatMap((name) => nearest(name, longs) ?? []));
  if (guesses.size > 0) return `did you mean ${[...guesses].map((long) => `--${long}`).join(", ")}?`;
  for (const letter of letters) {
    const other = letter === letter.toUpperCase() ? letter.toLowerCase() : letter.toUpperCase();
    const twin = useful.find(({ short }) => short === other);
    if (twin !== undefined) return `did you mean -${other} (--${twin.long})?`;
  }
  return undefined;
}

function listingHint(names: readonly string[]): string | undefined {
  const known = new Set(LISTING_OPTIONS.split(" "));
  const slurms = names.filter((name) => known.has(name)).map((name) => `--${name}`);
  return slurms.length > 0 ? `Slurm has ${slurms.join(", ")}; this version of mgpu does not` : undefined;
}

/** Options of another submitting command. */
function submitHint(names: readonly string[], letters: readonly string[]): string | undefined {
  const found: string[] = [];
  for (const name of names) {
    const owner = Object.keys(SUBMIT_OPTIONS).find((key) => SUBMIT_OPTIONS[key]?.split(" ").includes(name));
    if (owner !== undefined) found.push(`--${name} is an option of ${owner}`);
  }
  for (const letter of letters) {
    if (Object.hasOwn(SUBMIT_LETTERS, letter)) found.push(`-${letter} is ${SUBMIT_LETTERS[letter]}`);
  }
  return found.length > 0 ? found.join("; ") : undefined;
}
