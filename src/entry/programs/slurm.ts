/** Slurm as the cluster behind a command: loaded by it when that is the cluster that is meant (../command.ts). */

export { connectSlurm, handOver, hasSession, sessionWay, startSession } from "../../backend/slurm/main.ts";
export { connectThroughProgram } from "../../platform/program-pipe.ts";
export { realPrograms } from "../../platform/programs.ts";
export { realSessionFiles } from "../../platform/session-files.ts";
