/** Where a batch script comes from, and how much of it is read before it is clear that it is none. */

import { expect, test } from "vitest";
import { loadScript } from "../../../src/cli/script.ts";
import { fakeContext } from "./fake-context.ts";

const MIB = 1024 * 1024;

/** A file of any size in pieces; `taken` counts the bytes that were asked for. */
function source(pieces: Iterable<string | Uint8Array>) {
  const seen = { taken: 0, path: undefined as string | null | undefined };
  const readWhile = (path: string | null, goOn: (piece: Uint8Array) => boolean): Uint8Array => {
    seen.path = path;
    const chunks: Uint8Array[] = [];
    for (const piece of pieces) {
      const bytes = typeof piece === "string" ? new TextEncoder().encode(piece) : piece;
      chunks.push(bytes);
      seen.taken += bytes.length;
      if (!goOn(bytes)) break;
    }
    return Buffer.concat(chunks);
  };
  return { seen, context: fakeContext({ fileQuestions: { readWhile } }).context };
}

function* endless(piece: string | Uint8Array): Generator<string | Uint8Array> {
  for (;;) yield piece;
}

test("a script is read to its end, in whatever pieces it comes", () => {
  const { context, seen } = source(["#", "!/bin/sh\n", "echo one\n", " \n", "echo two\n"]);
  const script = loadScript(undefined, "job.sh", context);
  expect(script.problems).toEqual([]);
  expect(new TextDecoder().decode(script.bytes)).toBe("#!/bin/sh\necho one\n \necho two\n");
  expect(seen.path).toBe("job.sh");
  for (const path of [undefined, "-", "/dev/stdin"]) {
    const stdin = source(["#!/bin/sh\n"]);
    expect(loadScript(undefined, path, stdin.context).problems).toEqual([]);
    expect(stdin.seen.path).toBeNull();
  }
});

test.each<[string, string | Uint8Array, number]>([
  ["zeros", new Uint8Array(1000), 1000],
  ["a word a piece", "yes\n", 4],
  ["bytes one by one", "x", 2],
])("%s without end are not read for long", (_, piece, most) => {
  const { context, seen } = source(endless(piece));
  expect(loadScript(undefined, "/dev/zero", context).problems[0]).toBe(
    "This does not look like a batch script.  The first",
  );
  expect(seen.taken).toBeLessThanOrEqual(most);
});

test("whitespace is read on, until it can't become a script any more", () => {
  const blank = source([" ", "\n", "\t"]);
  expect(loadScript(undefined, "x", blank.context).problems).toEqual(["Batch script contains only whitespace!"]);
  const late = source([" \n", "#!/bin/sh\n", "never read"]);
  expect(loadScript(undefined, "x", late.context).problems[0]).toContain("does not look like a batch script");
  expect(late.seen.taken).toBe(12);
});

test("at 4 MiB it is too big, in Slurm's words", () => {
  function* large(): Generator<string> {
    yield "#!/bin/sh\n";
    for (;;) yield "#".repeat(MIB);
  }
  const file = source(large());
  expect(loadScript(undefined, "big.sh", file.context).problems).toEqual([
    `Script big.sh is too big, read ${4 * MIB + 10} > ${4 * MIB} bytes.`,
  ]);
  expect(file.seen.taken).toBe(4 * MIB + 10);
  expect(loadScript(undefined, undefined, source(large()).context).problems[0]).toMatch(
    /^Script from STDIN is too big/,
  );
  const most = source(["#!/bin/sh\n", "#".repeat(4 * MIB - 10)]);
  expect(loadScript(undefined, "x", most.context).problems).toEqual([]);
});

test("a byte order mark before #! makes it no script: the system would not run it", () => {
  const { context } = source(["\ufeff#!/bin/sh\n", "echo\n"]);
  expect(loadScript(undefined, "x", context).problems[0]).toContain("does not look like a batch script");
});
