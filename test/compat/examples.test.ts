/** The examples of the manual pages, each run as it stands there, on a cluster in which what they name exists. */

import { chmodSync, copyFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { TestCluster } from "../integration/support/cluster.ts";

const man = join(import.meta.dirname, "../../man");

/** Those that need a terminal say so; those that go on until they are left are ended after some seconds. */
const EXPECTED: Readonly<Record<string, { readonly code: number; readonly stderr?: RegExp }>> = {
  "mgpu top": { code: 1, stderr: /needs a terminal/ },
  "mgpu top --read-only": { code: 1, stderr: /needs a terminal/ },
  "mgpu top --demo": { code: 1, stderr: /needs a terminal/ },
  "mgpu-sattach 12": { code: 1, stderr: /terminal/ },
  "mgpu-sattach --read-only 12": { code: 1, stderr: /terminal/ },
  "mgpu-sattach 12.0": { code: 1, stderr: /terminal/ },
  "mgpu-sattach --label 12.0": { code: 1, stderr: /terminal/ },
  // Of other machines, keys and traces, which are not here: the program understood the line and says so.
  "mgpu join gpu0:7411#3f9a...": { code: 2, stderr: /token/ },
  "mgpu join": { code: 2, stderr: /token/ },
  "mgpu join - <token": { code: 1, stderr: /token/ },
  // No Slurm answers here (test/compat/elastic.test.ts has one), and no queue was made.
  ...Object.fromEntries(
    ["--gpus 8 --time 4h --max 4 -- --partition=gpu --account=lab", "--gpus 2 --time 1h --dry-run"].map((words) => {
      return [`mgpu alloc add slurm ${words}`, { code: 1, stderr: /Slurm/ }];
    }),
  ),
  ...Object.fromEntries(
    ["log", "pause", "remove"].map((verb) => [`mgpu alloc ${verb} slurm1`, { code: 1, stderr: /no such queue/ }]),
  ),
  "mgpu key token --uses 8 --ttl 30m": { code: 1, stderr: /listens for no other machines/ },
  "mgpu key issue ada": { code: 1, stderr: /no user "ada"/ },
  "mgpu key revoke ada": { code: 1, stderr: /no good key/ },
  "mgpu login lab=gpu0:7411#user/ada/1:5f0c...": { code: 2, stderr: /key/ },
  "mgpu login centre=slurm": { code: 1, stderr: /Slurm has no configuration here/ },
  "mgpu-squeue -M lab": { code: 1, stderr: /No cluster 'lab'/ },
  "mgpu logout lab": { code: 1, stderr: /no cluster is called/ },
  "mgpu use lab": { code: 1, stderr: /no cluster is called/ },
  "mgpu nodes remove gpu3": { code: 1, stderr: /no node gpu3/ },
  'mgpu-scontrol update nodename=gpu3 state=drain reason="new disk"': { code: 1, stderr: /Invalid node name/ },
  "mgpu sim --cluster 8x8 --policy srsf,likely trace1.csv": { code: 2, stderr: /no such file/ },
  "mgpu sim --cluster 1x0x128 --policy easy,easy-sjbf,slowdown --svg waits.svg SDSC-SP2.swf.gz": {
    ...{ code: 2, stderr: /no such file/ },
  },
  "mgpu doctor gpu0": { code: 1 },
  "mgpu doctor gpu0:7411": { code: 1 },
  "mgpu node --node-id node001 gpu0:8080#3f9a...": { code: 2, stderr: /token/ },
  "mgpu node --master-host gpu0 --token 3f9a...": { code: 2, stderr: /token/ },
  "mgpu server --host 10.0.0.1 --port 8080 --verbose": { code: 1, stderr: /this machine has no such address/ },
  "mgpu master --host 10.0.0.1 --port 8080 --verbose": { code: 1, stderr: /this machine has no such address/ },
  "mgpu pause-gpu 1": { code: 1, stderr: /of which node/ },
  "mgpu resume-gpu 1": { code: 1, stderr: /of which node/ },
  ...Object.fromEntries(
    [
      "gpu drain node001:0,1 --reason 'fan broken'",
      "gpu resume node001:0-1",
      "pause-gpu node001:0,1 --reason 'fan broken'",
      "resume-gpu node001:0,1",
    ].map((words) => [`mgpu ${words}`, { code: 1, stderr: /there is no node node001/ }]),
  ),
  // Its page says that it is for use within a job.
  "mgpu-sbcast data.bin /tmp/data.bin": { code: 1, stderr: /from within/ },
};

/** Seconds after which an example that goes on counts as working: timeout's exit code is 124 then. */
const GOES_ON = ["mgpu forward 12 8888", "mgpu forward 12 6006:16006", "mgpu logs -f -n 20 12"];

/** What ends jobs. */
const ENDS = /scancel|mgpu cancel/;

const cluster = new TestCluster();
const programs = join(cluster.folder, "programs");
const names = join(cluster.folder, "slurm-names");

beforeAll(async () => {
  mkdirSync(programs);
  for (const name of ["mpirun", "snakemake", "nvidia-smi", "htop"]) program(join(programs, name));
  for (const name of ["train.sh", "sweep.sh", "after.sh", "worker", "server", "solver"]) {
    program(join(cluster.work, name));
  }
  writeFileSync(join(cluster.work, "train.py"), "print('trained')\n");
  writeFileSync(join(cluster.work, "data.bin"), "data\n");
  writeFileSync(join(cluster.work, "jobs.txt"), "1,train.py,,,\n");
  for (const name of ["slurm.conf", "gres.conf"]) {
    copyFileSync(join(man, "../test/fixtures/slurm/lab", name), join(cluster.work, name));
  }
  writeFileSync(join(cluster.work, "jobs.csv"), "script,gpus\ntrain.py,1\n");
  mkdirSync(join(cluster.folder, ".config/mgpu"), { recursive: true });
  await cluster.startNodes(["n1", "n2"].map((name) => ({ name, cpus: 32, gpus: 16, memoryMiB: 200_000 })));
});
afterAll(() => cluster.stop());

function program(path: string): void {
  writeFileSync(path, "#!/bin/sh\nexit 0\n");
  chmodSync(path, 0o755);
}

/** Jobs 1 to 14 as the pages speak of them: 12 is the task 12_3 of an array and has a terminal; 12 to 14 have a step 0. */
async function populate(): Promise<void> {
  const sleeper = ["--gpus=1", "-w", "n2", "--output=%j.out", "--wrap", "mgpu-srun sleep 1000"];
  for (let job = 1; job < 12; job++) await cluster.ok("mgpu-sbatch", ["--output=/dev/null", "--wrap", "true"]);
  await cluster.ok("mgpu-sbatch", ["--array=3", "--pty", ...sleeper]);
  for (const name of ["13", "14"]) await cluster.ok("mgpu-sbatch", ["-J", name, ...sleeper]);
  await cluster.until(async () => {
    const { stdout } = await cluster.run("mgpu-squeue", ["-s", "-h", "-o", "%i"]);
    return ["12_3.0", "13.0", "14.0"].every((step) => stdout.includes(step));
  }, "jobs 12 to 14 have their steps");
}

/** The lines of the sections with examples. */
function examples(): string[] {
  const pages = readdirSync(man, { recursive: true, encoding: "utf8" }).filter((name) => /\.\d$/.test(name));
  const lines = pages.flatMap((page) => {
    const section = /^\.SH EXAMPLES\n\.nf\n([\s\S]*?)^\.fi$/m.exec(readFileSync(join(man, page), "utf8"))?.[1] ?? "";
    return section.split("\n").filter((line) => line !== "");
  });
  return [...new Set(lines.map(plain))];
}

/** As it is typed, out of a line in bold. */
function plain(line: string): string {
  return line
    .replace(/^\\fB/, "")
    .replace(/\\fR$/, "")
    .replaceAll("\\-", "-")
    .replaceAll("\\&", "")
    .replaceAll("\\e", "\\");
}

test("each does what it says, or says what it needs", async () => {
  await populate();
  const wrong: unknown[] = [];
  const all = examples().filter((line) => !/mgpu down/.test(line));
  // What ends jobs comes last, a signal before an end.
  const found = [
    ...all.filter((line) => !ENDS.test(line)),
    ...all.filter((line) => ENDS.test(line) && /scancel/.test(line)).reverse(),
    ...all.filter((line) => ENDS.test(line) && !/scancel/.test(line)),
  ];
  expect(found.length).toBeGreaterThan(60);
  for (const line of found) {
    const goesOn = GOES_ON.includes(line);
    const { code, stderr, stdout } = await cluster.run("timeout", [goesOn ? "2" : "20", "bash", "-c", line], {
      input: "",
      env: { PATH: `${programs}:${names}:${join(man, "../bin")}:${process.env.PATH}`, HOME: cluster.folder },
    });
    const { code: awaited = goesOn ? 124 : 0, stderr: told = /(?:)/ } = EXPECTED[line] ?? {};
    if (code !== awaited || !told.test(stderr)) wrong.push({ line, code, stderr, stdout: stdout.slice(0, 200) });
  }
  expect(wrong).toEqual([]);
});
