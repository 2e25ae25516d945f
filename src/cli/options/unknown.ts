/**
 * What may have been meant by an option that is none. One that Slurm documents and this version of mgpu lacks is
 * refused like a typing error, but with a better hint.
 */

import { nearest } from "../../view/nearest.ts";
import type { Option } from "../option.ts";

/** Long names of srun's, sbatch's and the listing commands' documented options. Those that mgpu has are no matter. */
const SLURM_OPTIONS: ReadonlySet<string> = new Set(
  [
    "accel-bind account acctg-freq array batch bb bbf begin bell cluster-constraint clusters comment compress",
    "constraint container container-id contiguous core-spec cores-per-socket cpu-bind cpu-freq cpus-per-gpu",
    "deadline delay-boot dependency disable-stdout-job-summary distribution epilog exact exclude exclusive",
    "export-file external-launcher extra extra-node-info get-user-env gid gpu-bind gpu-freq gpus-per-node",
    "gpus-per-socket gpus-per-task gres-flags het-group hint hold ignore-pbs immediate interactive jobid job-id",
    "kill-on-bad-exit kill-on-invalid-dep launcher-opts licenses mail-type mail-user mcs-label mem-bind mem-per-cpu",
    "mem-per-gpu mincpus mpi msg-timeout multi-prog network nice no-allocate no-bell no-kill no-shell nodefile",
    "nodelist ntasks-per-core ntasks-per-gpu ntasks-per-node ntasks-per-socket oom-kill-step overcommit overlap",
    "oversubscribe power prefer preserve-env priority profile prolog propagate qos quit-on-interrupt reboot relative",
    "reservation resv-ports segment send-libs signal slurmd-debug sockets-per-node spread-job stepmgr switches",
    "task-epilog task-prolog tasks-per-node test-only thread-spec threads threads-per-core time-min tmp tres-bind",
    "tres-per-task uid use-min-nodes wait wait-all-nodes wait-for-switch wckey x11",
    "all array array-unique clusters dead exact expand-patterns federation future iterate licenses list-reasons",
    "local long node noconvert only-job-state partition priority reservation responding running-over running-under",
    "sibling start step steps summarize verbose batch ctld cron full hurry interactive sibling",
  ].flatMap((line) => line.split(" ")),
);

/** A hint for those problems of {@link parseOptions} that are about unknown options. */
export function unknownOptionHint(problems: readonly string[], options: readonly Option[]): string | undefined {
  const names = problems.flatMap((problem) => /^unrecognized option '--([^=']*)/.exec(problem)?.[1] ?? []);
  const slurms = names.filter((name) => SLURM_OPTIONS.has(name)).map((name) => `--${name}`);
  if (slurms.length > 0) return `Slurm has ${slurms.join(", ")}; this version of mgpu does not`;
  const longs = options.map(({ long }) => long);
  const guesses = new Set(names.flatMap((name) => nearest(name, longs) ?? []));
  return guesses.size > 0 ? `did you mean ${[...guesses].map((long) => `--${long}`).join(", ")}?` : undefined;
}
