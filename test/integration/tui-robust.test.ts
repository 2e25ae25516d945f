/** The terminal UI in bad times: many resizes, a reader that stops, a controller that dies, few colours and letters. */

import { readFileSync } from "node:fs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { kill, type Running, TestCluster } from "./support/cluster.ts";
import { openTui } from "./support/tui.ts";

const cluster = new TestCluster();
let controller: Running;
beforeAll(async () => {
  ({ controller } = await cluster.startSeparate());
  await cluster.submit("#!/bin/sh\ntrue\n", ["-J", "still", "--hold"]);
});
afterAll(() => cluster.stop());

const pidOf = (command: RegExp): number => {
  const found = cluster.processes().filter((one) => command.test(one.command));
  expect(found).toHaveLength(1);
  return found[0]?.pid as number;
};

const rssMiB = (pid: number): number =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) / 1024;

test("after a hundred resizes the screen is that of one just opened", async () => {
  const { terminal, seen, sees } = openTui(cluster, ["mgpu", "top"]);
  await sees(/still .* PD /);
  terminal.type("2");
  for (let at = 0; at < 100; at++) terminal.resize(20 + ((at * 37) % 180), 5 + ((at * 13) % 50));
  terminal.type("1");
  terminal.resize(110, 33);
  const fresh = openTui(cluster, ["mgpu", "top"], { columns: 110, rows: 33 });
  await fresh.sees(/still .* PD /);
  const wanted = await fresh.seen();
  let last = "";
  await cluster.until(
    async () => {
      last = await seen(110, 33);
      return last === wanted;
    },
    () => `the screens are the same:\n${last}\n${wanted}`,
  );
  for (const one of [terminal, fresh.terminal]) one.type("\x03");
  await Promise.all([terminal.ended, fresh.terminal.ended]);
});

test("a terminal that takes nothing for a while gets no backlog, and memory does not grow", async () => {
  const { terminal, sees } = openTui(cluster, ["mgpu", "top", "--demo"], { columns: 200, rows: 50 });
  await sees(/demonstration/);
  terminal.type("2");
  await sees(/WHOSE/);
  const program = pidOf(/node .*mgpu\.cjs top --demo/);
  const line = pidOf(/python3 .*terminal\.py 200 50/);
  const before = rssMiB(program);
  process.kill(line, "SIGSTOP");
  // The demonstration changes several times a second; a pipe and a terminal together keep some 70 kB.
  await new Promise((resolve) => setTimeout(resolve, 6000));
  const shown = terminal.screen.length;
  expect(rssMiB(program) - before).toBeLessThan(30);
  process.kill(line, "SIGCONT");
  terminal.type("1");
  await sees(/JOBID/);
  expect(terminal.screen.length - shown).toBeLessThan(200_000);
  terminal.type("\x03");
  expect((await terminal.ended).stdout).toContain("\x1b[?1049l");
});

test("a controller that dies is told of, keys go on working, and its jobs come back with it", async () => {
  const { terminal, sees } = openTui(cluster, ["mgpu", "top"]);
  await sees(/still .* PD /);
  kill(controller.pid, "SIGKILL");
  await controller.ended;
  await sees(/trying again/);
  terminal.type("?");
  await sees(/Everywhere/);
  terminal.type("q:hold\r");
  await sees(/Hold job/);
  terminal.type("y");
  await sees(/no contact with the controller/);
  controller = cluster.start("mgpuctld", []);
  await sees(/by id[\s\S]*still .* PD /);
  terminal.type("\x03");
  const { stdout } = await terminal.ended;
  expect(stdout).toContain("\x1b[?25h");
});

test("--ascii and NO_COLOR: letters of ASCII only, and no colour", async () => {
  const { terminal, sees } = openTui(cluster, ["mgpu", "top", "--demo", "--ascii"], { env: { NO_COLOR: "1" } });
  await sees(/demonstration/);
  terminal.type("2");
  await sees(/WHOSE/);
  terminal.type("3");
  await sees(/running/);
  terminal.type("\x03");
  const { stdout } = await terminal.ended;
  expect(stdout).toMatch(/^[\x00-\x7f]*$/);
  expect([...stdout.matchAll(/\x1b\[([\d;]*)m/g)].filter(([, codes = ""]) => /(^|;)3\d/.test(codes))).toEqual([]);
});
