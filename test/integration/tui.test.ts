/** The terminal UI on a real terminal and a real cluster. */

import { afterAll, beforeAll, expect, test } from "vitest";
import { TestCluster } from "./support/cluster.ts";
import { Terminal } from "./support/terminal.ts";
import { openTui } from "./support/tui.ts";

const cluster = new TestCluster();
beforeAll(() => cluster.startSeparate());
afterAll(() => cluster.stop());

const open = (argv: readonly string[], env: Record<string, string> = {}) => openTui(cluster, argv, { env });

test("jobs come, are looked at, cancelled, and the plain table stays when it is left", async () => {
  const script = "#!/bin/sh\necho hello from the job\nsleep 600\n";
  const id = await cluster.submit(script, ["-J", "talker"]);
  await cluster.untilState(id, "RUNNING");
  const { terminal, sees } = open(["mgpu-squeue"]);
  await sees(new RegExp(`${id} .*talker .* R `));
  const late = await cluster.submit(script, ["-J", "latecomer", "--hold"]);
  await sees(/latecom.* PD .*JobHeldUser/);
  terminal.type("l");
  await sees(/following[\s\S]*hello from the job/);
  terminal.type("q");
  terminal.type("/latecomer\r");
  await sees(/1\/1/);
  terminal.type("\r");
  await sees(/Why it waits: JobHeldUser[\s\S]*JobName=latecomer/);
  terminal.type("qc");
  await sees(/Cancel job \d+ \(latecomer, \w+\)\? \[y\/N\]/);
  terminal.type("y");
  await cluster.untilState(late, "CANCELLED");
  await sees(/no job matches "latecomer"/);
  terminal.type("q");
  const left = await terminal.ended;
  expect(left.code).toBe(0);
  const after = left.stdout.slice(left.stdout.lastIndexOf("\x1b[?1049l"));
  expect(after).toMatch(/JOBID PARTITION[\s\S]* talker /);
  expect(left.stdout).toContain("\x1b[?25h");
});

test("the terminal is given back after a signal, and by the launcher after kill -9", async () => {
  for (const [signal, code] of [
    ["TERM", 143],
    ["KILL", 137],
  ] as const) {
    const script = `mgpu top --demo; echo "ended $?"; stty -a | tr ' ' '\\n' | grep -x -- '-*icanon'`;
    const { terminal, sees } = open(["sh", "-c", script]);
    await sees(/demonstration/);
    const pids = cluster.processes().filter(({ command }) => /node .*mgpu\.cjs top --demo/.test(command));
    expect(pids).toHaveLength(1);
    for (const { pid } of pids) process.kill(pid, `SIG${signal}`);
    await terminal.shows(`ended ${code}`);
    await terminal.shows(/\r\nicanon/);
    expect((await terminal.ended).stdout).toContain("\x1b[?1049l");
  }
});

test("a session gets the terminal, and the screen comes back with its keys", async () => {
  const session = new Terminal(cluster, [
    "mgpu-srun",
    "-J",
    "inside",
    "sh",
    "-c",
    "echo ready; read -r word; echo got $word",
  ]);
  await session.shows("ready");
  session.type("\x1cd");
  await session.ended;
  const { terminal, sees } = open(["mgpu", "top"]);
  await sees(/inside .* R /);
  terminal.type("/inside\ra");
  await terminal.shows(/mgpu-sattach \d+[\s\S]*ready/);
  terminal.type("\x1cd");
  await sees(/mgpu-sattach \d+ has ended \(0\)/);
  terminal.type("?");
  await sees(/Everywhere/);
  terminal.type("qq");
  expect((await terminal.ended).code).toBe(0);
});

test("in a pipe, with an argument, and where it is not wanted, the table is printed", async () => {
  expect((await cluster.run("mgpu-squeue", [])).stdout).toMatch(/^ +JOBID PARTITION/);
  for (const shown of [open(["mgpu-squeue", "--noheader", "--me"]), open(["mgpu-squeue"], { MGPU_TUI: "never" })]) {
    const { code, stdout } = await shown.terminal.ended;
    expect(code).toBe(0);
    expect(stdout).not.toContain("\x1b[?1049h");
  }
  const refused = await cluster.run("mgpu", ["top"]);
  expect(refused).toMatchObject({ code: 1 });
  expect(refused.stderr).toContain("needs a terminal");
});
