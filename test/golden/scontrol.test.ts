/** scontrol's records of nodes, byte for byte. */

import { expect, test } from "vitest";
import { command } from "../../src/cli/commands/scontrol.ts";
import { expectGolden } from "./expect-golden.ts";
import { runOn } from "./run.ts";

const CASES: readonly (readonly [string, readonly string[]])[] = [
  ["nodes", ["show", "node"]],
  ["node-details", ["-d", "show", "node", "n[1-2]"]],
  ["node-oneline", ["-o", "show", "nodes"]],
  ["partition", ["show", "partition"]],
  ["partitions-all", ["-a", "show", "part"]],
  ["partition-oneline", ["--all", "--oneliner", "show", "partition"]],
  ["partition-json", ["show", "partition", "short", "--json"]],
  ["reservations", ["show", "res"]],
  ["reservation-oneline", ["-o", "show", "reservation", "upkeep"]],
  ["reservations-json", ["show", "reservations", "--json"]],
  ["licenses", ["show", "licenses"]],
  ["licenses-oneline", ["-o", "show", "lic"]],
  ["licenses-yaml", ["show", "licenses", "ansys@server", "--yaml"]],
  ["steps", ["show", "step"]],
  ["steps-json", ["show", "steps", "--json"]],
  ["node-json", ["show", "node", "n6,n1", "--json"]],
];

test.each(CASES)("scontrol %s", async (name, argv) => {
  const { code, out, err } = await runOn(command, argv);
  expect({ code, err }).toEqual({ code: 0, err: "" });
  expectGolden(`scontrol-${name}.txt`, out);
});
