/** mgpu test: a cluster of its own in a temporary home, a few jobs with fake GPUs, and what came of them. */

import type { Command } from "../context.ts";
import { flagged } from "../predecessors/verbs.ts";

/** `$1` is the folder of the launchers, `$2` is 1 for the quick one. */
const SCRIPT = `
home=$(mktemp -d /tmp/mgpu-test.XXXXXX) || exit 1
bin=$1 quick=$2 failed=0
export HOME=$home MGPU_HOME=$home/s XDG_RUNTIME_DIR=$home/r XDG_CONFIG_HOME=$home/c XDG_CACHE_HOME=$home/k
export MGPU_FAKE_GPUS=2 MGPU_KILL_WAIT=1 MGPU_CONFIG=
unset MGPU_CONTROLLER MGPU_NODE_ID SLURM_JOB_ID SLURM_JOBID
mkdir -m 700 "$home/r" && cd "$home" || exit 1
trap '"$bin/mgpu" down --force >/dev/null 2>&1; rm -rf "$home"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
check() {
  what=$1; shift
  if said=$("$@" 2>&1); then echo "ok      $what"; else failed=1; echo "FAILED  $what"; printf '%s\\n' "$said" | sed 's/^/        /'; fi
}
same() { got=$("\${@:2}" 2>&1); [ "$got" = "$1" ] || { echo "expected: $1"; echo "got: $got"; return 1; }; }
awaited() { for i in $(seq 100); do "$@" >/dev/null 2>&1 && return; sleep 0.1; done; "$@"; }
check 'daemons start' "$bin/mgpu" up
check 'a job runs, and its output comes back' same hello "$bin/mgpu-srun" echo hello
check 'a job has the GPUs that it asked for, and no other' same 0,1 "$bin/mgpu-srun" --gpus=2 sh -c 'echo $CUDA_VISIBLE_DEVICES'
check 'its exit code comes back' sh -c '"$1"/mgpu-srun sh -c "exit 7"; [ $? = 7 ]' sh "$bin"
check 'a queued job runs' "$bin/mgpu-sbatch" --wait --gpus=1 -o out --wrap='echo queued'
check 'its output is in its file' awaited grep -q queued out
check 'jobs beyond the GPUs wait' sh -c '
  for i in 1 2 3; do "$1"/mgpu-sbatch --gpus=1 -o /dev/null --wrap="sleep 60" || exit 1; done
  for i in 1 2 3 4 5 6 7 8 9 10; do "$1"/mgpu queue | grep -q "waiting for 1 GPU" && exit 0; sleep 0.2; done
  "$1"/mgpu queue; exit 1' sh "$bin"
check 'jobs end when they are cancelled' "$bin/mgpu-scancel" --me
if [ "$quick" != 1 ]; then
  check 'a job lives on while the controller is gone, and is found again' sh -c '
    "$1"/mgpu-sbatch --gpus=1 -o after --wrap="sleep 3; echo alive" || exit 1
    sleep 1
    pid=$("$1"/mgpu status --json | sed -n "s/^ *.pid.: \\([0-9]*\\),*$/\\1/p" | head -n 1)
    kill -9 "$pid" || exit 1
    "$1"/mgpu up || exit 1
    for i in $(seq 100); do grep -q alive after && exit 0; sleep 0.1; done; exit 1' sh "$bin"
fi
check 'daemons end' "$bin/mgpu" down --force
exit $failed
`;

export const command: Command = {
  name: "mgpu test",
  summary: "Try mgpu out on this machine: a cluster of its own in a temporary folder, with fake GPUs",
  synopsis: "[OPTIONS...]",
  options: [flagged("quick", "leave out the test with a controller that is killed")],
  operands: "permute",
  examples: ["mgpu test --quick", "mgpu test"],
  async run({ values }, { launcherFolder, environment, session }) {
    const given = Object.entries(environment).filter((entry): entry is [string, string] => entry[1] !== undefined);
    const quick = values.has("quick") ? "1" : "0";
    const argv = ["/bin/bash", "-c", SCRIPT, "mgpu-test", launcherFolder, quick];
    const child = await session.startChild({ argv, environment: Object.fromEntries(given), isApart: false });
    const { code, signal } = await child.exited;
    return signal > 0 ? 128 + signal : code;
  },
};
