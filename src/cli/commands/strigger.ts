/** strigger: refused, with what does the same here. */

import { type Command, UserError } from "../context.ts";
import type { Option } from "../option.ts";

const WHY = "mgpu has no triggers";

/** As strigger of Slurm 22.05 reads them, so that whoever uses one hears what to do instead. */
const FLAGS = "set get clear fini time_limit down up drained fail idle block_err reconfig primary_slurmctld_failure";
const WITH_VALUE = "jobid id program time offset user flags cluster clusters";

export const command: Command = {
  name: "strigger",
  summary: "Triggers are not supported: says what to use instead, and fails",
  synopsis: "[OPTIONS...]",
  options: [
    ...FLAGS.split(" ").map((long) => option(long, "none")),
    ...WITH_VALUE.split(" ").map((long) => option(long, "required")),
    option("node", "optional"),
  ],
  operands: "stop",
  examples: ["mgpu-sbatch --mail-type=END,FAIL train.sh", "mgpu-sbatch -d afterany:12 after.sh"],
  async run() {
    throw new UserError(
      WHY,
      "to hear of a job's end use --mail-type, to run something then --dependency=afterany:JOB, or wait with " +
        "mgpu-sbatch --wait; for nodes, mgpu-sinfo -R in a cron job tells which are down or drained",
    );
  },
};

function option(long: string, argument: Option["argument"]): Option {
  return { long, argument, help: WHY, refused: WHY };
}
