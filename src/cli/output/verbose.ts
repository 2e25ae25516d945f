/** What -v of the listing commands tells. */

import type { CommandContext } from "../context.ts";
import type { Option, ParsedOptions } from "../option.ts";

/** Prints each option as it was understood, as Slurm's listing commands do. */
export function tellOptions(options: readonly Option[], { values }: ParsedOptions, { stdio }: CommandContext): void {
  const line = `${"-".repeat(29)}\n`;
  const texts = [...options]
    .sort((a, b) => (a.long < b.long ? -1 : 1))
    .map(({ long, argument }) => {
      const given = values.get(long);
      const flag = given === undefined ? "false" : "true";
      return `${long.padEnd(15)} = ${argument === "none" ? flag : (given?.join(",") ?? "(null)")}\n`;
    });
  stdio.out(`${line}${texts.join("")}${line}\n\n`);
}
