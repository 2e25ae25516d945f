/** mgpu-squeue */

import { command } from "../../cli/commands/squeue.ts";
import { runProgram } from "../command.ts";

void runProgram(command);
