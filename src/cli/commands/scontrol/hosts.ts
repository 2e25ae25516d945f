/** `show hostnames`, `show hostlist`, `show hostlistsorted`: node lists unfolded and folded. No controller is asked. */

import { expand, fold } from "../../../core/hostlist.ts";
import { errnoText } from "../../../util/errno.ts";
import { UserError } from "../../context.ts";
import type { Verb } from "./scope.ts";

/** One name a line, in the list's order; without a list those of the job that the command runs in. */
export const showHostnames: Verb = async (words, scope) => {
  const { environment, stdio } = scope.context;
  const list = words[0] ?? environment.SLURM_JOB_NODELIST ?? environment.SLURM_NODELIST ?? "";
  if (list === "") {
    // As in Slurm no failure: scripts that call it outside of a job go on.
    scope.error("host list is empty");
    return 0;
  }
  stdio.out(
    namesOf(list)
      .map((name) => `${name}\n`)
      .join(""),
  );
  return 0;
};

/** The names folded, in their order. A list that begins with / is a file of names. */
export const showHostlist: Verb = async (words, scope) => {
  scope.context.stdio.out(`${fold(namesOf(givenList(words, scope.context.files)))}\n`);
  return 0;
};

/** The names folded, in ascending order; names that stand twice stay so. */
export const showHostlistSorted: Verb = async (words, scope) => {
  const names = namesOf(givenList(words, scope.context.files));
  scope.context.stdio.out(`${fold([...names].sort(byNumber))}\n`);
  return 0;
};

function givenList(words: readonly string[], files: { read(path: string): Uint8Array }): string {
  const [list = ""] = words;
  if (list === "") throw new UserError("invalid encode argument", "scontrol show hostlist needs names: n1,n2,n3");
  if (!list.startsWith("/")) return list;
  try {
    return new TextDecoder()
      .decode(files.read(list))
      .trim()
      .split(/[\s,]+/)
      .join(",");
  } catch (error) {
    throw new UserError(`${list}: ${errnoText(error)}`);
  }
}

function namesOf(list: string): string[] {
  const names = expand(list);
  if (names === undefined) throw new UserError(`Invalid hostlist: ${list}`, "node lists look like n[1-3,7],login");
  return names;
}

/** `n2` before `n10`. */
function byNumber(a: string, b: string): number {
  return a.localeCompare(b, "en", { numeric: true });
}
