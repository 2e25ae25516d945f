/** Full-screen programs in sessions: their screens are the same after everybody has left and somebody comes back. */

import { afterAll, beforeAll, expect, test } from "vitest";
import { TestCluster } from "../integration/support/cluster.ts";
import { screenAfter } from "../integration/support/emulator.ts";
import { Terminal } from "../integration/support/terminal.ts";
import { describeWith } from "./support/slurm-names.ts";

const PREFIX = "\x1c";

const cluster = new TestCluster({ env: { MGPU_NODE_ID: "n1" } });
beforeAll(() => cluster.ok("mgpu-srun", ["true"]));
afterAll(() => cluster.stop());

interface Size {
  readonly columns: number;
  readonly rows: number;
}
const SIZE: Size = { columns: 90, rows: 30 };

const open = (size: Size, ...argv: string[]): Terminal =>
  new Terminal(cluster, argv, { ...size, env: { TERM: "xterm-256color" } });
const view = (terminal: Terminal, { columns, rows }: Size): Promise<string> =>
  screenAfter(terminal.screen, columns, rows);

/** The screen, once two looks found the same. */
async function still(terminal: Terminal, size: Size): Promise<string> {
  let before = "";
  await cluster.until(async () => {
    const now = await view(terminal, size);
    const isStill = now === before;
    before = now;
    return isStill;
  }, "the screen is still");
  return before;
}

/**
 * Runs a program until its screen shows `mark`, leaves it, comes back, and compares.
 *
 * `freeze` stops a program that draws by itself for as long as the screens are compared, and answers with what wakes it.
 */
async function leaveAndReturn(argv: readonly string[], mark: string, size = SIZE, freeze = () => () => {}) {
  const name = `full-${argv[0]}`;
  const first = open(size, "mgpu-srun", "-J", name, ...argv);
  await cluster.until(async () => (await view(first, size)).includes(mark), `${argv[0]} shows ${mark}`);
  const wake = freeze();
  const before = await still(first, size);
  first.type(`${PREFIX}d`);
  expect((await first.ended).code).toBe(0);
  const [id = ""] = await cluster.queue("%i", "-n", name);
  const second = open(size, "mgpu-sattach", id);
  await cluster.until(async () => (await view(second, size)) === before, "the screen is as it was");
  wake();
  return second;
}

describeWith("vim", "/usr/bin/vim.tiny", () => {
  test("a file that is edited, after a change of size too", async () => {
    cluster.write("text.txt", Array.from({ length: 200 }, (_, index) => `row ${index + 1} \u6f22\u5b57`).join("\n"));
    const terminal = await leaveAndReturn(["vim.tiny", "-u", "NONE", "+set nu", "+100", "text.txt"], "row 100");
    terminal.resize(60, 20);
    await cluster.until(
      async () => (await screenAfter(terminal.screen, 60, 20)).includes("row 100"),
      "it is drawn anew",
    );
    terminal.type(":q!\r");
    expect((await terminal.ended).code).toBe(0);
  });
});

describeWith("less", "/usr/bin/less", () => {
  test("a page in the middle", async () => {
    cluster.write("long.txt", Array.from({ length: 500 }, (_, index) => `entry ${index + 1}`).join("\n"));
    const terminal = await leaveAndReturn(["less", "+200", "long.txt"], "entry 210");
    terminal.type("q");
    expect((await terminal.ended).code).toBe(0);
  });
});

describeWith("htop", "/usr/bin/htop", () => {
  test("meters and a list of processes", async () => {
    const freeze = () => {
      const [htop] = cluster.processes().filter(({ command }) => /^\S*htop -d 5/.test(command));
      process.kill(htop?.pid as number, "SIGSTOP");
      return () => process.kill(htop?.pid as number, "SIGCONT");
    };
    const terminal = await leaveAndReturn(["htop", "-d", "5"], "Quit", { columns: 100, rows: 30 }, freeze);
    terminal.type("q");
    expect((await terminal.ended).code).toBe(0);
  });
});

describeWith("tmux", "/usr/bin/tmux", () => {
  test("a terminal in the terminal", async () => {
    const terminal = await leaveAndReturn(
      ["tmux", "-L", `mgpu-test-${process.pid}`, "-f", "/dev/null", "new", "echo inner; cat"],
      "inner",
    );
    terminal.type("\x04");
    await terminal.ended;
  });
});

test("256 colours and attributes", async () => {
  const colours =
    "for c in $(seq 0 255); do printf '\\033[48;5;%dm%3d\\033[0m ' $c $c; done; printf '\\033[1;3;4mstyles\\033[m end'; read -r x";
  const terminal = await leaveAndReturn(["bash", "-c", colours], "end");
  terminal.type("\r");
  expect((await terminal.ended).code).toBe(0);
});
