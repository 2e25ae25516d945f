/** mgpu-sprio */

import { command } from "../../cli/commands/sprio.ts";
import { runProgram } from "../command.ts";

void runProgram(command);
