/** squeue's tables and JSON, byte for byte, from a job in every state. */

import { expect, test } from "vitest";
import { command } from "../../src/cli/commands/squeue.ts";
import { expectGolden } from "./expect-golden.ts";
import { runOn } from "./run.ts";

/** What clients of Slurm ask for: row 3 and section 5.1 of slurm-surface.md. */
const CASES: readonly (readonly [string, readonly string[]])[] = [
  ["default", []],
  ["long", ["-l"]],
  ["all-states", ["--states=all"]],
  ["all-states-long", ["-lt", "all"]],
  ["noheader", ["-h"]],
  ["bars", ["-t", "all", "-o", "%i|%A|%F|%K|%t|%T|%r|%R|%B|%N|%u|%U|%a|%q|%j|%P|%C|%D"]],
  ["times", ["-t", "all", "-o", "%.6i|%M|%l|%L|%S|%V|%e"]],
  ["resources", ["-t", "all", "-o", "%.6i|%m|%b|%c|%C|%D|%y|%Q|%p|%n|%x|%o|%Z|%v|%k"]],
  ["quotes", ["-o", '"%i","%j","%t","%M","%L","%D","%C","%m","%b","%R"']],
  ["json-like", ["-ho", '{"id": %i, "state": "%T", "user": "%u"}']],
  ["widths", ["-o", "%4i%.4i|%16b|%2t%100j|%.3N|%.3R|%.2M|%.2l|%.3S|%05i|%.i"]],
  ["every-letter", ["-t", "all", "-o", "%all"]],
  ["sorted-as-slurm", ["-t", "all", "-S", "P,t,-p"]],
  ["sorted", ["-t", "all", "--sort", "u,-M,+i", "-o", "%u %M %i"]],
];

test.each(CASES)("squeue %s", async (name, argv) => {
  const { code, out, err } = await runOn(command, argv);
  expect({ code, err }).toEqual({ code: 0, err: "" });
  expectGolden(`squeue-${name}.txt`, out);
});

test("squeue in another time zone", async () => {
  const { out } = await runOn(command, ["-lt", "R", "-S", "i"], { utcOffsetMinutes: 330 });
  const { out: times } = await runOn(command, ["-t", "R", "-o", "%i %S"], { utcOffsetMinutes: 330 });
  expectGolden("squeue-time-zone.txt", out + times);
});

test("squeue under Slurm's own name is sorted as Slurm sorts", async () => {
  const { out } = await runOn(command, ["-t", "all"], { program: "squeue" });
  expectGolden("squeue-sorted-as-slurm.txt", out);
});

test("squeue --json", async () => {
  const { code, out } = await runOn(command, ["--json", "-t", "all"]);
  expect(code).toBe(0);
  expectGolden("squeue-json.txt", `${JSON.stringify(JSON.parse(out), null, 2)}\n`);
});
