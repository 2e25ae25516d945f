/** mgpu */

import { command } from "../../cli/commands/mgpu.ts";
import { runProgram } from "../command.ts";

void runProgram(command);
