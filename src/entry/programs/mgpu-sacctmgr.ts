/** mgpu-sacctmgr */

import { command } from "../../cli/commands/sacctmgr.ts";
import { runProgram } from "../command.ts";

void runProgram(command);
