/** The completion scripts in the shells that they are for: somebody presses Tab, on a cluster of three nodes. */

import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, test } from "vitest";
import { TestCluster } from "../integration/support/cluster.ts";
import { TmuxScreen } from "../integration/support/tmux.ts";

const scripts = join(import.meta.dirname, "../../completions");
const cluster = new TestCluster();

beforeAll(async () => {
  await cluster.startNodes(["n1", "n2", "n10"].map((name) => ({ name, cpus: 4, gpus: 2 })));
  const sleep = ["--output=/dev/null", "--wrap", "sleep 1000"];
  await cluster.ok("mgpu-sbatch", ["-J", "train", ...sleep]);
  await cluster.ok("mgpu-sbatch", ["-J", "big", "--hold", ...sleep]);
  await cluster.ok("mgpu", ["shims", join(cluster.folder, "names")]);
  writeFileSync(join(cluster.work, "train.py"), "");
});
afterAll(() => cluster.stop());

function has(shell: string): boolean {
  const isThere = spawnSync(shell, ["-c", "true"]).status === 0 && spawnSync("tmux", ["-V"]).status === 0;
  if (!isThere && process.env.CI) throw new Error(`${shell} or tmux is missing: .ci/run installs them`);
  return isThere;
}

/** Types, presses Tab so many times, waits for what is to be seen, and gives the line up. */
async function tab(screen: TmuxScreen, line: string, what: RegExp, times = 1): Promise<void> {
  await screen.press("-l", line);
  for (let time = 0; time < times; time++) await screen.press("Tab");
  await screen.shows(what);
  await screen.press("C-e", "C-u");
  await screen.enter("clear");
  await screen.shows(/^\S*> *$/);
}

/** What every shell completes on one line, without a list. */
const ALIKE: readonly (readonly [string, RegExp])[] = [
  ["mgpu-srun --partit", /--partition/],
  ["mgpu-srun --partition=ma", /--partition=main/],
  ["mgpu-srun -p ma", /-p main/],
  ["mgpu-sbatch -w n1,n2,n1", /n1,n2,n10?/],
  ["mgpu-sbatch --gres=gpu:f", /gpu:fake:/],
  ["mgpu-sbatch --dependency=afterok:1", /afterok:1/],
  ["mgpu-squeue --states=PEND", /--states=PENDING/],
  ["mgpu-scontrol hol", /scontrol hold/],
  ["mgpu-scontrol update JobId=2 TimeL", /TimeLimit=/],
  ["mgpu-scontrol update NodeName=n10 State=DRA", /State=DRAIN/],
  ["mgpu sta", /mgpu status/],
  ["mgpu exec 1 python3 tra", /python3 train\.py/],
  ["mgpu-srun python3 tra", /python3 train\.py/],
];

const SHELLS: Readonly<Record<string, readonly string[]>> = {
  bash: ["env PS1='> ' bash --norc", "bind 'set enable-bracketed-paste off'", `source ${scripts}/mgpu.bash`],
  zsh: ["zsh -f", "PS1='> '; LISTMAX=1000", `fpath=(${scripts} $fpath); autoload -Uz compinit; compinit -u -d ~/dump`],
  fish: ["fish --no-config", "function fish_prompt; echo '> '; end", `source ${scripts}/mgpu.fish`],
};

const screen = { current: null as TmuxScreen | null };
beforeAll(async () => {
  screen.current = await TmuxScreen.open(cluster, 150, 45);
  await screen.current.enter(`export PATH=${join(cluster.folder, "names")}:$PATH`);
});
afterAll(() => screen.current?.close());

for (const [shell, lines] of Object.entries(SHELLS)) {
  test.skipIf(!has(shell))(`${shell} completes options, values, lists and operands`, async () => {
    const tmux = screen.current as TmuxScreen;
    for (const line of lines) await tmux.enter(line);
    await tmux.enter("clear; echo re''ady");
    await tmux.shows(/^ready/m);
    for (const [line, what] of ALIKE) await tab(tmux, line, what);
    await tab(tmux, "mgpu-scancel ", /RUNNING train/, 3);
    await tab(tmux, "mgpu-srun --gpus-per-", /GPUs on each node/, 3);
    // By Slurm's name, a link to ours.
    await tab(tmux, "squeue --states=PEND", /--states=PENDING/);
    await tmux.enter("exit");
    await tmux.shows(/\$ *$/);
  });
}
