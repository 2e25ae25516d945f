/**
 * A front runs short commands as the programs themselves would: the same text, exit codes and jobs. Lines of a shell are
 * run both ways. Where a front must do it there is no Node in PATH; what it hands back finds one.
 */

import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { kill, type Running, TestCluster } from "./support/cluster.ts";

const ROOT = join(import.meta.dirname, "../..");
const cluster = new TestCluster();
const bin = join(ROOT, "bin");
const tools = join(cluster.folder, "tools");
const door = join(cluster.home, "front/door");
let front: Running;

async function startFront(): Promise<Running> {
  const started = cluster.start(process.execPath, [join(ROOT, "dist/front.cjs")]);
  const pidFile = join(cluster.home, "front/pid");
  await cluster.until(
    () => existsSync(pidFile) && readFileSync(pidFile, "utf8") === String(started.pid),
    "the front is there",
  );
  return started;
}

beforeAll(async () => {
  // Only this test starts fronts.
  mkdirSync(join(cluster.folder, ".config/mgpu"), { recursive: true });
  writeFileSync(join(cluster.folder, ".config/mgpu/config.yaml"), "commands:\n  front: never\n");
  await cluster.ok("mgpu", ["up"]);
  await cluster.ok("mgpu", ["shims", join(cluster.folder, "names")]);
  mkdirSync(tools);
  // A PATH with all that the lines and jobs call, and no Node.
  for (const name of [
    "env",
    "sort",
    "sh",
    "cat",
    "sleep",
    "wc",
    "mkdir",
    "rmdir",
    "true",
    "readlink",
    "mkfifo",
    "rm",
    "grep",
    "head",
    "base64",
  ]) {
    const found = await cluster.ok("sh", ["-c", `command -v ${name}`]);
    symlinkSync(found.trim(), join(tools, name));
  }
  mkdirSync(join(cluster.work, "sub"));
  cluster.write("sub/job.sh", '#!/bin/sh\n#SBATCH --job-name=relative\necho "$0 $# $*"\n');
  cluster.write("sub/wait.sh", "#!/bin/sh\n#SBATCH --wait\nexit 3\n");
  await cluster.ok("mgpu-sbatch", ["--hold", "--job-name=räder 1", "--wrap", "true"]);
  await cluster.ok("mgpu-sbatch", ["--hold", `--job-name=${"wide".repeat(12)}`, "--array=1-999", "--wrap", "true"]);
  front = await startFront();
});
afterAll(() => cluster.stop());

/** Which way a line is run: by a front alone, by programs alone, or by a front that may hand it back. */
type Way = "front" | "program" | "either";

/** What a line of a shell comes to; numbers of jobs are left out. */
async function outcome(line: string, way: Way) {
  const name = `${way}-${Math.abs(hash(line))}`;
  const file = (kind: string) => join(cluster.work, `${name}.${kind}`);
  const node = way === "front" ? "" : `:${dirname(process.execPath)}`;
  const env = { PATH: `${tools}${node}`, MGPU_FRONT: way === "program" ? "0" : "auto" };
  const script = `exec </dev/null >>${file("out")} 2>>${file("err")}\n${line}\necho "code $?"`;
  await cluster.run("/bin/sh", ["-c", script], { env });
  const text = (kind: string) =>
    readFileSync(file(kind), "utf8")
      .replace(/(batch job |^|StepId=)\d+(?=$|\.0)/gm, "$1N")
      .replace(/(STEP )\d+(.* AT )\S+/g, "$1N$2T")
      .replaceAll(name, "FILE");
  return { out: text("out"), err: text("err") };
}

function hash(text: string): number {
  let value = 0;
  for (const letter of text) value = (value * 31 + (letter.codePointAt(0) ?? 0)) | 0;
  return value;
}

const SRUN = `${bin}/mgpu-srun`;
/** A program says that it is ready, and its srun gets a signal; once more for lines that match `again`. */
function signalled(signal: string, program: string, again = "nothing)"): string {
  const srun = `echo $$ >pid; exec ${SRUN} sh -c "$0" 2>&1`;
  const look = `case $line in ready|${again} kill -${signal} "$(cat pid)";; esac`;
  // It is chance whether it is noticed that the job is ended from outside, or the task first; and whether a sleep is hit.
  const show = 'case $line in *CANCELLED*|*aborted*|Terminated|Hangup|Interrupt) ;; *) echo "$line";; esac';
  return `{ sh -c '${srun}' ${JSON.stringify(program)}; echo "srun $?"; } | while read -r line; do ${show}; ${look}; done`;
}

const SUBMIT = `${bin}/mgpu-sbatch --hold --output=/dev/null`;

test.each([
  `${bin}/mgpu-squeue -h -o '%i %j %T %r %u'`,
  `${bin}/mgpu-squeue -h -r -o '%F_%K %j %T %r' | { sleep 0.3; wc; }`,
  `SQUEUE_FORMAT='%T|%j' ${bin}/mgpu-squeue -h`,
  `cd sub && TZ=UTC ../../names/squeue -h -o '%j %T'`,
  `${cluster.folder}/names/squeue --nonsense`,
  `${cluster.folder}/names/scancel 987654`,
  `${bin}/mgpu-squeue --nonsense --format`,
  `${bin}/mgpu-squeue -h -j 987654`,
  `${bin}/mgpu-squeue --help`,
  `${bin}/mgpu-squeue --version < /dev/null`,
  `${bin}/mgpu-squeue -h -o '%j' | cat`,
  `${bin}/mgpu-sinfo -h -o '%P %D %t %G' 2>&1`,
  `${bin}/mgpu-scancel`,
  `${bin}/mgpu-scancel 987654 0x`,
  `${SUBMIT} --wrap 'echo "a  b"; exit 3'`,
  `${SUBMIT} --parsable --wrap true >/dev/null`,
  `${SUBMIT} nowhere.sh`,
  `${SUBMIT} --gpus=999 --wrap true`,
  `cd sub && ${SUBMIT} job.sh 1 '2 3'`,
  // Files with a place in them, which is the shell's.
  `{ echo before; ${bin}/mgpu-squeue -h -o %j; echo after; } > place; cat place`,
  `{ ${bin}/mgpu-squeue -h -o %T; ${bin}/mgpu-squeue --nonsense; echo after; } > place 2>&1; cat place`,
  `{ ${bin}/mgpu-scancel 1 0x; ${SUBMIT} --wrap true; } > place 2> other; cat place other`,
  `SLURM_EXIT_ERROR=77 ${SUBMIT} --gpus=none --wrap true`,
  // srun: streams as they come, exit codes, signals.
  `${SRUN} sh -c :`,
  `${SRUN} sh -c 'echo out; echo err >&2; exit 3' | sort`,
  `${SRUN} -n2 --label sh -c 'echo "$SLURM_PROCID"; exit "$SLURM_PROCID"' | sort`,
  `${SRUN} sh -c 'kill -9 $$'`,
  `${SRUN} nowhere; ${SRUN} /etc/passwd; ${SRUN} --gpus=999 sh; ${SRUN} --nonsense; ${SRUN}`,
  `printf 'a\\nb\\n' | ${SRUN} sh -c 'read -r one; echo "got $one"; cat'`,
  `{ sleep 0.2; echo late; } | ${SRUN} -n2 --input=1 sh -c 'cat; echo over' | sort`,
  `${SRUN} -n2 --output=task%t sh -c 'echo "task $SLURM_PROCID"' && cat task0 task1`,
  `{ echo before; ${SRUN} sh -c 'echo mine; echo other >&2'; echo after; } > place 2>&1; sort place`,
  `{ echo before; ${SRUN} sh -c 'echo mine; echo other >&2'; echo after; } > place 2> other; cat place other`,
  `${SRUN} -n2 --kill-on-bad-exit=1 sh -c '[ "$SLURM_PROCID" = 1 ] && exit 7; sleep 60' 2>&1 | grep -v CANCELLED`,
  `${SRUN} head -c 3000000 /dev/zero | { sleep 0.3; wc -c; }`,
  `{ ${SRUN} sh -c 'while echo line; do sleep 0.02; done'; echo "srun $?" >&2; } | { read -r line; echo "$line"; }`,
  signalled("TERM", "trap 'echo got; exit 5' TERM; echo ready; while :; do sleep 0.05; done"),
  signalled("HUP", "trap 'echo got; exit 6' HUP; echo ready; while :; do sleep 0.05; done"),
  signalled("USR1", "echo ready; exec sleep 60"),
  // The first is answered with what the tasks do, the second ends them.
  signalled("INT", "echo ready; exec sleep 60", "*'to abort)')"),
  `cd sub && umask 037 && ulimit -n 500 && OWN=1 ${SRUN} sh -c 'pwd; umask; ulimit -n; echo "$OWN$0"'`,
])("%s", async (line) => {
  const byProgram = await outcome(line, "program");
  expect(await outcome(line, "front")).toEqual(byProgram);
});

test.each([
  ["a reader that is gone", `{ sleep 0.2; ${bin}/mgpu-squeue -h; echo "code $?" >&2; } | true`],
  ["a script from stdin", `printf '#!/bin/sh\\ntrue\\n' | ${SUBMIT}`],
  ["a script from a FIFO", `mkfifo fifo; cat sub/job.sh >fifo & ${SUBMIT} fifo; rm fifo`],
  ["a script from a descriptor", `${SUBMIT} /dev/fd/9 9<sub/job.sh; ${SUBMIT} /dev/fd/5 5<sub/job.sh`],
  ["a script that says to wait", `${bin}/mgpu-sbatch --output=/dev/null sub/wait.sh`],
  ["waiting", `${bin}/mgpu-sbatch --wait --output=/dev/null --wrap 'exit 5'`],
  ["a closed stdout", `${bin}/mgpu-squeue -h >&-`],
  ["a folder that is gone", `mkdir gone; cd gone; rmdir ../gone; ${bin}/mgpu-squeue -h -o '%T %j'`],
  ["another time zone", `TZ=Asia/Tokyo ${bin}/mgpu-squeue -h -o %j`],
  ["a state folder of its own", `MGPU_HOME=elsewhere ${cluster.folder}/names/squeue`],
])("%s is left to the program", async (_, line) => {
  const byProgram = await outcome(line, "program");
  expect(await outcome(line, "either")).toEqual(byProgram);
});

test("a job gets variables, limits and mask of the shell that submitted it", async () => {
  const job = 'env; umask; ulimit -a; pwd; echo "$0"';
  const line = (file: string): string =>
    "cd sub; umask 037; ulimit -n 512; ulimit -c 0; NODE_EXTRA_CA_CERTS=/ca ODD='a\nb' " +
    `env 'FUNC%%=() { :; }' ${bin}/mgpu-sbatch --job-name=env -o ${file} --wrap '${job}'`;
  const seen = async (way: Way): Promise<string[]> => {
    const file = join(cluster.work, `env-${way}`);
    await outcome(line(file), way);
    await cluster.until(async () => (await cluster.queue("%i", "--name=env")).length === 0, "the job has ended");
    const varying =
      /^(PATH|MGPU_FRONT|_|.*JOB_?ID|SLURM_ARRAY_JOB_ID|MASTER_PORT|.*PID|.*(TIME|MARK)|.*(KEY|STEP).*)=|slurm_script|^\//;
    return readFileSync(file, "utf8")
      .split("\n")
      .filter((one) => !varying.test(one))
      .sort();
  };
  const byProgram = await seen("program");
  expect(byProgram).toContain("NODE_EXTRA_CA_CERTS=/ca");
  expect(byProgram).toContain("0037");
  expect(await seen("front")).toEqual(byProgram);
});

// Two whose numbers fall on one slot have to share it: the second is left to its program.
test("three at a time, and none of them twice", async () => {
  const loop = `for i in 1 2 3 4 5; do ${SUBMIT} --job-name=many --wrap true; done`;
  const { out, err } = await outcome(`(${loop}) & (${loop}) & (${loop}) & wait`, "either");
  expect({ lines: out.split("\n").length, err }).toEqual({ lines: 17, err: "" });
  expect(await cluster.queue("%i", "--name=many")).toHaveLength(15);
});

test("a front that is gone costs nothing but time", async () => {
  kill(front.pid, "SIGKILL");
  await front.ended;
  expect(existsSync(door)).toBe(true);
  const line = `${bin}/mgpu-sinfo -h -o '%P %D'`;
  expect(await outcome(line, "either")).toEqual(await outcome(line, "program"));
});

test("mgpu down ends it", async () => {
  front = await startFront();
  await cluster.ok("mgpu", ["down", "--force"]);
  expect((await front.ended).code).toBe(0);
  expect(existsSync(door)).toBe(false);
});
