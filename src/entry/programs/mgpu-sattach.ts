/** mgpu-sattach */

import { command } from "../../cli/commands/sattach.ts";
import { runProgram } from "../command.ts";

void runProgram(command);
