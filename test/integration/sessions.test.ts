/** Sessions that can be left and come back to, on real terminals, through the deaths of all that carries them. */

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { kill, type Running, TestCluster } from "./support/cluster.ts";
import { screenAfter } from "./support/emulator.ts";
import { Terminal, type TerminalOptions } from "./support/terminal.ts";

const PREFIX = "\x1c";

const cluster = new TestCluster();
let controller: Running;
let node: Running;
beforeAll(async () => {
  ({ controller, node } = await cluster.startSeparate());
});
afterAll(() => cluster.stop());

const open = (argv: readonly string[], options?: TerminalOptions) => new Terminal(cluster, argv, options);

/** A session with this name, and the number of its job. */
async function session(name: string, script: string, rows = 24): Promise<{ terminal: Terminal; id: string }> {
  const terminal = open(["mgpu-srun", "-J", name, "bash", "--norc", "-c", script], { rows });
  await terminal.shows("ready\r\n");
  const [id = ""] = await cluster.queue("%i", "-n", name);
  return { terminal, id };
}

const FULL_SCREEN = [
  "printf '\\033[?1049h\\033[2J\\033[5;7H\\033[1;32mgreen\\033[0m \\033[7mreverse\\033[0m\\033[10;3Hsecond \\xe6\\xbc\\xa2'",
  "printf '\\033[?25l\\033[20;40H'",
].join("; ");

describe("detach and attach", () => {
  test("the screen of a full-screen program is the same after it, and the terminal is sane in between", async () => {
    const { terminal, id } = await session("full", `echo ready; ${FULL_SCREEN}; read -r word; exit 5`);
    await terminal.shows("\x1b[20;40H");
    const before = await screenAfter(terminal.screen);
    terminal.type(`${PREFIX}d`);
    const left = await terminal.ended;
    expect(left.code).toBe(0);
    expect(left.stdout).toContain(`mgpu-srun: detached from job ${id}; attach again with: mgpu-sattach ${id}\r\n`);
    expect(left.stdout).toMatch(/\x1b\[\?25h\x1b\[\?1049l\x1b\[0m/);
    const back = open(["mgpu-sattach", id]);
    await back.shows("reverse");
    await cluster.until(async () => (await screenAfter(back.screen)) === before, "the screen is as it was");
    back.type("x\r");
    expect((await back.ended).code).toBe(5);
  });

  test("a closed window detaches; somebody else looks on, and somebody takes over", async () => {
    const { terminal, id } = await session("shared", "echo ready; while read -r word; do echo got $word; done");
    terminal.close();
    await terminal.ended;
    const writer = open(["mgpu-sattach", id]);
    await writer.shows("ready");
    const reader = open(["mgpu-sattach", "--read-only", id]);
    await reader.shows("ready");
    reader.type("lost\r");
    const refused = await open(["mgpu-sattach", id]).ended;
    expect([refused.code, refused.stdout]).toEqual([
      1,
      expect.stringMatching(
        /^mgpu-sattach: error: \S+@\S+ is attached to this session\r\nmgpu-sattach: hint: --read-only looks on, --steal takes it over\r\n$/,
      ),
    ]);
    writer.type("one\r");
    await reader.shows("got one\r\n");
    const thief = open(["mgpu-sattach", "--steal", id]);
    expect((await writer.ended).stdout).toMatch(/detached from job \d+: \S+@\S+ took this session over;/);
    thief.type("two\r");
    await reader.shows("got two\r\n");
    expect(reader.screen).not.toContain("lost");
    reader.type(`${PREFIX}d`);
    expect((await reader.ended).code).toBe(0);
    thief.type("\x04");
    expect((await thief.ended).code).toBe(0);
  });

  test("the keys: help, a prefix for the program, a job that is killed after a question", async () => {
    const { terminal, id } = await session("keys", "echo ready; stty raw -echo; exec od -An -c -N4");
    terminal.type(`${PREFIX}?`);
    await terminal.shows(/after Ctrl-\\: d detach, k kill,/);
    terminal.type(`${PREFIX}${PREFIX}ab${PREFIX}kn`);
    await terminal.shows("end the job? y/N");
    terminal.type(`${PREFIX}ky`);
    const { code } = await terminal.ended;
    expect(code).toBeGreaterThan(128);
    expect(await cluster.state(Number(id))).toBe("CANCELLED");
  });

  test("other keys, or none", async () => {
    const terminal = open(["mgpu-srun", "--detach-keys", "ctrl-a", "-J", "other", "sh", "-c", "echo ready; cat"]);
    await terminal.shows("ready\r\n");
    terminal.type("\x01d");
    expect((await terminal.ended).code).toBe(0);
    const none = open(["mgpu-sattach", "--detach-keys", "none", (await cluster.queue("%i", "-n", "other"))[0] ?? ""]);
    await none.shows("ready");
    none.type("\x01d\r");
    await none.shows("^Ad\r\n");
    none.type("\x03");
    expect((await none.ended).code).toBe(130);
  });
});

test("a client killed by force leaves a sane terminal and a running session", async () => {
  cluster.write("outer.rc", "PS1='outer> '\nbind 'set enable-bracketed-paste off'\n");
  const outer = open(["bash", "--rcfile", "outer.rc", "-i"]);
  await outer.shows("outer> ");
  outer.enter(
    "stty -a >before; mgpu-srun -J forced sh -c 'echo rea\\dy; read -r word; echo got $word'; stty -a >after",
  );
  await outer.shows("ready\r\n");
  const client = cluster.processes().find(({ command }) => command.includes("mgpu-srun.cjs -J forced"));
  kill(client?.pid ?? 0, "SIGKILL");
  await outer.shows("outer> ");
  expect(cluster.read("after")).toBe(cluster.read("before"));
  outer.enter(`mgpu-sattach ${(await cluster.queue("%i", "-n", "forced"))[0]}; echo c=$?`);
  await outer.shows("ready");
  outer.type("on\r");
  await outer.shows("got on\r\n");
  await outer.shows("c=0\r\n");
  outer.enter("exit");
  await outer.ended;
});

test("numbered lines through kills of controller, node daemon and client: each once, in order", async () => {
  const lines = Array.from({ length: 300 }, (_, index) => `line ${index + 1}`);
  // All of it has room on the screen: what the client says meanwhile, over the last row, has the screen drawn anew.
  const rows = 320;
  const script =
    "echo ready; i=0; while [ $i -lt 300 ]; do i=$((i+1)); echo line $i; sleep 0.01; done; read -r w; exit 4";
  const { terminal, id } = await session("lines", script, rows);
  await terminal.shows("line 30\r\n");
  kill(node.pid, "SIGKILL");
  await node.ended;
  kill(controller.pid, "SIGKILL");
  await controller.ended;
  controller = cluster.start("mgpuctld", []);
  node = cluster.start("mgpud", ["--node-id", "n1"]);
  await terminal.shows("line 200\r\n");
  kill(controller.pid, "SIGKILL");
  await controller.ended;
  controller = cluster.start("mgpuctld", []);
  await terminal.shows("line 300\r\n");
  // Where the cursor goes after the last text is no part of it.
  const painted = (await screenAfter(terminal.screen, 80, rows)).replace(/\x1b\[\d*[A-D]/g, "");
  const shown = painted.split("\r\n");
  expect(shown.filter((line) => line.startsWith("line "))).toEqual(lines);
  const client = cluster.processes().find(({ command }) => command.includes("mgpu-srun.cjs -J lines"));
  kill(client?.pid ?? 0, "SIGKILL");
  await terminal.ended;
  await cluster.until(async () => (await cluster.run("mgpu", ["status"])).code === 0, "the controller is back");
  const back = open(["mgpu-sattach", id]);
  await back.shows("line 300");
  expect((await screenAfter(back.screen)).includes("line 278\r\nline 279\r\n")).toBe(true);
  back.type("x\r");
  expect((await back.ended).code).toBe(4);
});

describe("a batch script with a terminal", () => {
  test("is detached from birth, listed, attached to, and written down", async () => {
    const script = "#!/bin/bash\n[ -t 0 ] && echo terminal\nread -rp 'name? ' x\necho \"hi $x\"\nexit 6\n";
    const id = await cluster.submit(script, ["--pty", "-o", "session.out"]);
    await cluster.until(() => cluster.has("session.out") && cluster.read("session.out").includes("name? "), "it asks");
    const { sessions } = JSON.parse(await cluster.ok("mgpu", ["screens", "--json"]));
    expect(sessions).toMatchObject([{ job_id: id, step_id: "batch", attached: null, readers: 0, columns: 80 }]);
    const terminal = open(["mgpu-sattach", String(id)]);
    await terminal.shows("name?");
    expect(await cluster.ok("mgpu", ["screens"])).toMatch(new RegExp(`^${id} +\\S+ +n1 +\\S+ +80x24 +\\S+@\\S+ `, "m"));
    terminal.type("Ada\r");
    expect((await terminal.ended).code).toBe(6);
    await cluster.untilState(id, "FAILED");
    expect(cluster.read("session.out")).toBe("terminal\r\nname? Ada\r\nhi Ada\r\n");
  });

  test("ends when nobody uses it for as long as it says", async () => {
    const id = await cluster.submit("#!/bin/bash\necho up\nsleep 1000\n", [
      "--pty",
      "--inactivity-timeout=1",
      "-o",
      "idle.out",
    ]);
    await cluster.until(
      async () => (await cluster.state(id)) !== "RUNNING" && (await cluster.state(id)) !== "PENDING",
      "it ends",
    );
    expect(cluster.read("idle.out")).toContain("up\r\n");
  });
});

describe("inside a running job", () => {
  test("mgpu exec runs a command there, mgpu forward leads to its ports", async () => {
    const server =
      "import http.server,sys; s=http.server.HTTPServer(('127.0.0.1',0),http.server.SimpleHTTPRequestHandler); print(s.server_port,flush=True); s.serve_forever()";
    cluster.write("page.txt", "x".repeat(300_000));
    const id = await cluster.submit(`#!/bin/sh\nexec python3 -c "${server}"\n`, [
      "-J",
      "served",
      "--gpus=1",
      "-o",
      "port.txt",
    ]);
    await cluster.until(() => cluster.has("port.txt") && /^\d+\n/.test(cluster.read("port.txt")), "the server is up");
    const ran = await cluster.run("mgpu", [
      "exec",
      String(id),
      "sh",
      "-c",
      'echo "$SLURM_JOB_ID $SLURM_JOB_NAME $CUDA_VISIBLE_DEVICES"; exit 3',
    ]);
    expect([ran.code, ran.stdout]).toEqual([3, expect.stringMatching(new RegExp(`^${id} \\S+ \\d\n$`))]);
    const forward = cluster.start("mgpu", ["forward", String(id), `${cluster.read("port.txt").split("\n")[0]}:0`]);
    await cluster.until(() => forward.stderr().includes("leads to port"), "it listens");
    const [, port] = /127\.0\.0\.1:(\d+) leads/.exec(forward.stderr()) ?? [];
    const pages = await Promise.all(
      [1, 2, 3].map(async () => (await fetch(`http://127.0.0.1:${port}/page.txt`)).text()),
    );
    expect(pages.map((page) => page.length)).toEqual([300_000, 300_000, 300_000]);
    kill(forward.pid, "SIGINT");
    await forward.ended;
    await cluster.ok("mgpu-scancel", [String(id)]);
    const refused = await cluster.run("mgpu", ["forward", "12", "99999"]);
    expect([refused.code, refused.stderr]).toEqual([
      2,
      'mgpu forward: error: expected PORT or PORT:LOCAL_PORT, numbers up to 65535, got "99999"\nmgpu forward: hint: mgpu forward --help shows what it takes\n',
    ]);
  });
});

test("a silent job is told of, and left to itself in the end", async () => {
  const args = [
    "--max-wait-time",
    "1",
    "--max-consecutive-timeouts",
    "2",
    "-J",
    "silent",
    "sh",
    "-c",
    "echo up; sleep 1000",
  ];
  const ran = await cluster.run("mgpu-srun", args);
  expect([ran.code, ran.stdout]).toEqual([0, "up\n"]);
  expect(ran.stderr).toMatch(
    /job (\d+) has printed nothing for 1 s; it is RUNNING on n1\n.*detached from job \1, which printed nothing for 2 s/,
  );
  const [id] = await cluster.queue("%i", "-n", "silent", "-t", "R");
  expect(id).toMatch(/^\d+$/);
  await cluster.ok("mgpu-scancel", ["-n", "silent"]);
});
