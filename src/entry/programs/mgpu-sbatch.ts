/** mgpu-sbatch */

import { command } from "../../cli/commands/sbatch.ts";
import { runProgram } from "../command.ts";

void runProgram(command);
