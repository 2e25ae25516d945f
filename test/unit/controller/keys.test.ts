/** The register of keys, on a real disk: who reads it after a crash must find what was promised. */

import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { Keys } from "../../../src/controller/network/keys.ts";
import { realDigest } from "../../../src/platform/digest.ts";
import { realDisk } from "../../../src/platform/disk.ts";
import { realRandom } from "../../../src/platform/random.ts";
import { manualClock } from "../rpc/manual-clock.ts";

const ROOT = { uid: 0, gid: 0, name: "root" };

/** An empty register on a disk of its own. */
async function register() {
  const folder = mkdtempSync(join(tmpdir(), "mgu-keys-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const clock = manualClock();
  const ports = { disk: realDisk(), random: realRandom(), digest: realDigest(), clock };
  const path = join(folder, "keys.json");
  return { path, clock, keys: await Keys.open(ports, path), again: () => Keys.open(ports, path) };
}

test("a token lets in so many machines, for so long, and no more", async () => {
  const { keys, clock } = await register();
  const nameOf = ({ identity }: { identity: string }): string => identity.split("/")[1] ?? "";
  const twice = nameOf(await keys.makeToken(2, 60_000));
  expect([await keys.useToken(twice), await keys.useToken(twice), await keys.useToken(twice)]).toEqual([
    true,
    true,
    false,
  ]);
  const brief = nameOf(await keys.makeToken(5, 60_000));
  clock.advance(59_999);
  expect(keys.isToken(brief)).toBe(true);
  clock.advance(1);
  expect([keys.isToken(brief), await keys.useToken(brief)]).toEqual([false, false]);
});

test("of a name the newest key alone is good, with a number and a secret of its own", async () => {
  const { keys, again, path } = await register();
  await keys.issue("user", "ada", ROOT);
  const first = keys.credential("user/ada/1");
  await keys.issue("user", "ada", ROOT);
  expect([keys.lookUp("user/ada/1"), keys.lookUp("user/ada/2")?.generation]).toEqual([null, 2]);
  expect(keys.credential("user/ada/2").key).not.toBe(first.key);
  const read = await again();
  expect(read.credential("user/ada/2")).toEqual(keys.credential("user/ada/2"));
  expect(readFileSync(path, "utf8")).not.toContain(first.key);
  expect((await read.revoke(({ name }) => name === "ada")).map(({ generation }) => generation)).toEqual([2]);
  expect([read.lookUp("user/ada/2"), (await again()).lookUp("user/ada/2")]).toEqual([null, null]);
  expect((await read.issue("user", "ada", ROOT)).generation).toBe(3);
  await expect(read.issue("user", "../ada", ROOT)).rejects.toMatchObject({ code: "BAD_PARAMS" });
});

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
