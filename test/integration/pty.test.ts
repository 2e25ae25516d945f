/** mgpu-srun on a real terminal, as a person uses it. The terminal is a pseudo-terminal held by support/terminal.py. */

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { kill, TestCluster } from "./support/cluster.ts";
import { Terminal, type TerminalOptions } from "./support/terminal.ts";

const cluster = new TestCluster({ env: { MGPU_NODE_ID: "n1" } });
beforeAll(() => cluster.ok("mgpu-srun", ["true"]));
afterAll(() => cluster.stop());

const open = (argv: readonly string[], options?: TerminalOptions) => new Terminal(cluster, argv, options);
const srun = (...args: string[]) => open(["mgpu-srun", ...args]);

/** An interactive bash with this prompt, as words of a command line. */
function bash(prompt: string): string[] {
  cluster.write(`${prompt}.rc`, `PS1='${prompt}> '\nbind 'set enable-bracketed-paste off'\n`);
  return ["bash", "--rcfile", `${prompt}.rc`, "-i"];
}

/** A shell on the terminal, as the user's own. */
async function shell(): Promise<Terminal> {
  const terminal = open(bash("outer"));
  await terminal.shows("outer> ");
  return terminal;
}

/** What the program says of its streams: a t or a p (a pipe, a file) for each of 0, 1 and 2. */
const STREAMS = "for fd in 0 1 2; do [ -t $fd ] && printf t || printf p; done; echo";

test("--notify=desktop makes the terminal show a notice when the job has ended", async () => {
  const ran = await open(["mgpu-srun", "--notify=desktop", "--job-name=train", "sh", "-c", "exit 3"]).ended;
  expect(ran.stdout).toMatch(/\x1b\](?:9;|777;notify;mgpu;)job \d+ \(train\) has ended, exit code 3\x1b\\/);
});

describe("who gets a terminal", () => {
  test.each<[string, string[], string]>([
    ["one task does", [], "ttt"],
    ["not with --no-pty", ["--no-pty"], "ppp"],
    ["with --pty after all", ["--no-pty", "--pty"], "ttt"],
    ["not with a label", ["--label"], "0: ppp"],
  ])("%s", async (_, args, expected) => {
    const terminal = srun(...args, "sh", "-c", STREAMS);
    const { code, stdout } = await terminal.ended;
    expect([code, stdout]).toEqual([0, `${expected}\r\n`]);
  });

  test("several tasks don't", async () => {
    const { stdout } = await srun("-n", "2", "sh", "-c", STREAMS).ended;
    expect(stdout).toBe("ppp\r\nppp\r\n");
  });

  test("not if its output goes elsewhere", async () => {
    const { stdout } = await open(["sh", "-c", `mgpu-srun sh -c '${STREAMS}' | cat`]).ended;
    expect(stdout).toBe("ppp\r\n");
    await srun("-o", "file.txt", "sh", "-c", STREAMS).ended;
    expect(cluster.read("file.txt")).toBe("ppp\n");
  });

  test("not under Slurm's name, but with --pty", async () => {
    await cluster.ok("sh", ["-c", 'mkdir -p shims && ln -sf "$(command -v mgpu-srun)" shims/srun']);
    expect((await open(["shims/srun", "sh", "-c", STREAMS]).ended).stdout).toBe("ppp\r\n");
    expect((await open(["shims/srun", "--pty", "sh", "-c", STREAMS]).ended).stdout).toBe("ttt\r\n");
  });

  test("--pty without a terminal is disregarded, and said so", async () => {
    const ran = await cluster.run("mgpu-srun", ["--pty", "sh", "-c", STREAMS]);
    expect(ran).toMatchObject({
      code: 0,
      stdout: "ppp\n",
      stderr: expect.stringContaining("disregarding --pty option"),
    });
  });

  test("Python prints at once, by itself", async () => {
    const program =
      "import os, sys, time; print('isatty', sys.stdout.isatty(), os.environ.get('PYTHONUNBUFFERED'));\
      time.sleep(1000)";
    const terminal = srun("python3", "-c", program);
    await terminal.shows("isatty True None\r\n");
    terminal.type("\x03");
    expect((await terminal.ended).code).toBe(130);
  });
});

describe("the terminal's size", () => {
  test("is right from the start, and follows", async () => {
    const terminal = open(
      ["mgpu-srun", "sh", "-c", "stty size; trap 'stty size' WINCH; while :; do sleep 0.05; done"],
      {
        columns: 101,
        rows: 33,
      },
    );
    await terminal.shows("33 101\r\n");
    terminal.resize(70, 20);
    await terminal.shows("20 70\r\n");
    terminal.resize(202, 50);
    await terminal.shows("50 202\r\n");
    terminal.type("\x03");
    expect((await terminal.ended).code).toBe(130);
  });
});

test("a terminal that was resized while the job waited is told so", async () => {
  const held = await cluster.hold(["--gpus", "4"]);
  const terminal = srun(
    "--gpus",
    "1",
    "sh",
    "-c",
    "until [ \"$(stty size)\" = '30 90' ]; do sleep 0.02; done; echo right",
  );
  await terminal.shows("queued and waiting for resources\r\n");
  terminal.resize(90, 30);
  await held.release();
  await terminal.shows("right\r\n");
  expect((await terminal.ended).code).toBe(0);
});

describe("output", () => {
  test("20000 lines, all of them, however fast the program ends", async () => {
    const { code, stdout } = await srun("seq", "1", "20000").ended;
    expect(code).toBe(0);
    expect(stdout === Array.from({ length: 20_000 }, (_, i) => `${i + 1}\r\n`).join("")).toBe(true);
  });

  test("a progress bar arrives as it is drawn", async () => {
    const script = 'for i in 1 2 3; do printf "\\rstep %d/3" $i; read -r _; done; printf "\\rdone    \\n"';
    const terminal = srun("sh", "-c", script);
    for (const step of ["1/3", "2/3", "3/3"]) {
      await terminal.shows(`\rstep ${step}`);
      terminal.type("\r");
    }
    await terminal.shows("\rdone    \r\n");
    expect((await terminal.ended).code).toBe(0);
  });

  test("bare line feeds of a raw program stay bare", async () => {
    const { stdout } = await srun("sh", "-c", "stty -opost; printf 'a\\nb\\r\\nc'; stty opost").ended;
    expect(stdout).toBe("a\nb\r\nc");
  });

  test("stderr comes the same way", async () => {
    expect((await srun("sh", "-c", "echo out; echo err >&2").ended).stdout).toBe("out\r\nerr\r\n");
  });
});

describe("exit codes", () => {
  test.each([
    ["exit 0", 0],
    ["exit 7", 7],
    ["kill -TERM $$", 143],
    ["kill -KILL $$", 137],
  ])("%s -> %i", async (script, expected) => {
    expect((await srun("sh", "-c", script).ended).code).toBe(expected);
  });

  test("of a program that is not there", async () => {
    const { code, stdout } = await srun("no-such-program").ended;
    expect([code, stdout]).toEqual([2, "mgpu-srun: error: execve(): no-such-program: No such file or directory\r\n"]);
  });

  test("after the time limit, with the reason", async () => {
    const { code, stdout } = await srun("--time=0:01", "sleep", "1000").ended;
    expect(code).toBe(143);
    expect(stdout).toMatch(/mgpu-srun: error: \*\*\* STEP \d+\.0 ON n1 CANCELLED AT .* DUE TO TIME LIMIT \*\*\*\r\n/);
  });
});

describe("keys", () => {
  test("Ctrl-C reaches the program, which decides", async () => {
    const terminal = srun("sh", "-c", "trap 'echo caught; exit 5' INT; echo up; while :; do sleep 0.05; done");
    await terminal.shows("up\r\n");
    terminal.type("\x03");
    await terminal.shows("caught\r\n");
    expect((await terminal.ended).code).toBe(5);
  });

  test("Ctrl-C while the job waits gives up its place", async () => {
    const held = await cluster.hold(["--gpus", "4"]);
    const terminal = srun("--gpus", "1", "-J", "pressed", "true");
    await terminal.shows("queued and waiting for resources\r\n");
    terminal.type("\x03");
    expect((await terminal.ended).code).toBe(1);
    await held.release();
    expect(await cluster.queue("%T", "-t", "all", "-n", "pressed")).toEqual(["CANCELLED"]);
  });

  test("Ctrl-D is the end of input", async () => {
    const terminal = srun("sh", "-c", "echo ready; cat");
    await terminal.shows("ready\r\n");
    terminal.enter("typed");
    await terminal.shows("typed\r\n");
    await terminal.shows("typed\r\n");
    terminal.type("\x04");
    const { code, stdout } = await terminal.ended;
    expect([code, stdout]).toEqual([0, "ready\r\ntyped\r\ntyped\r\n"]);
  });

  test("a large paste arrives whole", async () => {
    const text = Array.from({ length: 2000 }, (_, i) => `line ${i}`).join("\r");
    const terminal = srun("sh", "-c", "stty -echo; echo ready; cat >pasted.txt; wc -l <pasted.txt");
    await terminal.shows("ready\r\n");
    terminal.type(`${text}\r\x04`);
    await terminal.shows("2000\r\n");
    expect((await terminal.ended).code).toBe(0);
    expect(cluster.read("pasted.txt")).toBe(`${text.replaceAll("\r", "\n")}\n`);
  });

  test("raw programs get every byte", async () => {
    const script = "stty raw -echo; printf 'ready\\n'; dd bs=1 count=6 2>/dev/null | od -An -tx1; stty sane";
    const terminal = srun("sh", "-c", script);
    await terminal.shows("ready\n");
    terminal.type("\x03\x1a\x04\x11\x1b\xff");
    await terminal.shows(/03 1a 04 11 1b/);
    expect((await terminal.ended).code).toBe(0);
  });
});

describe("an interactive shell in a job", () => {
  test("has job control: Ctrl-Z stops, fg goes on, Ctrl-C ends", async () => {
    const terminal = srun("--gpus", "2", ...bash("inner"));
    await terminal.shows("inner> ");
    terminal.enter("echo gpus=$CUDA_VISIBLE_DEVICES name=$SLURM_JOB_NAME");
    await terminal.shows(/gpus=\d,\d name=bash\r\n/);
    await terminal.shows("inner> ");
    terminal.enter("sleep 1000");
    await terminal.shows("sleep 1000\r\n");
    await cluster.until(() => isRunning("sleep 1000"), "sleep runs");
    terminal.type("\x1a");
    await terminal.shows(/\[1\]\+ +Stopped +sleep 1000\r\n/);
    await terminal.shows("inner> ");
    terminal.enter("jobs; fg");
    await terminal.shows(/\[1\]\+ +Stopped +sleep 1000\r\n/);
    await terminal.shows("sleep 1000\r\n");
    terminal.type("\x03");
    await terminal.shows("inner> ");
    terminal.enter("exit 9");
    expect((await terminal.ended).code).toBe(9);
    expect(isRunning("sleep 1000")).toBe(false);
  });

  test("ends when the job is cancelled", async () => {
    const terminal = srun("-J", "inner", ...bash("inner"));
    await terminal.shows("inner> ");
    await cluster.ok("mgpu-scancel", ["-n", "inner"]);
    const { code, stdout } = await terminal.ended;
    expect(code).toBeGreaterThan(128);
    expect(stdout).toMatch(/mgpu-srun: error: \*\*\* STEP \d+\.0 ON n1 CANCELLED AT .* \*\*\*\r\n/);
  });
});

describe("in the background of a shell", () => {
  test("a job runs on without the terminal and its keys, which are the shell's", async () => {
    const terminal = await shell();
    const script = `${STREAMS}; cat; until [ -e bg-end ]; do sleep 0.02; done; echo b\\g; exit 4`;
    terminal.enter(`mgpu-srun sh -c '${script}' &`);
    await terminal.shows("ppp\r\n");
    terminal.enter("echo shell $((1 + 1))");
    await terminal.shows("shell 2\r\n");
    cluster.write("bg-end", "");
    await terminal.shows("bg\r\n");
    terminal.enter("wait $!; echo c=$?");
    await terminal.shows("c=4\r\n");
    terminal.enter("exit");
    await terminal.ended;
  });
});

describe("afterwards the terminal is as it was", () => {
  test.each<[string, string]>([
    ["a program that ends well", "mgpu-srun true"],
    ["one that fails", "mgpu-srun sh -c 'exit 3'"],
    ["one that leaves its own terminal in a mess", "mgpu-srun stty raw -echo -isig"],
    ["one that can't be started", "mgpu-srun no-such-program"],
    ["one that is killed", "mgpu-srun sh -c 'kill -KILL $$'"],
    ["one whose time is over", "mgpu-srun --time=0:01 sleep 1000"],
  ])("%s", async (_, line) => {
    const terminal = await shell();
    terminal.enter(`stty -a >before; ${line}; stty -a >after; echo o\\ver`);
    await terminal.shows("over\r\n");
    expect(cluster.read("after")).toBe(cluster.read("before"));
    expect(cluster.read("before")).toContain(" echo ");
    terminal.enter("exit");
    await terminal.ended;
  });

  test("srun told to end by TERM, which it passes on with --on-disconnect kill", async () => {
    const terminal = await shell();
    terminal.enter(
      "stty -a >before; mgpu-srun --on-disconnect kill -J passed sh -c 'echo u\\p; exec sleep 1000'; echo c=$?; stty -a >after",
    );
    await terminal.shows("up\r\n");
    const srunPid =
      cluster.processes().find(({ command }) => command.includes("mgpu-srun.cjs --on-disconnect kill -J passed"))
        ?.pid ?? 0;
    process.kill(srunPid, "SIGTERM");
    await terminal.shows("c=143\r\n");
    await terminal.shows("outer> ");
    expect(cluster.read("after")).toBe(cluster.read("before"));
    terminal.enter("exit");
    await terminal.ended;
  });

  test("and a job that is in the way of nothing: the next line typed is the shell's", async () => {
    const terminal = await shell();
    terminal.enter("mgpu-srun sh -c 'read -r word; echo \"job $word\"'");
    terminal.enter("first");
    await terminal.shows("job first\r\n");
    await terminal.shows("outer> ");
    terminal.enter("echo shell $((1 + 1))");
    await terminal.shows("shell 2\r\n");
    terminal.enter("exit");
    await terminal.ended;
  });
});

test("when the terminal is closed, a job ends that was told to", async () => {
  const terminal = await shell();
  terminal.enter("mgpu-srun --on-disconnect kill -J orphan sh -c 'echo u\\p; exec sleep 1000'");
  await terminal.shows("up\r\n");
  const [id] = await cluster.queue("%i", "-n", "orphan");
  terminal.close();
  await terminal.ended;
  await cluster.until(async () => (await cluster.queue("%i", "-n", "orphan")).length === 0, "the job is over");
  expect(["CANCELLED", "FAILED"]).toContain(await cluster.state(Number(id)));
  expect(isRunning("sleep 1000")).toBe(false);
});

describe("under nohup", () => {
  test("the job outlives the terminal", async () => {
    const script = "echo u\\p; until [ -e kept-end ]; do sleep 0.02; done; echo over";
    const terminal = await shell();
    terminal.enter(`nohup mgpu-srun -J kept sh -c '${script}' >kept.txt 2>kept.err &`);
    await cluster.until(() => cluster.has("kept.txt") && cluster.read("kept.txt") === "up\n", "it is up");
    const [id] = await cluster.queue("%i", "-n", "kept");
    terminal.close();
    await terminal.ended;
    cluster.write("kept-end", "");
    await cluster.untilState(Number(id), "COMPLETED");
    await cluster.until(() => cluster.read("kept.txt") === "up\nover\n", "its end is there");
  });

  test("a hangup goes no further, wherever it comes from; other signals do", async () => {
    const script = "trap 'echo heard' HUP; trap 'echo over; exit 0' USR1; echo up; while :; do sleep 0.02; done";
    const running = cluster.start("nohup", ["mgpu-srun", "sh", "-c", script]);
    await cluster.until(() => running.stdout() === "up\n", "it is up");
    for (const signal of ["SIGHUP", "SIGHUP", "SIGUSR1"] as const) kill(running.pid, signal);
    expect(await running.ended).toMatchObject({ code: 0, stdout: "up\nover\n" });
  });
});

function isRunning(command: string): boolean {
  return cluster.processes().some((one) => one.command.trim() === command);
}
