/** mgpu-srun */

import { command } from "../../cli/commands/srun.ts";
import { runProgram } from "../command.ts";

void runProgram(command);
