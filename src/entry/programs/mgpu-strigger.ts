/** mgpu-strigger */

import { command } from "../../cli/commands/strigger.ts";
import { runProgram } from "../command.ts";

void runProgram(command);
