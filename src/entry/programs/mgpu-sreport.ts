/** mgpu-sreport */

import { command } from "../../cli/commands/sreport.ts";
import { runProgram } from "../command.ts";

void runProgram(command);
