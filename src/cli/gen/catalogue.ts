/** Every command with its options, for man pages and completions: what the commands themselves are made of. */

import { commandsOf } from "../commands/mgpu.ts";
import type { Command } from "../context.ts";
import type { Option } from "../option.ts";
import { withCommonOptions } from "../run.ts";

/** A command as users type it. */
export interface Entry {
  /** `mgpu-srun`, or `mgpu why`. */
  readonly typed: string;
  /** `mgpu-srun`, `mgpu-why`: name of its page. */
  readonly page: string;
  readonly command: Command;
  /** Those that every command has among them. */
  readonly options: readonly Option[];
}

/** All commands, `mgpu` itself first, then its subcommands, then those named after Slurm's. */
export async function catalogue(): Promise<readonly Entry[]> {
  const { own, subcommands, jobCommands } = await commandsOf();
  const entry = (typed: string, command: Command): Entry => {
    return { typed, page: typed.replace(" ", "-"), command, options: withCommonOptions(command.options) };
  };
  return [
    entry("mgpu", own),
    ...subcommands.map((command) => entry(command.name, command)),
    ...jobCommands.map((command) => entry(`mgpu-${command.name}`, command)),
  ];
}

/** Whether an option does something: others are taken in silence or refused. */
export function isUseful({ ignored, refused }: Option): boolean {
  return ignored === undefined && refused === undefined;
}
