/** mgpu feed: files of jobs, once and watched, through editors, mistakes and the death of the controller. */

import { renameSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { kill, TestCluster } from "./support/cluster.ts";

const cluster = new TestCluster({
  env: { MGPU_FEEDS_INTERVAL: "0.1", MGPU_MODELS: "llama-70b=4,default_requirement=0.5" },
});

interface Listed {
  readonly path: string;
  readonly queued: number;
  readonly jobs: number;
  readonly trouble: string;
  readonly problems: readonly { readonly line: number; readonly text: string }[];
}

async function feeds(): Promise<Listed[]> {
  return JSON.parse(await cluster.ok("mgpu", ["feed", "list", "--json"])).feeds;
}

const commands = (): Promise<string[]> => cluster.queue("%i %j %b %o", "-t", "all", "-S", "i");

beforeAll(async () => {
  cluster.write("a.sh", 'echo "$*" >> ran.txt\n');
  cluster.write("fail.sh", "exit 3\n");
  await cluster.ok("mgpu", ["up"]);
}, 60_000);
afterAll(() => cluster.stop());

test("queues the good lines once, tells the bad ones by number, and waits with a bar", async () => {
  cluster.write("jobs.txt", '# a comment\n0,a.sh,,--llm Llama-70B,0-3\n7,a.sh\n\n1,none.sh\n2,a.sh,,"1,2"\n');
  const first = await cluster.run("mgpu", ["feed", "jobs.txt", "--output=/dev/null", "--wait", "--progress"]);
  expect(first).toMatchObject({ code: 1, stdout: "jobs.txt: 2 jobs queued: 1-2; 2 lines not queued\n" });
  expect(first.stderr).toContain('mgpu feed: error: jobs.txt: line 3: priority: expected 0, 1 or 2, got "7"\n');
  expect(first.stderr).toContain("mgpu feed: error: jobs.txt: line 5: script: none.sh: no such file\n");
  expect(first.stderr).toContain("mgpu feed: model Llama-70B gets --gpus=4 (1 job)\n");
  expect(first.stderr).toContain("mgpu feed: 2 jobs [####################] 2/2 ended, 0 running\n");
  expect(cluster.read("ran.txt").split("\n").sort()).toEqual(["", "--llm Llama-70B", "1,2"]);
  expect(await commands()).toEqual([
    `1 a.sh gres/gpu:4 ${cluster.work}/a.sh bash a.sh --llm Llama-70B`,
    `2 a.sh gres/gpu:0.5 ${cluster.work}/a.sh bash a.sh 1,2`,
  ]);
  const again = await cluster.run("mgpu", ["feed", "jobs.txt"]);
  expect(again.stdout).toBe("jobs.txt: no job queued; 2 lines were queued before; 2 lines not queued\n");
  const forced = await cluster.run("mgpu", ["feed", "jobs.txt", "--resubmit", "--hold", "--output=/dev/null"]);
  expect(forced.stdout).toBe("jobs.txt: 2 jobs queued: 3-4; 2 lines not queued\n");
  await cluster.ok("mgpu-scancel", ["3", "4"]);
});

test("files of the configuration are watched from the start on, until it names them no more; a missing one is told of", async () => {
  const other = new TestCluster({ env: { MGPU_FEEDS_INTERVAL: "0.1" } });
  try {
    other.write("here.sh", "pwd > here.txt\n");
    const [now, later] = [other.write("now.txt", "0,here.sh\n7,here.sh\n"), join(other.work, "later.txt")];
    const config = other.write("config.json", JSON.stringify({ feeds: { files: [now, later] } }));
    await other.ok("mgpu", ["up"], { env: { MGPU_CONFIG: config } });
    await other.until(() => other.has("here.txt") && other.read("here.txt") === `${other.work}\n`, "its job ran");
    const { feeds: listed } = JSON.parse(await other.ok("mgpu", ["feed", "list", "--json"]));
    expect(listed).toMatchObject([{ path: now, queued: 1, problems: [{ line: 2 }] }]);
    expect(other.logs()).toMatch(/later\.txt.*No such file/);
    const bad = other.write("bad.json", JSON.stringify({ feeds: { files: ["jobs.txt"] } }));
    const checked = await other.run("mgpu", ["config", "check", bad]);
    expect(checked).toMatchObject({ code: 1, stderr: expect.stringContaining("expected absolute paths") });

    other.write("config.json", JSON.stringify({ feeds: { files: [later] } }));
    await other.ok("mgpu", ["feed", other.write("own.txt", "0,here.sh\n"), "--watch"]);
    await other.ok("mgpu", ["down"]);
    await other.ok("mgpu", ["up"], { env: { MGPU_CONFIG: config } });
    const watched = async () => JSON.parse(await other.ok("mgpu", ["feed", "list", "--json"])).feeds;
    await other.until(async () => (await watched()).length === 1, "the one that is gone from the file is stopped");
    expect(await watched()).toMatchObject([{ path: join(other.work, "own.txt") }]);
  } finally {
    await other.stop();
  }
});

test("from standard input with names of columns; the exit code is that of the jobs", async () => {
  const input = "script,gpus,name\nfail.sh,1,bad\n";
  const ran = await cluster.run("mgpu", ["feed", "-", "--wait", "--output=/dev/null"], { input });
  expect(ran).toMatchObject({ code: 3, stdout: "-: 1 job queued: 5\n", stderr: "" });
  expect((await commands()).at(-1)).toMatch(/^5 bad gres\/gpu:1 /);
});

test("a watched file is read when it changes, through the death of the controller, until it is stopped", async () => {
  const path = cluster.write("watched.txt", "1,a.sh,,one,\nx,a.sh,,two,\n");
  const started = await cluster.run("mgpu", ["feed", "watched.txt", "--watch", "--output=/dev/null"]);
  expect(started).toMatchObject({ code: 1, stdout: "watched.txt: 1 job queued: 6; 1 line not queued\n" });
  expect(started.stderr).toContain(`mgpu feed: ${path} is watched as feed 1; mgpu feed stop 1 ends it\n`);
  expect(await cluster.ok("mgpu", ["feed", "list"])).toContain(
    `${path}: line 2: priority: expected 0, 1 or 2, got "x"\n`,
  );

  kill(await cluster.pidOf("mgpuctld"), "SIGKILL");
  // As editors save: another file takes the name. The line that was wrong is right now, and there is a new one.
  cluster.write("new.txt", "1,a.sh,,one,\n2,a.sh,,two,\n1,a.sh,,three,\n");
  renameSync(join(cluster.work, "new.txt"), path);
  await cluster.until(async () => (await cluster.run("mgpu", ["up"])).code === 0, "the controller is back");
  await cluster.until(async () => (await feeds())[0]?.queued === 3, "both new lines are jobs");
  expect(await feeds()).toMatchObject([{ path, queued: 3, jobs: 3, problems: [], trouble: "" }]);
  expect((await commands()).slice(-3).map((row) => row.replace(/.* /, ""))).toEqual(["one", "two", "three"]);

  renameSync(path, join(cluster.work, "away.txt"));
  await cluster.until(async () => (await feeds())[0]?.trouble === "No such file or directory", "it is seen to be gone");
  expect(await cluster.ok("mgpu", ["feed", "stop", "watched.txt"])).toBe(`${path} is watched no more; its jobs stay\n`);
  expect(await feeds()).toEqual([]);
}, 90_000);

test("ten thousand lines at once", async () => {
  const lines = Array.from({ length: 10_000 }, (_, at) => `2,a.sh,,--n ${at},\n`);
  cluster.write("many.txt", lines.join(""));
  const first = await cluster.ok("mgpu", ["feed", "many.txt", "--hold"]);
  expect(first).toMatch(/^many.txt: 10000 jobs queued: \d+-\d+\n$/);
  cluster.append(join(cluster.work, "many.txt"), "2,a.sh,,--n 10000,\n");
  expect(await cluster.ok("mgpu", ["feed", "many.txt", "--hold"])).toMatch(
    /^many.txt: 1 job queued: \d+; 10000 lines were queued before\n$/,
  );
  await cluster.ok("mgpu-scancel", ["--user", process.env.USER ?? "root"]);
}, 120_000);

test("what is no feed is refused in a line, and nothing is queued", async () => {
  const before = await commands();
  cluster.write("loop.txt", "");
  const { symlinkSync, rmSync, mkdirSync, writeFileSync } = await import("node:fs");
  rmSync(join(cluster.work, "loop.txt"));
  symlinkSync("loop.txt", join(cluster.work, "loop.txt"));
  mkdirSync(join(cluster.work, "folder.txt"));
  writeFileSync(join(cluster.work, "wide.txt"), Buffer.from("1,a.sh,,,\n", "utf16le"));
  writeFileSync(join(cluster.work, "big.txt"), Buffer.alloc(100_000_000, "#"));
  const all: [string[], string][] = [
    [["nowhere.txt"], "nowhere.txt: No such file or directory"],
    [["folder.txt"], "folder.txt: Is a directory"],
    [["loop.txt"], "loop.txt: Too many levels of symbolic links"],
    [["wide.txt"], "wide.txt: it holds zero bytes, so it is no text"],
    [["big.txt"], "big.txt: it has more than 8 MiB"],
    [["nowhere.txt", "--watch"], `${cluster.work}/nowhere.txt: No such file or directory`],
    [["folder.txt", "--watch"], `${cluster.work}/folder.txt: it is no plain file`],
    [["loop.txt", "--watch"], `${cluster.work}/loop.txt: Too many levels of symbolic links`],
    [["stop", "nowhere.txt"], "nowhere.txt: no such feed"],
  ];
  for (const [words, text] of all) {
    const { code, stdout, stderr } = await cluster.run("mgpu", ["feed", ...words]);
    expect({ words, code, stdout, first: stderr.split("\n")[0] }).toEqual({
      ...{ words, code: 1, stdout: "", first: `mgpu feed: error: ${text}` },
    });
  }
  expect(await commands()).toEqual(before);
  expect(await feeds()).toEqual([]);
}, 60_000);
