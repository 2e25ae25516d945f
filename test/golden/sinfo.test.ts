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
  ["reasons", ["-R"]],
  ["reasons-long", ["-Rl"]],
  ["reservations", ["-T"]],
  ["reservations-long", ["-lT"]],
  ["dead", ["-d"]],
  ["responding", ["-r"]],
  ["measured", ["-N", "-o", "%N %O %e %X %Y %Z %z"]],
  ["measured-together", ["-o", "%O %e %z %N"]],
  ["sorted", ["-S", "-N", "-o", "%N %T"]],
  ["sorted-state", ["-S", "#P,t,-D"]],
  ["sorted-nodes", ["-N", "-S", "-N"]],
  ["every-letter", ["-N", "-o", "%all"]],
  ["fields-all", ["-O", "ALL", "-n", "n1"]],
  ["fields-suffix", ["-O", "NodeList:|,StateLong:##,CPUs:.6x,"]],
  ["all-partitions", ["-a"]],
];

test.each(CASES)("sinfo %s", async (name, argv) => {
  const { code, out, err } = await runOn(command, argv);
  expect({ code, err }).toEqual({ code: 0, err: "" });
  expectGolden(`sinfo-${name}.txt`, out);
});

/** Every name of the manual. */
const FIELDS = (
  "AllocMem AllocNodes Available Cluster Comment Cores CPUs CPUsLoad CPUsState DefaultTime Disk Extra Features " +
  "features_act FreeMem Gres GresUsed Groups MaxCPUsPerNode Memory NodeAddr NodeAI NodeAIOT NodeHost NodeList Nodes " +
  "OverSubscribe Partition PartitionName Port PreemptMode PriorityJobFactor PriorityTier Priority Reason Root Size " +
  "SocketCoreThread Sockets StateCompact StateLong StateComplete Threads Time TimeStamp User UserLong Version Weight"
).split(" ");

test("sinfo -O: every field", async () => {
  let text = "";
  for (const field of FIELDS) {
    const { code, out, err } = await runOn(command, ["-O", `NodeList:10,${field}:`]);
    expect({ field, code, err }).toEqual({ field, code: 0, err: "" });
    text += `${field}\n${out}\n`;
  }
  expectGolden("sinfo-every-field.txt", text);
});

test("sinfo --json and --yaml", async () => {
  const { code, out } = await runOn(command, ["--json", "-a"]);
  expect(code).toBe(0);
  expectGolden("sinfo-json.txt", `${JSON.stringify(JSON.parse(out), null, 2)}\n`);
  expectGolden("sinfo-yaml.txt", (await runOn(command, ["--yaml", "-n", "n6"])).out);
});
