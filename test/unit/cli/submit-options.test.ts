import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { parseOptions } from "../../../src/cli/getopt.ts";
import { EXPORT_ALL, jobEnvironment, parseExport } from "../../../src/cli/options/export.ts";
import type { Layer } from "../../../src/cli/options/layers.ts";
import { parityTable } from "../../../src/cli/options/parity.ts";
import { readSubmit } from "../../../src/cli/options/reading.ts";
import type { Submitter } from "../../../src/cli/options/record.ts";
import { submissionEnvironment } from "../../../src/cli/options/submission-environment.ts";
import { isSupported, SUBMIT_OPTIONS, submitOptions, valueName } from "../../../src/cli/options/submit.ts";
import { unknownOptionHint } from "../../../src/cli/options/unknown.ts";
import { type FakeOptions, fakeContext } from "./fake-context.ts";

const SUBMITTERS = ["srun", "sbatch", "salloc"] as const;

/** Options that every command has (cli/run.ts). */
const COMMON = ["help", "usage", "version"];

interface SlurmOptions {
  readonly long: readonly string[];
  readonly short: Readonly<Record<string, string>>;
  readonly argument: Readonly<Record<string, string>>;
  readonly variables: Readonly<Record<string, string>>;
}

/** Of Slurm's own commands; see `source` there. */
const SLURM: { readonly commands: Readonly<Record<Submitter, SlurmOptions>> } = JSON.parse(
  readFileSync(new URL("../../fixtures/slurm-options.json", import.meta.url), "utf8"),
);

function read(
  argv: readonly string[],
  environment: Record<string, string> = {},
  submitter: Submitter = "sbatch",
  script?: Layer,
) {
  const parsed = parseOptions(submitOptions(submitter), argv, "stop");
  expect(parsed.problems).toEqual([]);
  return readSubmit(submitter, parsed, fakeContext({ environment, program: `mgpu-${submitter}` }).context, script);
}

describe("every option of Slurm's commands", () => {
  const namesOf = (submitter: Submitter) =>
    new Map(
      submitOptions(submitter).flatMap((option) => [option.long, ...(option.aliases ?? [])].map((n) => [n, option])),
    );
  test.each(SUBMITTERS)("%s has a row for it, with the same letter and kind of value", (submitter) => {
    const names = namesOf(submitter);
    const { long, short, argument } = SLURM.commands[submitter];
    const own = long.filter((name) => !COMMON.includes(name));
    expect(own.filter((name) => !names.has(name))).toEqual([]);
    const letters = Object.entries(short).filter(([, name]) => !COMMON.includes(name));
    expect(letters.filter(([letter, name]) => names.get(name)?.short !== letter)).toEqual([]);
    const kinds = own.filter((name) => argument[name] !== undefined && names.get(name)?.argument !== argument[name]);
    expect(kinds).toEqual([]);
  });
  test.each(SUBMITTERS)("%s has no letter of its own", (submitter) => {
    const letters = submitOptions(submitter).flatMap(({ short }) => short ?? []);
    expect(letters.filter((letter) => SLURM.commands[submitter].short[letter] === undefined)).toEqual([]);
    expect(new Set(letters).size).toBe(letters.length);
  });
  test.each(SUBMITTERS)("%s reads its documented variables", (submitter) => {
    const owners = new Map(
      submitOptions(submitter).flatMap((option) =>
        [option.variables?.[submitter], ...(option.otherVariables?.[submitter] ?? [])].map((name) => [
          name,
          option.long,
        ]),
      ),
    );
    // --hint's other name is that of srun, which has no effect either.
    const expected = Object.entries(SLURM.commands[submitter].variables).filter(
      ([variable]) => submitter === "srun" || variable !== "SLURM_HINT",
    );
    expect(expected.filter(([variable, long]) => owners.get(variable) !== long)).toEqual([]);
  });
  test("the parity table has one row each, and says why", () => {
    const rows = parityTable();
    expect(rows.length).toBe(SUBMIT_OPTIONS.length);
    for (const { option, commands, reason } of rows) {
      expect(reason, option).not.toBe("");
      expect(reason, option).not.toMatch(/\.$/);
      expect(commands.length, option).toBeGreaterThan(0);
    }
    const kindOf = (option: string) => rows.find((row) => row.option === option)?.kind;
    expect(["--gpus", "--cpu-freq", "--container"].map(kindOf)).toEqual(["supported", "no effect", "refused"]);
  });
});

test("every option is declared once a command, with a sentence, a place, and one name for its value", () => {
  for (const submitter of SUBMITTERS) {
    const options = submitOptions(submitter);
    const names = options.flatMap(({ long, aliases = [] }) => [long, ...aliases]);
    expect(new Set(names).size).toBe(names.length);
    const values = options.map(valueName);
    expect(new Set(values).size).toBe(values.length);
    for (const option of options) {
      expect(option.help).not.toMatch(/\.$/);
      if (isSupported(option)) expect(option.argument === "none" || "metavar" in option, option.long).toBe(true);
    }
  }
});

describe("values", () => {
  test("each option is read as what it is", () => {
    const argv = [
      ...["-Jx", "-n4", "-c2", "-N1-2", "--mem=2G", "-Ga100:2", "-t1:30", "-pgpu", "--open-mode=a", "-vv", "-Q"],
      ...["-a0-3%2", "-dafterok:12", "--nice", "--priority=TOP", "--signal=B:USR1@30", "-wn[1-2]", "-x", "n3", "-Ca&b"],
      ...["--exclusive=user", "-mcyclic", "--gpu-bind=single:2", "-La:2", "--mail-type=END", "--propagate=NOFILE"],
      ...["--node-gpu-ids=n1:0,1", "--gpu-mem=10G", "--retries=2", "--retry-wait=5", "-k", "-W", "--get-user-env=9L"],
    ];
    const { values, problems } = read(argv);
    expect(problems).toEqual([]);
    expect(values).toEqual({
      "job-name": "x",
      ntasks: 4,
      "cpus-per-task": 2,
      nodes: { min: 1, max: 2 },
      mem: 2048,
      gpus: [{ thousandths: 2000, type: "a100" }],
      time: 90,
      partition: ["gpu"],
      "open-mode": "append",
      verbose: 2,
      quiet: true,
      array: { tasks: [{ first: 0, last: 3, step: 1 }], limit: 2 },
      dependency: { any: false, terms: [{ type: "afterok", jobId: 12, taskId: null, delayMin: 0 }] },
      nice: 100,
      priority: 4_294_967_293,
      signal: { signal: 10, leadS: 30, batchOnly: true, reservation: false },
      nodelist: { names: ["n1", "n2"] },
      exclude: { names: ["n3"] },
      constraint: "a&b",
      exclusive: "user",
      distribution: { tasks: "cyclic", sockets: null, cores: null, pack: null },
      "gpu-bind": { verbose: false, kind: "single", tasksPerGpu: 2 },
      licenses: [{ name: "a", count: 2 }],
      "mail-type": ["END"],
      propagate: ["NOFILE"],
      "node-gpu-ids": [{ node: "n1", indices: [0, 1] }],
      "gpu-mem": 10240,
      retries: 2,
      "retry-wait": 5,
      "no-kill": true,
      await: true,
      "get-user-env": { timeoutS: 9 },
    });
  });
  test("the same letter means another thing elsewhere", () => {
    expect(read(["-W5", "-K", "-I60", "-lu", "-r1", "-X", "-E"], {}, "srun").values).toEqual({
      wait: 5,
      "kill-on-bad-exit": true,
      immediate: 60,
      label: true,
      unbuffered: true,
      relative: 1,
      "disable-status": true,
      "preserve-env": true,
    });
    expect(read(["-KINT", "-I", "--no-shell"], {}, "salloc").values).toEqual({
      "kill-command": 2,
      immediate: 1,
      "no-shell": true,
    });
    expect(read(["-K0"], {}, "srun").values).toEqual({ "kill-on-bad-exit": false });
    expect(read(["--no-kill=off"]).values).toEqual({ "no-kill": false });
  });
  test("moments are milliseconds", () => {
    // The fake clock stands at 2026-11-21T22:00:00Z.
    const at = Date.UTC(2026, 10, 21, 22, 0, 0);
    expect(read(["--begin=now+1hour", "--deadline=2026-11-22T00:00"]).values).toEqual({
      begin: at + 3_600_000,
      deadline: at + 2 * 3_600_000,
    });
  });
  test("all bad values are reported together, with what was expected", () => {
    const { problems } = read(["--gpus", "two", "-t5x", "-n0", "--mem=much", "-N3-1", "--open-mode=x", "-o", ""]);
    expect(problems).toEqual([
      '--ntasks: expected a count of at least 1, got "0"',
      "--nodes: maximum node count 1 is less than minimum node count 3",
      '--mem: expected memory such as 500M or 16G, got "much"',
      '--gpus: expected a count of GPUs or type:count, such as 2 or a100:2, got "two"',
      '--time: expected a time such as 30 (minutes), 1:30:00 or 2-12 (days-hours), or UNLIMITED, got "5x"',
      '--output: expected a file, got ""',
      '--open-mode: expected append or truncate, got "x"',
    ]);
  });
  test.each([
    ["--array=x", "--array: Invalid job array specification: "],
    ["--dependency=afterok:x", "--dependency: Job dependency problem: "],
    ["--constraint=a&", "--constraint: Invalid feature specification: "],
    ["--gres=nic:1", "--gres: Invalid generic resource (gres) specification: "],
  ])("%s is refused in Slurm's words", (word, problem) => {
    expect(read([word]).problems[0]).toContain(problem);
  });
  test.each<[string, Submitter, string]>([
    ["--container=/x", "sbatch", "apptainer exec"],
    ["--mpi=pmi2", "srun", "mpirun or mpiexec within"],
    ["--x11", "salloc", "ssh -X"],
    ["--bb=x", "sbatch", "burst buffers"],
    ["--reboot", "sbatch", "reboot"],
    ["--send-libs", "srun", "sbcast"],
    ["--tres-per-task=mem=1G", "sbatch", "--mem-per-cpu"],
  ])("%s of %s is refused with a hint, not swallowed", (word, submitter, hint) => {
    expect(read([word], {}, submitter).problems[0]).toContain(hint);
  });
  test.each(["--hint=x", "--mem-bind=x", "--cpu-freq=x", "-S", "-Bx", "--switches=x", "--profile=x", "--delay-boot=x"])(
    "%s is told of, though it has no effect",
    (word) => {
      const { problems } = read(word === "-S" ? ["-Sx"] : [word]);
      expect(problems).toHaveLength(1);
      expect(problems[0]).toContain("expected");
    },
  );
  test("what has no effect leaves no value", () => {
    const argv = ["--cpu-freq=high", "-s", "--hint=nomultithread", "-S2", "-B2:4", "--switches=1@5", "--profile=all"];
    const { values, problems } = read(argv);
    expect({ values, problems }).toEqual({ values: {}, problems: [] });
  });
});

describe("precedence", () => {
  const script: Layer = { values: new Map([["ntasks", ["7"]]]), label: (long) => `script: --${long}` };
  test("command line, then variable, then script", () => {
    const { values } = read(["-t1"], { SBATCH_TIMELIMIT: "9", SBATCH_JOB_NAME: "v" }, "sbatch", script);
    expect(values).toEqual({ time: 60, "job-name": "v", ntasks: 7 });
  });
  test("a problem names the place, and so do later messages", () => {
    const bad: Layer = { values: new Map([["gpus", ["x"]]]), label: (long) => `job.sh: line 3: --${long}` };
    const fromScript = read([], {}, "sbatch", bad);
    expect(fromScript.problems[0]).toMatch(/^job.sh: line 3: --gpus: expected/);
    expect(fromScript.place("gpus")).toBe("job.sh: line 3: --gpus");
    expect(fromScript.isTyped("gpus")).toBe(false);
    expect(read([], { SBATCH_GPUS: "x" }).problems[0]).toMatch(/^SBATCH_GPUS: expected/);
    const typed = read(["-W"]);
    expect([typed.place("await"), typed.isTyped("await"), typed.place("mem")]).toEqual(["--wait", true, "--mem"]);
  });
  test("of rivals the first place decides, and there the last word", () => {
    expect(read(["--requeue", "--no-requeue"]).values).toEqual({ "no-requeue": true });
    expect(read(["--no-requeue", "--requeue"]).values).toEqual({ requeue: true });
    expect(read(["--requeue"], { SBATCH_NO_REQUEUE: "1" }).values).toEqual({ requeue: true });
    const gres = { gres: [{ thousandths: 1000, type: null }] };
    expect(read(["--gres=gpu:1"], { SBATCH_GPUS: "4" }).values).toEqual(gres);
    expect(read(["--mem=1G"], { SBATCH_MEM_PER_CPU: "100" }).values).toEqual({ mem: 1024 });
  });
  test("--preserve-env lets the variables count nodes and tasks", () => {
    const environment = { SLURM_NTASKS: "3", SLURM_NNODES: "2", SLURM_TIMELIMIT: "5" };
    const { values } = read(["-E", "-n9", "-N9", "-t1"], environment, "srun");
    expect(values).toMatchObject({ ntasks: 3, nodes: { min: 2, max: 2 }, time: 60 });
  });
});

test.each([
  ["-pa,b", ["a", "b"]],
  ["-pb,a,,b", ["b", "a"]],
])("%s: partitions as listed, each once", (word, partition) => {
  expect(read([word], {}, "sbatch")).toMatchObject({ values: { partition }, problems: [] });
});

describe("variables", () => {
  test("each command reads its own", () => {
    const environment = { SLURM_NTASKS: "3", SBATCH_PARTITION: "b", SLURM_PARTITION: "r", SALLOC_PARTITION: "a" };
    expect(read([], environment, "srun").values).toEqual({ ntasks: 3, partition: ["r"] });
    expect(read([], environment, "sbatch").values).toEqual({ partition: ["b"] });
    expect(read([], environment, "salloc").values).toEqual({ partition: ["a"] });
  });
  test("the second name counts where the first says nothing", () => {
    expect(read([], { SLURM_NPROCS: "4", SLURM_NNODES: "2" }, "srun").values).toMatchObject({ ntasks: 4 });
    expect(read([], { SLURM_NTASKS: "3", SLURM_NPROCS: "4" }, "srun").values).toEqual({ ntasks: 3 });
    const both = { SRUN_EXPORT_ENV: "NONE", SLURM_EXPORT_ENV: "ALL" };
    expect(read([], both, "srun").values.export?.all).toBe(false);
  });
  const job = {
    SLURM_JOB_ID: "5",
    SLURM_NTASKS: "8",
    SLURM_JOB_NUM_NODES: "2",
    SLURM_NTASKS_PER_NODE: "4",
    SLURM_CPUS_PER_TASK: "2",
    SLURM_GPUS_PER_TASK: "1",
    SLURM_JOB_NAME: "outer",
    SLURM_GPUS: "4",
    SLURM_MEM_PER_NODE: "100",
    SLURM_LABELIO: "1",
  };
  test("an enclosing job's geometry is what a step of it takes after", () => {
    const { values, inherited } = read([], job, "srun");
    expect(values).toEqual({ jobid: 5, label: true });
    expect(inherited).toEqual({
      ntasks: 8,
      nodes: { min: 2, max: 2 },
      "ntasks-per-node": 4,
      "cpus-per-task": 2,
      "gpus-per-task": [{ thousandths: 1000, type: null }],
    });
    expect(read(["--jobid=6"], job, "srun").inherited).toEqual({});
  });
  test("and nobody's wish for another job", () => {
    expect(read([], job, "sbatch").values).toEqual({});
    expect(read([], job, "salloc").values).toEqual({});
  });
  test("SLURM_STEP_GRES is for steps alone", () => {
    expect(read([], { SLURM_STEP_GRES: "gpu:2" }, "srun").values).toEqual({});
    expect(read([], { SLURM_JOB_ID: "5", SLURM_STEP_GRES: "none" }, "srun").values).toEqual({ jobid: 5, gres: [] });
  });
  test("flags: empty, yes or a number but 0; values: empty says nothing", () => {
    const off = { SLURM_LABELIO: "0", SLURM_NTASKS: "", SLURM_DEBUG: "0", SLURM_OVERCOMMIT: "no" };
    expect(read([], off, "srun").values).toEqual({});
    const on = { SLURM_LABELIO: "", SLURM_DEBUG: "2", SLURM_OVERCOMMIT: "yes", SLURM_UNBUFFEREDIO: "1" };
    expect(read([], on, "srun").values).toEqual({ label: true, verbose: 2, overcommit: true, unbuffered: true });
  });
});

describe("--export", () => {
  const user = { PATH: "/bin", HOME: "/h", A: "1", B: "2", SLURM_X: "x", MGPU_PROGRAM: "mgpu-srun" };
  const environment = (text: string) => {
    const parsed = parseExport(text);
    return "value" in parsed ? jobEnvironment(parsed.value, user, "/w") : parsed.problem;
  };
  const slurm = { SLURM_X: "x", SLURM_SUBMIT_DIR: "/w" };
  const base = { PATH: expect.any(String), HOME: "/h", ...slurm };
  test("ALL is the user's environment, without the launcher's variables", () => {
    expect(environment("ALL")).toEqual({ PATH: "/bin", HOME: "/h", A: "1", B: "2", ...slurm });
    expect(jobEnvironment(EXPORT_ALL, { ...user, MGPU_NODE_EXTRA_CA_CERTS: "/c" }, "/w")).toEqual({
      ...(environment("ALL") as object),
      NODE_EXTRA_CA_CERTS: "/c",
    });
  });
  test.each<[string, object]>([
    ["ALL,K=V,A=9", { PATH: "/bin", HOME: "/h", A: "9", B: "2", ...slurm, K: "V" }],
    ["K=V,ALL", { PATH: "/bin", HOME: "/h", A: "1", B: "2", ...slurm, K: "V" }],
    ["A=9,ALL", { PATH: "/bin", HOME: "/h", A: "1", B: "2", ...slurm }],
    ["NONE", base],
    ["none", base],
    ["A,B", { ...base, A: "1", B: "2" }],
    ["A,NOPE", { ...base, A: "1" }],
    ["K=,A", { ...base, K: "", A: "1" }],
    ["K='x,y',A", { ...base, K: "x,y", A: "1" }],
    ['K="x,\\"y\\"",A', { ...base, K: 'x,"y"', A: "1" }],
    ["'K=x,y'", { ...base, K: "x,y" }],
    [`K='it'"'"'s'`, { ...base, K: "it's" }],
    ["PATH", { ...base, PATH: "/bin" }],
    ["K=a=b", { ...base, K: "a=b" }],
  ])("%s", (text, expected) => {
    expect(environment(text)).toEqual(expected);
  });
  test("what can't be read", () => {
    expect(environment("K='x")).toContain("not closed");
    expect(environment("=x")).toContain("NAME=value");
    expect(environment("NONE,A")).toContain("NONE");
  });
});

describe("the environment of a submission", () => {
  const environment = { HOME: "/h", PATH: "/bin", A: "1" };
  const put = async (argv: string[], options: FakeOptions = {}, submitter: Submitter = "sbatch") => {
    const { context } = fakeContext({ environment, ...options });
    const parsed = parseOptions(submitOptions(submitter), argv, "stop");
    return submissionEnvironment(readSubmit(submitter, parsed, context), context);
  };
  const login = { shell: { loginEnvironment: async () => ({ PATH: "/login", L: "2", A: "login" }) } };
  test("plain: the user's, and no shell is asked", async () => {
    const loginEnvironment = () => Promise.reject(new Error("asked"));
    const { environment: got, warnings } = await put([], { shell: { loginEnvironment } });
    expect(got).toEqual({ ...environment, SLURM_SUBMIT_DIR: "/work" });
    expect(warnings).toEqual([]);
  });
  test("--get-user-env: below the user's own, within the time that was given", async () => {
    const asked: number[] = [];
    const loginEnvironment = async (ms: number) => {
      asked.push(ms);
      return { PATH: "/login", L: "2", A: "login" };
    };
    const { environment: got } = await put(["--get-user-env=3S"], { shell: { loginEnvironment } });
    expect(got).toEqual({ ...environment, L: "2", SLURM_SUBMIT_DIR: "/work" });
    expect(asked).toEqual([3000]);
  });
  test("sbatch without ALL runs as after a login; srun does not", async () => {
    const none = { PATH: "/login", L: "2", A: "login", HOME: "/h", SLURM_SUBMIT_DIR: "/work" };
    expect((await put(["--export=NONE"], login)).environment).toEqual(none);
    expect((await put(["--export=A"], login)).environment).toEqual({ ...none, A: "1" });
    expect((await put(["--export=NONE"], login, "srun")).environment).not.toHaveProperty("L");
  });
  test("a login shell that says nothing is gone without, and said so", async () => {
    const { environment: got, warnings } = await put(["--export=NONE"]);
    expect(got).toMatchObject({ HOME: "/h", PATH: expect.stringContaining("/usr/bin") });
    expect(warnings).toEqual(["the login shell did not tell its variables within 8 s; the job goes without them"]);
  });
  test("--export-file: the file's instead of the user's", async () => {
    const files = { "/work/nul": "K=a\nb\0A=file\0", "/work/lines": "K=a b\n\nA=file\n", "/dev/fd/5": "K=five\0" };
    const base = { PATH: expect.stringContaining("/usr/bin"), HOME: "/h", SLURM_SUBMIT_DIR: "/work" };
    expect((await put(["--export-file=nul"], { files })).environment).toEqual({ ...base, K: "a\nb", A: "file" });
    expect((await put(["--export-file=lines"], { files })).environment).toEqual({ ...base, K: "a b", A: "file" });
    expect((await put(["--export-file=5"], { files })).environment).toEqual({ ...base, K: "five" });
    expect((await put(["--export-file=no"], { files })).problems).toEqual([
      "--export-file: no: No such file or directory",
    ]);
    expect((await put(["--export-file=1"])).problems[0]).toContain("descriptor of at least 3");
  });
});

describe("options that are none", () => {
  const hint = (submitter: Submitter, ...words: string[]) => {
    const { problems } = parseOptions(submitOptions(submitter), words, "stop");
    return unknownOptionHint(problems, submitOptions(submitter));
  };
  test("another command's", () => {
    expect(hint("srun", "--array=1")).toBe("--array is an option of sbatch");
    expect(hint("sbatch", "-l", "--no-pty")).toBe("--no-pty is an option of srun; -l is --label of srun");
  });
  test("mistyped ones", () => {
    expect(hint("sbatch", "--gpuss=1")).toBe("did you mean --gpus?");
    expect(hint("sbatch", "-g")).toBe("did you mean -G (--gpus)?");
    expect(hint("sbatch", "-y")).toBeUndefined();
    expect(hint("sbatch", "--cpufreq")).toBeUndefined();
  });
  test("the table of names agrees with the options", () => {
    for (const submitter of SUBMITTERS) {
      const others = SUBMIT_OPTIONS.filter((option) => isSupported(option) && !option.of.includes(submitter));
      const own = new Set(submitOptions(submitter).map(({ long }) => long));
      for (const { long, of } of others) {
        // A name that begins one of the command's own means that one.
        if ([...own].some((name) => name.startsWith(long))) continue;
        const text = hint(submitter, `--${long}`);
        for (const owner of of) expect(text ?? "", `--${long} of ${submitter}`).toContain(owner);
      }
    }
  });
});
