/** mgpu-sbcast */

import { command } from "../../cli/commands/sbcast.ts";
import { runProgram } from "../command.ts";

void runProgram(command);
