/** What sinfo refuses and how it ends. Its tables are in test/golden. */

import { expect, test } from "vitest";
import { command } from "../../../src/cli/commands/sinfo.ts";
import { NoController } from "../../../src/cli/connect.ts";
import type { NodeRow } from "../../../src/protocol/procedures.ts";
import type { Connected } from "../../../src/rpc/types.ts";
import { clusterPeer, NODE_ROWS, NOW } from "../../golden/cluster.ts";
import { type Outcome, runOn } from "../../golden/run.ts";
import { connected, type FakeOptions } from "./fake-context.ts";

const sinfo = (argv: readonly string[], options: FakeOptions = {}): Promise<Outcome> => runOn(command, argv, options);

/** A controller of these nodes that can be connected to again and again. */
const clusterOf = (nodes: readonly NodeRow[]) => (): Promise<Connected> =>
  Promise.resolve(connected(clusterPeer({ script: { "nodes.list": () => ({ nodes: [...nodes], now: NOW }) } })));

test.each([
  [
    ["-t", "foo"],
    ['Bad state string: "foo"', expect.stringMatching(/^valid states: idle,alloc,/)],
  ],
  [["-n", "n[1-"], ["Invalid node list: n[1-"]],
  [["foo"], ["Unrecognized option: foo"]],
  [["-l", "-o", "%N"], ["Options -o(--format) and -l(--long) are mutually exclusive. Please remove one and retry."]],
  [["--gpus", "-o", "%N"], ["--gpus has a format of its own; leave out --format"]],
])("%j is refused", async (argv, problems) => {
  const { code, out, err } = await sinfo(argv);
  expect([code, out]).toEqual([1, ""]);
  const told = err.split("\n").slice(0, -1);
  expect(told.map((line) => line.replace("mgpu-sinfo: error: ", ""))).toEqual(problems);
});

test("under Slurm's name words that are no options are overlooked, as Slurm does", async () => {
  expect(await sinfo(["foo", "-h", "-o", "%P"], { program: "sinfo" })).toEqual({ code: 0, out: "main*\n", err: "" });
});

test("an unknown letter is printed as it stands", async () => {
  expect(await sinfo(["-h", "-o", "%P%j"])).toEqual({
    code: 0,
    out: "main*%j\n",
    err: "Invalid node format specification: j\n",
  });
});

test("the growing columns of sinfo's own formats are not for everybody", async () => {
  expect((await sinfo(["-ho", "%#P"])).out).toBe("%#P\n");
});

test("a cluster without nodes has its partition all the same", async () => {
  const controller = clusterOf([]);
  expect((await sinfo(["-h"], { controller })).out).toBe("main*        up   infinite      0    n/a \n");
  expect((await sinfo(["-N"], { controller })).out).toBe("NODELIST   NODES PARTITION STATE \n");
  expect((await sinfo(["-ho", "%C %G %m %E %v %z"], { controller })).out).toBe("");
  expect((await sinfo(["-ho", "%P %C %F %G %m %n %E %v %z"], { controller })).out).toBe(
    "main* 0/0/0/0 0/0/0/0 (null) 0  none N/A 0:0:0\n",
  );
});

test("partitions and variables", async () => {
  const two = NODE_ROWS.slice(0, 2).map((node, index) => ({
    ...node,
    partitions: index === 0 ? ["main", "short"] : ["main"],
  }));
  const controller = clusterOf(two);
  expect((await sinfo(["-aho", "%P %N"], { controller })).out).toBe("main* n[1-2]\nshort n1\n");
  expect((await sinfo(["-ho", "%N %D"], { controller })).out).toBe("n[1-2] 2\n");
  expect((await sinfo(["-aNho", "%N %R"], { controller })).out).toBe("n1 main\nn1 short\nn2 main\n");
  expect((await sinfo(["-p", "short,none", "-ho", "%R"], { controller })).out).toBe("short\n");
  expect((await sinfo(["-p", "none"], { controller })).out).toMatch(/^PARTITION AVAIL .*\n$/);
  const environment = { HOME: "/home/ada", SINFO_FORMAT: "<%R>", SINFO_PARTITION: "short" };
  expect((await sinfo(["-h"], { controller, environment })).out).toBe("<short>\n");
  expect((await sinfo(["-hN"], { controller, environment })).out).toBe("n1             1     short mix   \n");
});

test("GPUs of several types, and a part of one", async () => {
  const [node] = NODE_ROWS;
  if (!node) throw new Error("no node");
  const gpus = node.inventory.gpus.map((gpu, index) => ({ ...gpu, type: index < 3 ? "a100" : "t4" }));
  const row = { ...node, inventory: { ...node.inventory, gpus }, usage: { ...node.usage, gpus: { 0: 1000, 1: 500 } } };
  const controller = clusterOf([row]);
  expect((await sinfo(["-ho", "%G"], { controller })).out).toBe("gpu:a100:3,gpu:t4:1\n");
  expect((await sinfo(["-h", "--gpus"], { controller })).out).toBe(
    "n1        mixed      5/8       1.5/4     a100,t4   2,3\n",
  );
});

test("a node of several partitions has one row of its GPUs", async () => {
  const { out } = await sinfo(["-ha", "--gpus"]);
  const names = out
    .split("\n")
    .slice(0, -1)
    .map((line) => line.split(/\s+/)[0]);
  expect(names).toEqual([...new Set(names)]);
});

test("a dead controller, in Slurm's words under Slurm's name only", async () => {
  const controller = (): Promise<never> => Promise.reject(new NoController("can't reach it", "mgpu up", true));
  expect(await sinfo([], { program: "sinfo", controller })).toEqual({
    code: 1,
    out: "",
    err: "slurm_load_partitions: Unable to contact slurm controller (connect failure)\n",
  });
  expect(await sinfo([], { controller })).toMatchObject({ code: 1, err: expect.stringContaining("can't reach it") });
});
