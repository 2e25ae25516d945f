/** mgpu-sdiag */

import { command } from "../../cli/commands/sdiag.ts";
import { runProgram } from "../command.ts";

void runProgram(command);
