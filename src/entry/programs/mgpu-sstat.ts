/** mgpu-sstat */

import { command } from "../../cli/commands/sstat.ts";
import { runProgram } from "../command.ts";

void runProgram(command);
