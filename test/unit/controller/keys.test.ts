/** The register of keys, on a real disk: who reads it after a crash must find what was promised. */

import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { Keys } from "../../../src/controller/network/keys.ts";
import { realDigest } from "../../../src/platform/digest.ts";
import { realDisk } from "../../../src/platform/disk.ts";
import { realRandom } from "../../../src/platform/random.ts";
import { manualClock } from "../rpc/manual-clock.ts";

test("machines that join at the same moment all use up the token and all get a key", async () => {
  const folder = mkdtempSync(join(tmpdir(), "mgu-keys-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const ports = { disk: realDisk(), random: realRandom(), digest: realDigest(), clock: manualClock() };
  const path = join(folder, "keys.json");
  const keys = await Keys.open(ports, path);
  const token = await keys.makeToken(8, 1000);
  const name = token.identity.split("/")[1] ?? "";
  const nodes = Array.from({ length: 8 }, (_, index) => `n${index}`);
  const joined = nodes.map(async (node) => {
    expect(await keys.useToken(name)).toBe(true);
    await keys.issue("node", node, { uid: 0, gid: 0, name: "root" });
  });
  await Promise.all(joined);
  const read = await Keys.open(ports, path);
  expect(read.isToken(name)).toBe(false);
  expect(read.all.map((key) => key.name).sort()).toEqual(nodes);
  expect(readdirSync(folder)).toEqual(["keys.json"]);
});
