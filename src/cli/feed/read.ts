/** A file of jobs as this machine sees it. */

import type { FeedLine, LineProblem } from "../../core/feed/feed.ts";
import { scriptPath } from "../../core/feed/job.ts";
import { readFeed } from "../../core/feed/lines.ts";
import { FEED_BYTES_MAX } from "../../core/feed/text.ts";
import { errnoText } from "../../util/errno.ts";
import { type CommandContext, UserError } from "../context.ts";

/** What of a file can be queued, and what not. */
export interface ReadLines {
  readonly lines: readonly FeedLine[];
  readonly problems: readonly LineProblem[];
}

/**
 * Reads it, and looks whether its scripts are there.
 * @param file `-` for standard input
 * @throws UserError if it can't be read at all
 */
export function readFeedFile(file: string, workDir: string, { files }: Pick<CommandContext, "files">): ReadLines {
  const name = file === "-" ? "standard input" : file;
  const text = readFeed(bytesOf(file, name, files));
  const [whole] = text.problems;
  if (whole?.line === 0) throw new UserError(`${name}: ${whole.text}`);
  const troubles = new Map<string, string>();
  const missing = text.lines.flatMap(({ line, script }): LineProblem[] => {
    const trouble = troubles.get(script) ?? scriptTrouble(scriptPath(script, workDir), files);
    troubles.set(script, trouble);
    return trouble === "" ? [] : [{ line, text: `script: ${script}: ${trouble}` }];
  });
  return {
    lines: text.lines.filter(({ script }) => troubles.get(script) === ""),
    problems: [...text.problems, ...missing].sort((a, b) => a.line - b.line),
  };
}

function bytesOf(file: string, name: string, files: CommandContext["files"]): Uint8Array {
  let length = 0;
  try {
    return files.readWhile(file === "-" ? null : file, (piece) => {
      length += piece.length;
      return length <= FEED_BYTES_MAX;
    });
  } catch (error) {
    throw new UserError(`${name}: ${errnoText(error)}`);
  }
}

/** Empty for a script that is there. */
function scriptTrouble(path: string, files: CommandContext["files"]): string {
  try {
    return files.stat(path).isFile ? "" : "it is no plain file";
  } catch (error) {
    const text = errnoText(error);
    return text === "No such file or directory" ? "no such file" : text;
  }
}
