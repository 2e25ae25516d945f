/** mgpu-seff: `mgpu seff` under a name of its own, for the link that programs made for Slurm call. */

import type { Command } from "../context.ts";
import { command as seff } from "./mgpu-seff.ts";

export const command: Command = { ...seff, name: "seff", examples: ["mgpu-seff 12", "mgpu-seff 12_3"] };
