/** mgpu-scontrol */

import { command } from "../../cli/commands/scontrol.ts";
import { runProgram } from "../command.ts";

void runProgram(command);
