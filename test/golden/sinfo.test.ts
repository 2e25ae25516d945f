/** sinfo's tables, byte for byte, from nodes in every state. */

import { expect, test } from "vitest";
import { command } from "../../src/cli/commands/sinfo.ts";
import { expectGolden } from "./expect-golden.ts";
import { runOn } from "./run.ts";

const CASES: readonly (readonly [string, readonly string[]])[] = [
  ["default", []],
  ["long", ["-l"]],
  ["nodes", ["-N"]],
  ["nodes-long", ["-Nl"]],
  ["summary", ["-s"]],
  ["noheader", ["-h"]],
  ["gpus", ["--gpus"]],
  ["partition", ["-o", "%P"]],
  ["clients", ["-o", "%P|%R|%N|%D|%T|%t|%C|%F|%G|%l|%c|%m|%f|%e|%O|%w|%E"]],
  ["topology", ["-N", "-o", "%n %X %Y %Z %z %p %A %B %b %d %g %h %H %I %L %M %o %r %s %S %u %U %V %v"]],
  ["grouped", ["-o", "%G %D %N %c %m"]],
  ["exact", ["-e", "-o", "%G %D %N %c %m"]],
  ["names-only", ["-h", "-N", "-p", "main", "-o", "%N|%t", "-e"]],
  ["some-nodes", ["-n", "n[1-3],n10"]],
  ["some-states", ["-t", "idle,down"]],
  ["two-states", ["-t", "drain&mix", "-N"]],
  ["no-such-node", ["-n", "n99"]],
];

test.each(CASES)("sinfo %s", async (name, argv) => {
  const { code, out, err } = await runOn(command, argv);
  expect({ code, err }).toEqual({ code: 0, err: "" });
  expectGolden(`sinfo-${name}.txt`, out);
});
