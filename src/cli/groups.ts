/** Groups of this machine, by the lines of /etc/group: `name:password:gid:members`. */

import { utf8Text } from "../util/bytes.ts";
import type { CommandContext } from "./context.ts";

const GROUP_FILE = "/etc/group";

function* lines({ files }: Pick<CommandContext, "files">): Generator<readonly [name: string, gid: number]> {
  let text: string;
  try {
    text = utf8Text(files.read(GROUP_FILE));
  } catch {
    return;
  }
  for (const line of text.split("\n")) {
    const [name = "", , gid = ""] = line.split(":");
    if (name !== "" && /^\d{1,10}$/.test(gid)) yield [name, Number(gid)];
  }
}

/** A group's number by its name, or the number itself; `undefined` for a name that nobody has. */
export function gidOf(text: string, context: Pick<CommandContext, "files">): number | undefined {
  if (/^\d{1,10}$/.test(text)) return Number(text);
  for (const [name, gid] of lines(context)) if (name === text) return gid;
  return undefined;
}
