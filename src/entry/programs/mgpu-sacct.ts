/** mgpu-sacct */

import { command } from "../../cli/commands/sacct.ts";
import { runProgram } from "../command.ts";

void runProgram(command);
