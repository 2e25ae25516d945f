/** mgpu-seff */

import { command } from "../../cli/commands/seff.ts";
import { runProgram } from "../command.ts";

void runProgram(command);
