/** A node that a program brings into a cluster of another machine, by the library. */

import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { TestCluster } from "./support/cluster.ts";

const cluster = new TestCluster({ env: { MGPU_NODE_ID: "c1" } });
const other = new TestCluster();
afterAll(async () => {
  await other.stop();
  await cluster.stop();
});

const LIBRARY = join(import.meta.dirname, "../../dist/library.cjs");

const PROGRAM = `
const { startNode, connect, nodes } = require(${JSON.stringify(LIBRARY)});
const [invitation, controllerHome, home, runtime] = process.argv.slice(1);
(async () => {
  const node = await startNode({ invitation, name: "n2", gpus: 1, home, variables: { XDG_RUNTIME_DIR: runtime } });
  process.kill(node.pid, 0);
  const on = await connect({ home: controllerHome, start: false });
  const seen = (await nodes(on)).map(({ name, gpus }) => name + ":" + gpus.length).sort();
  on.close();
  await node.stop();
  let isGone = false;
  // It has let go of its folder; a busy machine needs a moment for the rest.
  for (let looks = 0; !isGone && looks < 500; looks++) {
    try { process.kill(node.pid, 0); } catch { isGone = true; }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  const again = await startNode({ invitation: "127.0.0.1:1#00", home }).catch((error) => error);
  console.log(JSON.stringify({ name: node.name, seen, isGone, error: [again.name, again.problems.length > 0] }));
})();`;

test("startNode with an invitation joins, is seen with its GPUs, and leaves; a bad one is an error in words", async () => {
  const invitation = /^mgpu join (\S+)/m.exec(await cluster.ok("mgpu", ["up", "--listen", "127.0.0.1:0"]))?.[1] ?? "";
  const runtime = join(other.folder, "run");
  mkdirSync(other.home, { mode: 0o700 });
  const said = await cluster.ok(process.execPath, ["-e", PROGRAM, invitation, cluster.home, other.home, runtime]);
  expect(JSON.parse(said)).toEqual({
    ...{ name: "n2", isGone: true, error: ["MgpuError", true] },
    seen: [expect.stringMatching(/^c1:/), "n2:1"],
  });
});
