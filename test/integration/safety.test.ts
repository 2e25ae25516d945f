/** What keeps a cluster safe: only programs that are allowed, and files that nobody else can read. */

import { lstatSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { TestCluster } from "./support/cluster.ts";

const cluster = new TestCluster({ env: { MGPU_NODE_ID: "n1" } });
afterAll(() => cluster.stop());

const allowed = join(cluster.work, "allowed");
const SCRIPT = "#!/bin/sh\n#SBATCH -o /dev/null\necho hello\n";

/** Each file and folder below one, with its mode. Links say nothing. */
function modes(folder: string): [string, number][] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry): [string, number][] => {
    const path = join(folder, entry.name);
    if (entry.isSymbolicLink()) return [];
    const own: [string, number] = [path, lstatSync(path).mode & 0o777];
    return entry.isDirectory() ? [own, ...modes(path)] : [own];
  });
}

test("programs outside the allowed folders are refused, whatever leads to them; nobody else can read what is kept", async () => {
  mkdirSync(allowed);
  writeFileSync(join(allowed, "run.sh"), SCRIPT, { mode: 0o755 });
  writeFileSync(join(cluster.work, "own.sh"), SCRIPT, { mode: 0o755 });
  symlinkSync(join(cluster.work, "own.sh"), join(allowed, "link.sh"));
  symlinkSync("loop", join(allowed, "loop"));
  const env = { MGPU_ALLOWED_SCRIPT_PATHS: allowed };
  await cluster.ok("mgpu-sbatch", ["--wait", join(allowed, "run.sh")], { env });
  await cluster.ok("mgpu-srun", [join(allowed, "run.sh")]);
  await cluster.ok("mgpu-sbatch", ["-o", "/dev/null", `--wrap=sh ${allowed}/run.sh`]);
  for (const [program, ...args] of [
    ["mgpu-sbatch", join(cluster.work, "own.sh")],
    ["mgpu-sbatch", join(allowed, "link.sh")],
    ["mgpu-sbatch", `--wrap=${allowed}/run.sh; id`],
    ["mgpu-srun", "id"],
    ["mgpu-srun", join(allowed, "link.sh")],
    ["mgpu-sbatch", `--wrap=sh ${allowed}/loop`],
    ["mgpu-srun", "bash", "-c", "id"],
    ["mgpu-salloc", "mgpu-srun", "id"],
    ["mgpu", "submit", "id"],
  ] as const) {
    const ran = await cluster.run(program, args);
    expect([args, ran.code === 0, ran.stderr]).toEqual([args, false, expect.stringContaining("allowed_script_paths")]);
  }
  expect(modes(cluster.home).filter(([, mode]) => mode & 0o077)).toEqual([]);
  // Root's daemons have a door for all users of the machine, in a folder that they may pass and not read.
  const door = /^(mgpu-[0-9a-f]+ 711|door\.sock 666)$/;
  const open = modes(join(cluster.folder, "run")).filter(([, mode]) => mode & 0o077);
  const named = open.map(([path, mode]) => `${path.split("/").at(-1)} ${mode.toString(8)}`);
  expect(named.filter((one) => process.getuid?.() !== 0 || !door.test(one))).toEqual([]);
  const logs = modes(cluster.folder).filter(([path]) => path.endsWith("mgpuctld.log"));
  const lines = readFileSync(logs[0]?.[0] ?? "", "utf8")
    .trim()
    .split("\n");
  const started = lines.map((line) => JSON.parse(line)).filter(({ message }) => message === "job started");
  expect(started[0]).toMatchObject({ daemon: "mgpuctld", jobId: 1, attempt: 1, nodes: ["n1"], gpus: {} });
});

test("a program that fails is started again as often as asked; every listing counts it", async () => {
  writeFileSync(join(allowed, "fail.sh"), "#!/bin/sh\necho try $SLURM_RESTART_COUNT\nexit 3\n", { mode: 0o755 });
  const output = join(cluster.work, "retried");
  const tries = ["--retries=2", "--retry-wait=0", "--open-mode=append", "-o", output, join(allowed, "fail.sh")];
  const job = (await cluster.ok("mgpu-sbatch", ["--parsable", ...tries])).trim();
  await cluster.untilState(Number(job), "FAILED");
  expect(readFileSync(output, "utf8")).toBe("try\ntry 1\ntry 2\n");
  const listed = await cluster.ok("mgpu-squeue", ["-h", "-t", "all", "-j", `${job},${job}`, "-O", "restartcnt"]);
  expect(listed.trim()).toBe("2");
  expect(await cluster.ok("mgpu-scontrol", ["show", "job", job])).toContain("Restarts=2");
  const past = await cluster.ok("mgpu-sacct", ["-n", "-P", "-X", "-D", "-j", job, "-o", "state,exitcode,restarts"]);
  expect(
    past
      .split("\n")
      .slice(0, -1)
      .map((line) => line.slice(0, 10)),
  ).toEqual(Array(3).fill("FAILED|3:0"));
});
