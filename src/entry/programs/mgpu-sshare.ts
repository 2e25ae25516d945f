/** mgpu-sshare */

import { command } from "../../cli/commands/sshare.ts";
import { runProgram } from "../command.ts";

void runProgram(command);
