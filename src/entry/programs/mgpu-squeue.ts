/** mgpu-squeue */

import { command } from "../../cli/commands/squeue.ts";
import { runProgram } from "../command.ts";

// Slurm's -i takes seconds: alone it would be an error, and is free for this. Under Slurm's name it stays one.
const isOurName = (process.env.MGPU_PROGRAM ?? "mgpu-squeue").startsWith("mgpu");
if (isOurName && process.argv.length === 3 && process.argv[2] === "-i") process.argv[2] = "--interactive";

void runProgram(command);
