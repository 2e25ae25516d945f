/**
 * `npm run pictures [-- FOLDER]`: the pictures of the README, from what the built programs really show. A cluster of its own in a
 * temporary home, a terminal around it (test/integration/support/terminal.py), an emulator, and its cells as SVG.
 *
 * Nothing of this machine is in them: host, user, folder and clock are given. They change when what is shown changes.
 */

import { spawn, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import headless from "@xterm/headless";
import { svgOf } from "./terminal-svg.mjs";

const root = join(dirname(fileURLToPath(import.meta.url)), "../..");
const DRIVER = join(root, "test/integration/support/terminal.py");
const PATIENCE_MS = 60_000;
/** Where they go: an argument, or the repository's. */
const folder = process.argv[2] ?? join(root, "images");

const home = mkdtempSync(join(tmpdir(), "mgpu-pictures-"));
const env = {
  PATH: `${join(root, "bin")}:/usr/local/bin:/usr/bin:/bin`,
  HOME: home,
  XDG_RUNTIME_DIR: home,
  MGPU_NODE_ID: "desk",
  MGPU_FAKE_GPUS: "4",
  MGPU_CPUS: "16",
  MGPU_MEMORY: "128000",
  TERM: "xterm-256color",
  COLORTERM: "truecolor",
  LANG: "C.UTF-8",
  PS1: "$ ",
};

/** Prints the same everywhere. */
const TRAIN = `import os, time
print("training on GPUs", os.environ["CUDA_VISIBLE_DEVICES"], "of", os.environ["SLURM_JOB_NODELIST"], flush=True)
for step in range(1, 6):
    time.sleep(0.3)
    print(f"step {step}/5  loss {4 / step:.4f}", flush=True)
`;

/** What is typed, and what must be seen before the next. */
const PICTURES = [
  {
    file: "srun.svg",
    columns: 112,
    rows: 16,
    argv: ["sh"],
    acts: [
      { type: "", until: /\$ $/ },
      { type: "mgpu-srun --gpus 2 python3 train.py\r", until: /step 5\/5.*\n\$ $/s },
      { type: "mgpu-sbatch --gpus 3 --time 2:00:00 sweep.sh\r", until: /batch job 2\s+\$ $/s },
      { type: "mgpu-srun --gpus 2 python3 train.py\r", until: /waits for [^\r]*free\)/s },
    ],
  },
  {
    file: "top.svg",
    columns: 120,
    rows: 32,
    argv: ["mgpu", "top", "--demo"],
    acts: [{ type: "jjj", until: /gpu/i, settleMs: 1500 }],
    leave: "q",
  },
  {
    file: "gpus.svg",
    columns: 120,
    rows: 32,
    argv: ["mgpu", "top", "--demo"],
    acts: [
      { type: "", until: /JOBID/, settleMs: 1500 },
      { type: "n", until: /gpu3/, settleMs: 1500 },
    ],
    leave: "q",
  },
];

try {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(home, "train.py"), TRAIN);
  writeFileSync(join(home, "sweep.sh"), "#!/bin/sh\nsleep 600\n");
  for (const picture of PICTURES) {
    writeFileSync(join(folder, picture.file), await take(picture));
    process.stdout.write(`${join(folder, picture.file)}\n`);
  }
} finally {
  spawnSync(join(root, "bin/mgpu"), ["down", "--force"], { env, cwd: home });
  rmSync(home, { recursive: true, force: true });
}

/** The screen at the end of the acts. @throws Error if something is not seen in time, with what is seen */
async function take({ columns, rows, argv, acts, leave = "\u0004" }) {
  const screen = new headless.Terminal({ cols: columns, rows, allowProposedApi: true });
  const child = spawn("python3", [DRIVER, String(columns), String(rows), ...argv], { env, cwd: home });
  let shown = "";
  let written = Promise.resolve();
  child.stdout.on("data", (chunk) => {
    shown += chunk;
    written = new Promise((resolve) => screen.write(chunk, resolve));
  });
  const type = (text) => child.stdin.write(`type ${Buffer.from(text).toString("hex")}\n`);
  try {
    let seen = 0;
    for (const { type: text, until, settleMs = 0 } of acts) {
      if (text !== "") type(text);
      await seeing(() => until.test(shown.slice(seen)), `${until} in ${JSON.stringify(shown.slice(seen))}`);
      await new Promise((resolve) => setTimeout(resolve, settleMs));
      seen = shown.length;
    }
    await written;
    return svgOf(screen);
  } finally {
    type(leave);
    child.stdin.write("close\n");
    child.kill();
  }
}

async function seeing(isSeen, what) {
  const end = Date.now() + PATIENCE_MS;
  while (!isSeen()) {
    if (Date.now() > end) throw new Error(`not seen: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
