/** Options that Slurm documents and this version of mgpu lacks: refused like a typing error, but with a better hint. */

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

/** A hint for the problems of {@link parseOptions} if one of them is about an option that Slurm has. */
export function unknownOptionHint(problems: readonly string[]): string | undefined {
  const names = problems.flatMap((problem) => {
    const name = /^unrecognized option '--([^=']*)/.exec(problem)?.[1];
    return name !== undefined && SLURM_OPTIONS.has(name) ? [`--${name}`] : [];
  });
  if (names.length === 0) return undefined;
  return `Slurm has ${names.join(", ")}; this version of mgpu does not`;
}
