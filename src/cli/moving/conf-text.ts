/**
 * slurm.conf and gres.conf as lines of Key=Value, after the rules of slurm.conf(5): `#` begins a comment, a backslash at
 * the end goes on with the next line, `Include FILE` (with %c for the cluster) brings another file in, keys are written
 * in any case, values stand in double quotes where they have blanks.
 */

import { errnoText } from "../../util/errno.ts";
import type { Files } from "../context.ts";

export interface Pair {
  /** As it was typed. */
  readonly key: string;
  readonly value: string;
  /** `slurm.conf:12` */
  readonly place: string;
  /** What stands behind it after a `#` on its line. */
  readonly comment: string;
}

/** One line, those that it goes on with included. */
export type ConfLine = readonly [first: Pair, ...more: Pair[]];

export interface ConfText {
  readonly lines: readonly ConfLine[];
  /** `slurm.conf:12: expected Key=Value, got "Foo"` */
  readonly problems: readonly string[];
}

type Reader = Pick<Files, "read" | "stat">;

/** Files that include one another deeper than this do so in a circle. */
const DEPTH_MAX = 20;

/** Larger files are none of Slurm's. */
const BYTES_MAX = 16 * 1024 * 1024;

/** As Slurm's parser finds them; what an operator before the = would do, is done to no key of these files. */
const PAIR = /([A-Za-z0-9_.]+)[ \t]*=[ \t]*(?:"([^"]*)"|([^\s"]\S*))(?=\s|$)/y;

/**
 * Reads a file and those that it includes. Files that can't be read are problems.
 * @param path absolute
 * @param name as messages call it
 */
export function readConf(path: string, name: string, files: Reader): ConfText {
  const lines: ConfLine[] = [];
  const problems: string[] = [];
  const folder = path.slice(0, path.lastIndexOf("/"));
  const shownFolder = name.includes("/") ? name.slice(0, name.lastIndexOf("/") + 1) : "";
  let cluster = "";
  const include = (file: string, shown: string, place: string, depth: number): void => {
    const text = depth > DEPTH_MAX ? { problem: "files include one another in a circle" } : readText(file, files);
    if (typeof text !== "string") {
      problems.push(place === "" ? `${shown}: ${text.problem}` : `${place}: Include ${shown}: ${text.problem}`);
      return;
    }
    for (const joined of joinLines(text, shown)) {
      const [, wanted] = /^\s*include\s+(\S.*?)\s*$/i.exec(joined.text) ?? [];
      if (wanted !== undefined) {
        const meant = wanted.replace(/^"(.*)"$/, "$1").replaceAll("%c", cluster);
        const isAbsolute = meant.startsWith("/");
        include(
          isAbsolute ? meant : `${folder}/${meant}`,
          isAbsolute ? meant : shownFolder + meant,
          joined.place(0),
          depth + 1,
        );
        continue;
      }
      const read = readPairs(joined);
      if ("problem" in read) problems.push(read.problem);
      const [first, ...more] = read.pairs;
      if (first) lines.push([first, ...more]);
      cluster = read.pairs.find(({ key }) => /^clustername$/i.test(key))?.value ?? cluster;
    }
  };
  include(path, name, "", 0);
  return { lines, problems };
}

interface Joined {
  readonly text: string;
  /** The place of a position in the text. */
  place(offset: number): string;
  comment(offset: number): string;
}

/** Lines without comments; one that ends in a backslash has the next behind it. */
function joinLines(text: string, name: string): Joined[] {
  const all: Joined[] = [];
  let open = "";
  let pieces: { readonly from: number; readonly line: number; readonly comment: string }[] = [];
  const close = (): void => {
    const [whole, own] = [open, pieces];
    const pieceAt = (offset: number) => own.findLast(({ from }) => from <= offset);
    if (whole.trim() !== "") {
      all.push({
        text: whole,
        place: (offset) => `${name}:${pieceAt(offset)?.line ?? 1}`,
        comment: (offset) => pieceAt(offset)?.comment ?? "",
      });
    }
    open = "";
    pieces = [];
  };
  for (const [index, raw] of text.split(/\r?\n/).entries()) {
    const [, content = "", comment = ""] = /^((?:[^#\\]|\\.|\\$)*)(?:#(.*))?$/s.exec(raw) ?? [];
    pieces.push({ from: open.length, line: index + 1, comment: comment.trim() });
    const goesOn = /\\\s*$/.test(content);
    open += content.replace(/\\\s*$/, "").replaceAll("\\#", "#");
    if (!goesOn) close();
  }
  close();
  return all;
}

function readPairs({ text, place, comment }: Joined): { readonly pairs: Pair[]; readonly problem?: string } {
  const pairs: Pair[] = [];
  let at = 0;
  for (;;) {
    at += /^\s*/.exec(text.slice(at))?.[0].length ?? 0;
    if (at >= text.length) return { pairs };
    PAIR.lastIndex = at;
    const [whole, key = "", quoted, plain] = PAIR.exec(text) ?? [];
    if (whole === undefined) {
      const got = text.slice(at).trim();
      const shown = got.length > 60 ? `${got.slice(0, 57)}...` : got;
      return { pairs, problem: `${place(at)}: expected Key=Value, got "${shown}"` };
    }
    pairs.push({ key, value: quoted ?? plain ?? "", place: place(at), comment: comment(at) });
    at += whole.length;
  }
}

/** A file's text, or why it can't be read. */
export function readText(path: string, files: Reader): string | { readonly problem: string } {
  try {
    const { isFile, size } = files.stat(path);
    if (!isFile) return { problem: "this is no plain file" };
    if (size > BYTES_MAX) return { problem: `larger than ${BYTES_MAX} bytes` };
    return new TextDecoder("utf-8", { fatal: true }).decode(files.read(path));
  } catch (error) {
    const { code } = error as { readonly code?: string };
    return { problem: code === "ERR_ENCODING_INVALID_ENCODED_DATA" ? "this is no UTF-8 text" : errnoText(error) };
  }
}
