/** What users get wrong: a clear line for each mistake, Slurm's exit code, and nothing queued or left behind. */

import { chmodSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type Ran, TestCluster } from "./support/cluster.ts";

const cluster = new TestCluster({ env: { MGPU_NODE_ID: "n1", MGPU_MEMORY: "16000" } });
beforeAll(() => cluster.ok("mgpu-srun", ["true"]));
afterAll(() => cluster.stop());

const srun = (...args: string[]) => cluster.run("mgpu-srun", args);
const sbatch = (args: string[], input = "#!/bin/sh\ntrue\n") => cluster.run("mgpu-sbatch", args, { input });

let before: string[] = [];
let filesBefore: string[] = [];
beforeEach(async () => {
  before = await cluster.queue("%i", "-t", "all");
  filesBefore = readdirSync(cluster.work).sort();
});

/** The command ended with this code and these lines on stderr, and left nothing behind. */
async function expectRefusal(ran: Ran, code: number, ...lines: string[]): Promise<void> {
  expect(ran.stderr.split("\n").slice(0, -1)).toEqual(lines);
  expect([ran.code, ran.stdout]).toEqual([code, ""]);
  expect(await cluster.queue("%i", "-t", "all")).toEqual(before);
  expect(readdirSync(cluster.work).sort()).toEqual(filesBefore);
}

describe("values", () => {
  const GPUS = 'mgpu-srun: error: --gpus: expected a count of GPUs or type:count, such as 2 or a100:2, got "two"';
  const TIME =
    "mgpu-srun: error: --time: expected a time such as 30 (minutes), 1:30:00 or 2-12 (days-hours), or UNLIMITED, " +
    'got "5x"';

  test("--gpus two, --time 5x, and both at once", async () => {
    await expectRefusal(await srun("--gpus", "two", "true"), 1, GPUS);
    await expectRefusal(await srun("--time", "5x", "true"), 1, TIME);
    await expectRefusal(await srun("--time", "5x", "--gpus", "two", "true"), 1, GPUS, TIME);
  });

  test.each<[string[], string]>([
    [["-n", "0"], '--ntasks: expected a count of at least 1, got "0"'],
    [["-n", "-2"], '--ntasks: expected a count of at least 1, got "-2"'],
    [["-c", "many"], '--cpus-per-task: expected a count of at least 1, got "many"'],
    [["--mem", "lots"], '--mem: expected memory such as 500M or 16G, got "lots"'],
    [["--gpus", ""], '--gpus: expected a count of GPUs or type:count, such as 2 or a100:2, got ""'],
    [
      ["--gres", "shard:2"],
      "--gres: Invalid generic resource (gres) specification: expected gpu, gpu:count or gpu:type:count, " +
        'got "shard:2"',
    ],
    [["--gpus=1", "--gres=gpu:2"], "Failed to ensure --gpus >= --gres=gpu/--gpus-per-node"],
    [["--mem=1", "--mem-per-cpu=1"], "--mem, --mem-per-cpu, and --mem-per-gpu are mutually exclusive."],
    [["-t", "1", "--time-min=2"], "--time-min: Invalid time-min specification (exceeds job's time or other limits)"],
    [["--open-mode", "sideways"], '--open-mode: expected append or truncate, got "sideways"'],
    [["--export", "NONE,A"], "--export: NONE can't be mixed with other variables"],
    [["-i", "3"], "--input: there is no task 3, tasks are numbered from 0 to 0"],
  ])("%j", async (args, message) => {
    await expectRefusal(await srun(...args, "true"), 1, `mgpu-srun: error: ${message}`);
  });

  test("what only the cluster knows", async () => {
    await expectRefusal(
      await srun("-N", "2", "true"),
      1,
      "mgpu-srun: error: Unable to allocate resources: Node count specification invalid",
      "mgpu-srun: hint: asked for 2 nodes; there is 1: n1",
    );
  });

  test("in a variable or in a script, with its name or line", async () => {
    const { stderr } = await cluster.run("mgpu-srun", ["true"], { env: { SLURM_GPUS: "two" } });
    expect(stderr).toBe(GPUS.replace("--gpus", "SLURM_GPUS").concat("\n"));
    const script = "#!/bin/sh\n\n#SBATCH --gpus=two\n#SBATCH --frob -n zero\n#SBATCH 'unfinished\ntrue\n";
    await expectRefusal(
      await sbatch([], script),
      1,
      GPUS.replace("mgpu-srun: error: ", "mgpu-sbatch: error: standard input: line 3: "),
      "mgpu-sbatch: error: standard input: line 4: unrecognized option '--frob'",
      'mgpu-sbatch: error: standard input: line 4: --ntasks: expected a count of at least 1, got "zero"',
      "mgpu-sbatch: error: standard input: line 5: Unmatched `'` in ['unfinished]",
    );
  });

  test("mistakes of all kinds are told together", async () => {
    await expectRefusal(
      await srun("--gpus", "two", "--chdir", "/no/such/folder", "no-such-program"),
      1,
      GPUS,
      "mgpu-srun: error: --chdir: /no/such/folder is not a folder that exists",
      "mgpu-srun: error: execve(): no-such-program: No such file or directory",
    );
  });
});

describe("options", () => {
  const tryHelp = (program: string) => `Try "${program} --help" for more information`;

  test("unknown ones, with a hint", async () => {
    await expectRefusal(
      await srun("--frob", "true"),
      1,
      "mgpu-srun: error: unrecognized option '--frob'",
      tryHelp("mgpu-srun"),
    );
    await expectRefusal(
      await srun("--gpuss=2", "-y", "true"),
      1,
      "mgpu-srun: error: unrecognized option '--gpuss=2'",
      "mgpu-srun: error: invalid option -- 'y'",
      "mgpu-srun: hint: did you mean --gpus?",
      tryHelp("mgpu-srun"),
    );
    await expectRefusal(
      await sbatch(["--label", "-K"]),
      1,
      "mgpu-sbatch: error: unrecognized option '--label'",
      "mgpu-sbatch: error: invalid option -- 'K'",
      "mgpu-sbatch: hint: --label is an option of srun; -K is --kill-on-bad-exit of srun and --kill-command of salloc",
      tryHelp("mgpu-sbatch"),
    );
  });

  test("without their value, or with one too many", async () => {
    await expectRefusal(
      await srun("--gpus"),
      1,
      "mgpu-srun: error: option '--gpus' requires an argument",
      tryHelp("mgpu-srun"),
    );
    await expectRefusal(
      await srun("--label=yes", "true"),
      1,
      "mgpu-srun: error: option '--label' doesn't allow an argument",
      tryHelp("mgpu-srun"),
    );
  });
});

describe("programs and scripts", () => {
  test("a missing program ends as the system says: 2; one without the x bit: 13", async () => {
    const missing = "mgpu-srun: error: execve(): no-such-program: No such file or directory";
    await expectRefusal(await srun("no-such-program", "--option"), 2, missing);
    await expectRefusal(await srun("-n", "3", "no-such-program"), 2, missing);
    await expectRefusal(await srun("/etc/passwd"), 13, "mgpu-srun: error: execve(): /etc/passwd: Permission denied");
    await expectRefusal(await srun("/usr"), 13, "mgpu-srun: error: execve(): /usr: Permission denied");
    await expectRefusal(await srun(), 1, "mgpu-srun: error: No command given to execute.");
  });

  test("scripts that are missing, unreadable or none", async () => {
    await expectRefusal(
      await sbatch(["no-such-script.sh"]),
      1,
      "mgpu-sbatch: error: Unable to open file no-such-script.sh",
      "mgpu-sbatch: error: no-such-script.sh: No such file or directory",
    );
    await expectRefusal(
      await sbatch(["/usr"]),
      1,
      "mgpu-sbatch: error: Unable to open file /usr",
      "mgpu-sbatch: error: /usr: Is a directory",
    );
    await expectRefusal(await sbatch([], ""), 1, "mgpu-sbatch: error: Batch script is empty!");
    await expectRefusal(
      await sbatch([], "echo no shebang\n"),
      1,
      "mgpu-sbatch: error: This does not look like a batch script.  The first",
      "mgpu-sbatch: error: line must start with #! followed by the path to an interpreter.",
      "mgpu-sbatch: error: For instance: #!/bin/sh",
    );
    const { stderr, code } = await sbatch([], "#!/bin/sh\r\ntrue\r\n");
    expect([code, stderr]).toEqual([1, expect.stringContaining("DOS line breaks")]);
    await expectRefusal(
      await sbatch(["--wrap", "true", "script.sh"]),
      1,
      "mgpu-sbatch: error: Script arguments not permitted with --wrap option",
    );
  });

  test("a file without end is not read without end, and no job comes of it", async () => {
    const NO_SCRIPT = /^mgpu-sbatch: error: This does not look like a batch script\. {2}The first\n/;
    expect(await sbatch(["/dev/zero"])).toMatchObject({ code: 1, stderr: expect.stringMatching(NO_SCRIPT) });
    const yes = await cluster.run("bash", ["-c", "yes | mgpu-sbatch"]);
    expect(yes).toMatchObject({ code: 1, stderr: expect.stringMatching(NO_SCRIPT) });
    const large = await cluster.run("bash", ["-c", "(echo '#!/bin/sh'; yes '#') | mgpu-sbatch"]);
    expect(large.code).toBe(1);
    expect(large.stderr).toMatch(/^mgpu-sbatch: error: Script from STDIN is too big, read 4\d{6} > 4194304 bytes\.\n$/);
    expect(await cluster.queue("%i", "-t", "all")).toEqual(before);
  });

  test("pipes are scripts as good as files", async () => {
    const script = "(echo '#!/bin/sh'; sleep 0.1; echo 'echo piped')";
    const line = `mgpu-sbatch --parsable -o a.txt <${script}; ${script} | mgpu-sbatch --parsable -o b.txt /dev/stdin`;
    const ids = (await cluster.ok("bash", ["-c", line])).trim().split("\n").map(Number);
    for (const id of ids) await cluster.untilState(id, "COMPLETED");
    expect([cluster.read("a.txt"), cluster.read("b.txt")]).toEqual(["piped\n", "piped\n"]);
  });

  test("a script that may not be read", async () => {
    const path = join(cluster.folder, "secret.sh");
    writeFileSync(path, "#!/bin/sh\n");
    chmodSync(path, 0);
    const ran = await withoutPrivilege("mgpu-sbatch", path);
    expect(ran.code).toBe(1);
    expect(ran.stderr).toBe(
      `mgpu-sbatch: error: Unable to open file ${path}\nmgpu-sbatch: error: ${path}: Permission denied\n`,
    );
  });

  test("an interpreter that is not there: the job fails and its output says why", async () => {
    const id = await cluster.submit("#!/no/such/shell\n", ["-o", "interpreter.txt"]);
    await cluster.untilState(id, "FAILED");
    const { jobs } = JSON.parse(await cluster.ok("mgpu-squeue", ["-t", "all", "--json", "-j", `${id}`]));
    expect(jobs[0].state_description).toContain("bad interpreter(/no/such/shell)");
  });
});

describe("files and folders", () => {
  test("a working directory that is missing or none", async () => {
    const message = (path: string) => `mgpu-srun: error: --chdir: ${path} is not a folder that exists`;
    await expectRefusal(await srun("--chdir", "/no/such/folder", "true"), 1, message("/no/such/folder"));
    await expectRefusal(await srun("--chdir", "/etc/passwd", "true"), 1, message("/etc/passwd"));
    await expectRefusal(
      await sbatch(["-D", "missing"]),
      1,
      `mgpu-sbatch: error: --chdir: ${cluster.work}/missing is not a folder that exists`,
    );
  });

  test("a working directory that was deleted meanwhile", async () => {
    for (const command of ["mgpu-srun pwd", "mgpu-sbatch --wrap pwd"]) {
      const line = `mkdir gone && cd gone && rmdir ../gone && ${command}`;
      const { code, stdout, stderr } = await cluster.run("bash", ["-c", line]);
      expect([code, stdout]).toEqual([1, ""]);
      expect(stderr).toContain(`error: --chdir: ${cluster.work}/gone (deleted) is not a folder that exists\n`);
    }
    expect(await cluster.queue("%i", "-t", "all")).toEqual(before);
  });

  test("output that can't be written", async () => {
    mkdirSync(join(cluster.work, "folder"), { recursive: true });
    filesBefore = readdirSync(cluster.work).sort();
    await expectRefusal(await srun("-o", "folder", "true"), 1, "mgpu-srun: error: --output: folder: Is a directory");
    const kernel = "--output: /proc/out: the kernel's own files are there";
    await expectRefusal(await sbatch(["-o", "/proc/out"]), 1, `mgpu-sbatch: error: ${kernel}`);
    await expectRefusal(
      await sbatch(["-o", "/etc/passwd/%j.out", "-e", "folder"]),
      1,
      "mgpu-sbatch: error: --output: /etc/passwd/%j.out: Not a directory",
      "mgpu-sbatch: error: --error: folder: Is a directory",
    );
  });

  test("output into a folder that may not be written", async () => {
    const folder = join(cluster.folder, "locked");
    mkdirSync(folder, { mode: 0o555 });
    const ran = await withoutPrivilege("mgpu-srun", "-o", `${folder}/out`, "true");
    expect([ran.code, ran.stderr]).toEqual([1, `mgpu-srun: error: --output: ${folder}/out: Permission denied\n`]);
  });

  test("what turns out on the node only: the task fails, and the reason comes first", async () => {
    const failed = (code: number, tasks: string, reason: string) => ({
      ...{ code, stdout: "" },
      stderr: `mgpu-srun: error: ${reason}\nmgpu-srun: error: n1: ${tasks}: Exited with exit code ${code}\n`,
    });
    cluster.write("n1", "a file with the name of the node\n");
    expect(await srun("-o", "%N/some.out", "true")).toMatchObject(
      failed(1, "task 0", `Could not open stdout file ${cluster.work}/n1/some.out: Not a directory`),
    );
    expect(await srun("-n2", "-i", "input-on-%N", "cat")).toMatchObject(
      failed(1, "tasks 0-1", `Could not open stdin file ${cluster.work}/input-on-n1: No such file or directory`),
    );
    chmodSync(cluster.write("no-interpreter", "#!/no/such/shell\n"), 0o755);
    expect(await srun("./no-interpreter")).toMatchObject(
      failed(2, "task 0", "execve(): bad interpreter(/no/such/shell): No such file or directory"),
    );
    expect(await cluster.queue("%i")).toEqual([]);
  });
});

describe("more than there is", () => {
  const refused = (program: string, words: string, asked: string, missing: string) => [
    `${program}: error: ${words}: Requested node configuration is not available`,
    `${program}: hint: asked for ${asked}; ${missing}; n1 has 4 GPUs (fake), 8 CPUs, 16000 MiB of memory (idle)`,
  ];
  const srunRefused = (asked: string, missing: string) =>
    refused("mgpu-srun", "Unable to allocate resources", asked, missing);

  test.each<[string[], string, string]>([
    [["--gpus", "5"], "5 GPUs and 1 CPU", "there are not enough GPUs"],
    [["--gpus", "a100:1"], "1 GPU of type a100 and 1 CPU", "too few GPUs are of that type"],
    [["-n", "3", "-c", "3"], "9 CPUs", "there are not enough CPUs for each task"],
    [["--mem", "17000"], "1 CPU and 17000 MiB of memory", "there is not enough memory"],
  ])("srun %j: the refusal says what the cluster has", async (args, asked, missing) => {
    await expectRefusal(await srun(...args, "true"), 1, ...srunRefused(asked, missing));
  });

  test("sbatch", async () => {
    const lines = refused(
      "mgpu-sbatch",
      "Batch job submission failed",
      "8 GPUs and 1 CPU",
      "there are not enough GPUs",
    );
    await expectRefusal(await sbatch(["--gpus=8"]), 1, ...lines);
  });

  test("a partition that is none", async () => {
    await expectRefusal(
      await srun("-p", "nope", "true"),
      1,
      "mgpu-srun: error: invalid partition specified: nope",
      "mgpu-srun: error: Unable to allocate resources: Invalid partition name specified",
      "mgpu-srun: hint: partitions here: main",
    );
    await expectRefusal(
      await sbatch(["-p", "nope"]),
      1,
      "mgpu-sbatch: error: invalid partition specified: nope",
      "mgpu-sbatch: error: Batch job submission failed: Invalid partition name specified",
      "mgpu-sbatch: hint: partitions here: main",
    );
  });
});

describe("no controller", () => {
  const HINT =
    "hint: MGPU_CONTROLLER names it: start mgpuctld there, or unset the variable to use mgpu on this machine; mgpu doctor looks closer";

  test.each([
    ["mgpu-srun", ["true"]],
    ["mgpu-sbatch", ["--wrap", "true"]],
    ["mgpu-squeue", []],
    ["mgpu-sinfo", []],
    ["mgpu-scancel", ["1"]],
  ])("%s says what it tried and what to do", async (program, args) => {
    const socket = join(cluster.folder, "nobody.sock");
    const ran = await cluster.run(program, args, { env: { MGPU_CONTROLLER: `unix:${socket}` } });
    expect(ran).toMatchObject({ code: 1, stdout: "" });
    expect(ran.stderr).toBe(
      `${program}: error: can't reach the controller: ${socket}: there is no such socket\n${program}: ${HINT}\n`,
    );
  });

  test("addresses that are none", async () => {
    const hint =
      "mgpu-squeue: hint: set it to unix:/path, to host:port#key or the name of a profile, or unset it " +
      "to use mgpu on this machine\n";
    const keyHint = "mgpu-squeue: hint: mgpu key issue NAME on the controller's machine prints a line to paste here\n";
    const ran = (value: string) => cluster.run("mgpu-squeue", [], { env: { MGPU_CONTROLLER: value } });
    expect(await ran("nonsense")).toMatchObject({
      code: 1,
      stderr: `mgpu-squeue: error: MGPU_CONTROLLER: expected unix:/path, got "nonsense"\n${hint}`,
    });
    expect(await ran("lab:7000")).toMatchObject({
      code: 1,
      stderr: `mgpu-squeue: error: MGPU_CONTROLLER=lab:7000: there is no key for it here\n${keyHint}`,
    });
  });

  test("a socket that nobody stands behind any more", async () => {
    const socket = join(cluster.folder, "dead.sock");
    const program = `import socket; s = socket.socket(socket.AF_UNIX); s.bind(${JSON.stringify(socket)})`;
    await cluster.ok("python3", ["-c", program]);
    const { code, stderr } = await cluster.run("mgpu-squeue", [], { env: { MGPU_CONTROLLER: socket } });
    expect([code, stderr]).toEqual([1, expect.stringContaining(`${socket}: nobody listens there any more\n`)]);
  });
});

describe("a state folder that can't be had", () => {
  test.each([
    ["/dev/null/x", "/dev/null/x/log: Not a directory"],
    ["/proc/x", "/proc/x: No such file or directory"],
  ])("MGPU_HOME=%s", async (home, problem) => {
    const ran = await cluster.run("mgpu-srun", ["touch", "must-not-run"], { env: { MGPU_HOME: home } });
    expect(ran).toMatchObject({ code: 1, stdout: "" });
    expect(ran.stderr).toBe(
      `mgpu-srun: error: mgpu could not be started on this machine: ${problem}\n` +
        `mgpu-srun: hint: MGPU_HOME is ${home}: set it to a folder of your own, or unset it\n`,
    );
    expect(cluster.has("must-not-run")).toBe(false);
  });

  test("daemons say so too", async () => {
    for (const program of ["mgpuctld", "mgpud"]) {
      const { code, stderr } = await cluster.run(program, [], { env: { MGPU_HOME: "/proc/x" } });
      expect(code).toBe(1);
      expect(stderr).toMatch(
        /^mgpu(ctl)?d: error: the .*folder \/proc\/x.* can't be used: \/proc\/x.*: No such file or directory; set MGPU_HOME to another one\n$/,
      );
    }
  });

  test("settings that make no sense keep it from starting, and are all named", async () => {
    const home = join(cluster.folder, "other");
    const env = { MGPU_HOME: home, MGPU_KILL_WAIT: "soon", MGPU_CPUS: "eight" };
    const ran = await cluster.run("mgpu-srun", ["true"], { env });
    expect(ran.code).toBe(1);
    expect(ran.stderr).toBe(
      "mgpu-srun: error: mgpu was started on this machine, but it ended with exit code 1\n" +
        'mgpu-srun: error: mgpuctld: error: MGPU_KILL_WAIT: expected seconds, got "soon"\n' +
        'mgpu-srun: error: mgpuctld: error: MGPU_CPUS: expected a count, at least 1, got "eight"\n' +
        `mgpu-srun: hint: its log is ${home}/log/mgpuctld.log; mgpu doctor looks closer\n`,
    );
    const gpus = await cluster.run("mgpu-srun", ["true"], {
      env: { MGPU_HOME: home, MGPU_FAKE_GPUS: "/no/such/list" },
    });
    expect(gpus.code).toBe(1);
    expect(gpus.stderr).toContain("MGPU_FAKE_GPUS");
    expect(gpus.stderr).not.toContain("MGPU_KILL_WAIT");
  });
});

/** Runs a program without root's power over files, should we have it. */
async function withoutPrivilege(program: string, ...args: string[]): Promise<Ran> {
  if (process.getuid?.() !== 0) return cluster.run(program, args);
  return cluster.run("setpriv", ["--bounding-set=-dac_override,-dac_read_search", program, ...args]);
}
