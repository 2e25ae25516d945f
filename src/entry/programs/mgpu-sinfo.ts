/** mgpu-sinfo */

import { command } from "../../cli/commands/sinfo.ts";
import { runProgram } from "../command.ts";

void runProgram(command);
