/** Slurm as the cluster behind a command: loaded by it when that is the cluster that is meant (../command.ts). */

export { connectSlurm, handOver } from "../../backend/slurm/main.ts";
export { realPrograms } from "../../platform/programs.ts";
