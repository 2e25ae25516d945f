/** mgpu-salloc */

import { command } from "../../cli/commands/salloc.ts";
import { runProgram } from "../command.ts";

void runProgram(command);
