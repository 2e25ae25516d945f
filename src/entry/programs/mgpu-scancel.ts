/** mgpu-scancel */

import { command } from "../../cli/commands/scancel.ts";
import { runProgram } from "../command.ts";

void runProgram(command);
