/** The real client in a real terminal: tmux types and looks, as a person would. */

import { afterAll, beforeAll, expect, test } from "vitest";
import { TestCluster } from "../integration/support/cluster.ts";
import { TmuxScreen } from "../integration/support/tmux.ts";
import { describeWith } from "./support/slurm-names.ts";

const cluster = new TestCluster({ env: { MGPU_NODE_ID: "n1" } });
beforeAll(() => cluster.ok("mgpu-srun", ["true"]));
afterAll(() => cluster.stop());

/** The picture once it has stopped changing, and where the cursor is. */
async function still(screen: TmuxScreen): Promise<string> {
  let before = "";
  let now = "";
  await cluster.until(async () => {
    before = now;
    now = `${await screen.seen()}\n${await screen.cursor()}`;
    return now === before;
  }, "the screen is still");
  return now;
}

/** Processes of the cluster by what they were started as. */
const running = (command: RegExp) => cluster.processes().filter((one) => command.test(one.command));

describeWith("tmux", "/usr/bin/tmux", () => {
  test("a shell with job control: left, found again as it was, in another size, and after kill -9 of the client", async () => {
    const screen = await TmuxScreen.open(cluster, 90, 28);
    try {
      await screen.enter("mgpu-srun -J inside env PS1='inside> ' bash --norc");
      await screen.shows(/inside>$/);
      await screen.enter(
        "printf '\\033[1;31mred\\033[0m \\033[48;5;33mblue\\033[0m \u6f22\u5b57 \u00e4\\n'; stty size",
      );
      await screen.shows(/28 90\ninside>$/);
      await screen.enter("sleep 1000");
      await cluster.until(() => running(/^\S*sleep 1000/).length === 1, "the sleep runs");
      await screen.press("C-z");
      await screen.shows(/Stopped/);
      await screen.enter("fg");
      await screen.shows(/fg\nsleep 1000$/);
      await screen.press("C-c");
      await screen.enter("echo 'status' $?");
      await screen.shows(/status 130/);
      await screen.press("C-\\", "d");
      await screen.shows(/(^|\n)\$$/);
      const [id = ""] = await cluster.queue("%i", "-n", "inside");

      await screen.enter(`clear; mgpu-sattach ${id}`);
      await screen.shows(/red.*blue/);
      await screen.shows(/status 130\ninside>$/);
      await screen.resize(70, 20);
      await screen.enter("stty size");
      await screen.shows(/20 70\ninside>$/);

      const [client] = running(/node .*mgpu-sattach\.cjs/);
      process.kill(client?.pid as number, "SIGKILL");
      await screen.shows(/Killed|\n\$$/);
      await screen.enter("clear; stty -a | tr ' ' '\\n' | grep -xE -- '-?(icanon|echo)' | tr '\\n' ,");
      await screen.shows(/^icanon,echo,\$$/);

      await screen.enter(`clear; mgpu-sattach ${id}; echo "left $?"`);
      await screen.shows(/20 70\s+inside>$/);
      await screen.enter("exit 7");
      await screen.shows(/left 7/);
    } finally {
      await screen.close();
    }
  });

  test("a full-screen program with the alternate screen is the same to the last cell and the cursor", async () => {
    const screen = await TmuxScreen.open(cluster, 90, 28);
    try {
      cluster.write("text.txt", Array.from({ length: 200 }, (_, index) => `row ${index + 1}`).join("\n"));
      await screen.enter("mgpu-srun -J edit vim.tiny -u NONE '+set nu' +100 text.txt");
      await screen.shows(/row 100/);
      const before = await still(screen);
      expect(before).toMatch(/ 1$/);
      await screen.press("C-\\", "d");
      await screen.shows(/(^|\n)\$$/);
      expect(await screen.cursor()).toMatch(/ 0$/);
      const [id = ""] = await cluster.queue("%i", "-n", "edit");
      await screen.enter(`mgpu-sattach ${id}`);
      await cluster.until(
        async () => `${await screen.seen()}\n${await screen.cursor()}` === before,
        `the screen is as it was:\n${before}`,
      );
      await screen.enter(":q!");
      await screen.shows(/(^|\n)\$$/);
      expect(await screen.cursor()).toMatch(/ 0$/);
    } finally {
      await screen.close();
    }
  });

  test("the terminal UI: another size, each view, and the shell's screen after it", async () => {
    const screen = await TmuxScreen.open(cluster, 80, 24);
    try {
      await screen.enter("echo before; mgpu top --demo");
      await screen.shows(/demonstration[\s\S]*JOBID PARTITION/);
      expect(await screen.cursor()).toMatch(/ 1$/);
      await screen.press("n");
      await screen.shows(/WHOSE[\s\S]*GPUs of gpu1/);
      await screen.resize(130, 40);
      await screen.shows(/MEMORY[\s\S]*│/);
      await screen.press("Down", "Down", "p");
      await screen.shows(/reason \(may be empty\)/);
      await screen.press("Enter");
      await screen.shows(/Keep new jobs off GPU 0 of node gpu3\? \[y\/N\]/);
      await screen.press("n", "h", "Left");
      await screen.shows(/1 h ago/);
      await screen.press("C-c");
      await screen.shows(/before\n\$$/);
      expect(await screen.cursor()).toMatch(/ 0$/);
    } finally {
      await screen.close();
    }
  });
});
