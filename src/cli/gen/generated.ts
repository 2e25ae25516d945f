/** All files that are made from the declarations of the options, by their paths in the repository. */

import { bashScript } from "./bash.ts";
import { catalogue } from "./catalogue.ts";
import { fishScript } from "./fish.ts";
import { manPages } from "./man.ts";
import { zshScript } from "./zsh.ts";

/** @param version of mgpu */
export async function generated(version: string): Promise<ReadonlyMap<string, string>> {
  const entries = await catalogue();
  const pages = [...(await manPages(version))].map(([name, text]) => [`man/man${name.at(-1)}/${name}`, text] as const);
  return new Map([
    ...pages,
    ["completions/mgpu.bash", bashScript(entries)],
    ["completions/_mgpu", zshScript(entries)],
    ["completions/mgpu.fish", fishScript(entries)],
  ]);
}
