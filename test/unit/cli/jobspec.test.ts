import { describe, expect, test } from "vitest";
import { parseOptions } from "../../../src/cli/getopt.ts";
import { absolutePath, baseName, draftJob, draftStep, type JobFacts } from "../../../src/cli/jobspec.ts";
import { readSubmit } from "../../../src/cli/options/reading.ts";
import type { Submitter } from "../../../src/cli/options/record.ts";
import { submitOptions } from "../../../src/cli/options/submit.ts";
import type { JobRequest } from "../../../src/core/jobspec.ts";
import { PLAIN_REQUEST, type ResourceRequest } from "../../../src/core/resources.ts";
import { type FakeOptions, fakeContext } from "./fake-context.ts";

const FACTS = { defaultName: "python3", argv: ["python3", "train.py"], pty: null } as const;
const KINDS = { srun: "run", sbatch: "batch", salloc: "alloc" } as const;

function wishesOf(submitter: Submitter, argv: readonly string[], options: FakeOptions) {
  const { context } = fakeContext({ program: `mgpu-${submitter}`, ...options });
  const parsed = parseOptions(submitOptions(submitter), argv, "stop");
  const wishes = readSubmit(submitter, parsed, context);
  expect([...parsed.problems, ...wishes.problems]).toEqual([]);
  return { wishes, context };
}

function draft(argv: readonly string[] = [], options: FakeOptions = {}, submitter: Submitter = "srun") {
  const { wishes, context } = wishesOf(submitter, argv, options);
  const facts: JobFacts = { ...FACTS, kind: KINDS[submitter] };
  return draftJob(wishes, facts, context);
}

test("srun's input file must be there, as for Slurm's; a pattern's is seen on the node", () => {
  expect(draft(["-i", "gone"]).problems).toEqual(["Could not open stdin file: No such file or directory: gone"]);
  for (const input of ["none", "all", "0", "in-%t"]) expect(draft(["-i", input]).problems).toEqual([]);
  expect(draft(["-i", "gone"], {}, "sbatch").problems).toEqual([]);
});

test("what --gpu-bind=closest needs is said", () => {
  expect(draft(["--gpu-bind=closest"]).warnings).toEqual([expect.stringContaining("each task sees all GPUs")]);
  expect(draft(["--gpu-bind=closest", "--cpu-bind=cores"]).warnings).toEqual([]);
  expect(draft(["--gpu-bind=none"]).warnings).toEqual([]);
});

function step(argv: readonly string[], environment: Record<string, string>, options: FakeOptions = {}) {
  const { wishes, context } = wishesOf("srun", argv, { environment, ...options });
  return draftStep(wishes, FACTS, context);
}

/** The geometry of `sbatch ARGV`, without what it does not ask for. */
function shapeOf(line: string, options: FakeOptions = {}) {
  const { job, problems, warnings } = draft(line.split(" ").filter(Boolean), options, "sbatch");
  expect(problems).toEqual([]);
  return { ...asked(job.request), ...(warnings.length > 0 ? { warnings } : {}) };
}

function asked(request: ResourceRequest): Partial<ResourceRequest> {
  const plain: Record<string, unknown> = { ...PLAIN_REQUEST, tasks: undefined };
  return Object.fromEntries(
    Object.entries(request).filter(([key, value]) => JSON.stringify(value) !== JSON.stringify(plain[key])),
  );
}

const gpus = (per: "job" | "node" | "task", count: number, type: string | null = null) => ({
  per,
  wishes: [{ type, thousandths: count * 1000 }],
});
const nodes = (min: number, max = min) => ({ min, max });

test("defaults of srun, sbatch and salloc", () => {
  const plain: JobRequest = {
    kind: "run",
    name: "python3",
    partition: null,
    request: PLAIN_REQUEST,
    timeLimitS: null,
    timeMinS: null,
    beginAt: 0,
    deadlineAt: 0,
    workDir: "/work",
    io: { stdin: "all", stdout: null, stderr: null, openMode: "truncate", label: false },
    argv: ["python3", "train.py"],
    programs: [],
    pty: null,
    umask: 0o22,
    rlimits: {},
    distribution: "block",
    gpuBind: null,
    requeue: false,
    retries: 0,
    retryWaitS: 10,
    hold: false,
    priority: null,
    nice: 0,
    dependency: null,
    killOnInvalidDep: false,
    signal: null,
    array: null,
    het: null,
    noKill: false,
    account: null,
    comment: "",
    wckey: "",
    qos: null,
    reservation: null,
    licenses: [],
    mail: null,
    submitHost: "desk",
    submitLine: "mgpu-srun",
  };
  expect(draft()).toEqual({ problems: [], warnings: [], job: plain });
  const batch = draft([], {}, "sbatch").job;
  expect(batch).toMatchObject({ kind: "batch", requeue: true, submitLine: "mgpu-sbatch" });
  expect(batch.io.stdin).toBe("none");
  expect(draft(["--no-requeue"], {}, "sbatch").job.requeue).toBe(false);
  expect(draft([], {}, "salloc").job).toMatchObject({ kind: "alloc", requeue: false, rlimits: {} });
});

test("what a job is called and waits for", () => {
  const argv = [
    ...["-Jx", "-Aacct", "--comment=c d", "--wckey=w", "-qhigh", "--reservation=r", "-La:2", "--mail-type=END,FAIL"],
    ...["-H", "--priority=5", "--nice=-3", "-dsingleton", "--kill-on-invalid-dep=yes", "--signal=USR1", "-a1-3"],
    ...["--retries=2", "--retry-wait=7", "-k", "--begin=now+60", "--deadline=now+1day"],
  ];
  const at = Date.UTC(2026, 10, 21, 22, 0, 0);
  expect(draft(argv, {}, "sbatch").job).toMatchObject({
    name: "x",
    account: "acct",
    comment: "c d",
    wckey: "w",
    qos: "high",
    reservation: "r",
    licenses: [{ name: "a", count: 2 }],
    mail: { types: ["END", "FAIL"], user: "ada" },
    hold: true,
    priority: 5,
    nice: -3,
    dependency: { any: false, terms: [{ type: "singleton", jobId: 0, taskId: null, delayMin: 0 }] },
    killOnInvalidDep: true,
    signal: { signal: 10, leadS: 60, batchOnly: false, reservation: false },
    array: { tasks: [{ first: 1, last: 3, step: 1 }], limit: 0 },
    retries: 2,
    retryWaitS: 7,
    noKill: true,
    beginAt: at + 60_000,
    deadlineAt: at + 86_400_000,
    submitLine: `mgpu-sbatch ${argv.join(" ")}`,
  });
  expect(draft(["--priority=0"]).job).toMatchObject({ hold: true, priority: null });
  expect(draft(["--dependency="]).job.dependency).toBeNull();
  expect(draft(["--mail-user=x@y"]).job.mail).toBeNull();
  expect(draft(["--mail-type=ALL", "--mail-user=x@y"]).job.mail?.user).toBe("x@y");
});

describe("tasks and nodes, as sbatch of Slurm 22.05 reads them", () => {
  test.each<[string, object]>([
    ["", { tasks: 1 }],
    ["-n4", { tasks: 4 }],
    ["-N2", { tasks: 2, nodes: nodes(2) }],
    ["-N2-4", { nodes: nodes(2, 4), tasks: null }],
    ["-N2 --ntasks-per-node=3", { tasks: 6, tasksPerNode: 3, nodes: nodes(2) }],
    ["-N2-3 --ntasks-per-node=2", { nodes: nodes(2, 3), tasks: null, tasksPerNode: 2 }],
    ["--ntasks-per-node=3", { tasks: 3, tasksPerNode: 3 }],
    ["-n6 --ntasks-per-node=2", { tasks: 6, tasksPerNode: 2 }],
    ["-n2 --ntasks-per-node=4 -N2", { tasks: 2, tasksPerNode: 4, nodes: nodes(2) }],
    ["-N1-3 -n2", { tasks: 2, nodes: nodes(1, 2) }],
    ["-N2 -c3", { tasks: 2, cpusPerTask: 3, nodes: nodes(2) }],
    ["-n20 -O", { tasks: 20, overcommit: true }],
    ["--mincpus=4 --contiguous --spread-job", { tasks: 1, cpusMin: 4, contiguous: true, spread: true }],
    ["--exclusive", { tasks: 1, exclusive: true }],
    ["--exclusive=user", { tasks: 1, onlyUser: true }],
    ["-Ca&b|c", { tasks: 1, constraint: "(a&b)|c" }],
    ["-w n1,n2", { tasks: 2, nodes: nodes(2), nodeList: ["n1", "n2"] }],
    ["-w n1 -N2", { tasks: 2, nodes: nodes(2), nodeList: ["n1"] }],
    ["-w n1 -n4 --ntasks-per-node=2", { tasks: 4, tasksPerNode: 2, nodeList: ["n1"] }],
    ["-w n[1-3] -N1-5", { nodes: nodes(3, 5), tasks: null, nodeList: ["n1", "n2", "n3"] }],
    ["-w n1,n1 -x n3,n3", { tasks: 1, nodes: nodes(1), nodeList: ["n1"], excluded: ["n3"] }],
    ["--mem=2G", { tasks: 1, memory: { per: "node", mib: 2048 } }],
    ["--mem-per-cpu=100", { tasks: 1, memory: { per: "cpu", mib: 100 } }],
    ["--mem=0", { tasks: 1 }],
    ["-N4 -n2", { tasks: 2, nodes: nodes(2), warnings: ["can't run 2 processes on 4 nodes, setting nnodes to 2"] }],
    [
      "-w n[1-3] -N3 -n2",
      {
        ...{ tasks: 2, nodes: nodes(2), nodeList: ["n1", "n2"] },
        warnings: ["can't run 2 processes on 3 nodes, setting nnodes to 2"],
      },
    ],
    [
      "-n5 --ntasks-per-node=2 -N2",
      { tasks: 5, nodes: nodes(2), warnings: [expect.stringContaining("Ignoring --ntasks-per-node")] },
    ],
  ])("%s", (line, expected) => {
    expect(shapeOf(line)).toEqual(expected);
  });
});

describe("GPUs, as sbatch of Slurm 22.05 reads them", () => {
  test.each<[string, object]>([
    ["--gpus=1", { tasks: 1, gpus: gpus("job", 1) }],
    // They may take several nodes, each with a task.
    ["--gpus=2", { tasks: null, gpus: gpus("job", 2) }],
    ["--gpus=2 -n1", { tasks: 1, gpus: gpus("job", 2) }],
    ["--gpus=0", { tasks: 1, gpus: { per: "job", wishes: [] } }],
    ["--gres=gpu:a100:2", { tasks: 1, gpus: gpus("node", 2, "a100") }],
    ["--gres=none", { tasks: 1, gpus: { per: "node", wishes: [] } }],
    ["--gpus-per-node=2 -N2", { tasks: 2, nodes: nodes(2), gpus: gpus("node", 2) }],
    ["--gpus=4 -N2", { tasks: 2, nodes: nodes(2), gpus: gpus("job", 4) }],
    ["--gpus=4 --gpus-per-node=2", { tasks: 2, nodes: nodes(2), gpus: gpus("node", 2) }],
    ["--gpus=4 --gpus-per-node=2 -N1-4", { tasks: 2, nodes: nodes(2), gpus: gpus("node", 2) }],
    ["--gpus=a100:4 --gpus-per-node=2", { tasks: 2, nodes: nodes(2), gpus: gpus("node", 2, "a100") }],
    ["--gres=gpu:2 --gpus=2", { tasks: 1, nodes: nodes(1), gpus: gpus("node", 2) }],
    ["--gres=gpu:2 --gpus-per-node=2", { tasks: 1, gpus: gpus("node", 2) }],
    ["--gpus-per-task=1 -n3", { tasks: 3, gpus: gpus("task", 1) }],
    ["--gpus-per-task=1 -N2", { tasks: 2, nodes: nodes(2), gpus: gpus("task", 1) }],
    [
      "--gpus-per-task=1 --ntasks-per-node=2 -N2",
      { tasks: 4, tasksPerNode: 2, nodes: nodes(2), gpus: gpus("task", 1) },
    ],
    ["--gpus=4 --gpus-per-task=1", { tasks: 4, gpus: gpus("task", 1) }],
    ["--gpus=4 --gpus-per-task=1 -n4 -N2", { tasks: 4, nodes: nodes(2), gpus: gpus("task", 1) }],
    ["--gpus=a:2,b:1 --gpus-per-task=a:1", { tasks: 2, gpus: gpus("task", 1, "a") }],
    ["--gres=gpu:2 --gpus-per-task=1 -n2", { tasks: 2, tasksPerNode: 2, gpus: gpus("task", 1) }],
    ["--gpus=4 --ntasks-per-gpu=2", { tasks: 8, tasksPerGpu: 2, gpus: gpus("job", 4) }],
    [
      "--gpus-per-node=2 --ntasks-per-gpu=2 -N2",
      { tasks: 8, tasksPerNode: 4, tasksPerGpu: 2, nodes: nodes(2), gpus: gpus("node", 2) },
    ],
    ["--ntasks-per-gpu=2 -n4", { tasks: 4, tasksPerGpu: 2, gpus: gpus("job", 2) }],
    ["--gpus-per-socket=1 --sockets-per-node=2", { tasks: 1, gpus: gpus("node", 2) }],
    ["--gpus=2 --cpus-per-gpu=3", { tasks: null, cpusPerGpu: 3, gpus: gpus("job", 2) }],
    ["--gpus-per-node=2 --mem-per-gpu=100", { tasks: 1, memory: { per: "gpu", mib: 100 }, gpus: gpus("node", 2) }],
    ["--tres-per-task=gres/gpu:1,cpu=4 -n2", { tasks: 2, cpusPerTask: 4, gpus: gpus("task", 1) }],
    ["--gpus=0.5", { tasks: 1, gpus: gpus("job", 0.5) }],
    ["--gpus=2.5", { tasks: null, gpus: gpus("job", 2.5) }],
    ["--gpus=1.5 -N2", { tasks: 2, nodes: nodes(2), gpus: gpus("job", 1.5) }],
    ["--gpus=2 --gpus-per-task=0.5", { tasks: 4, gpus: gpus("task", 0.5) }],
    ["--gres=gpu:a100:0.5", { tasks: 1, gpus: gpus("node", 0.5, "a100") }],
    ["--gpus-per-socket=0.5 --sockets-per-node=2", { tasks: 1, gpus: gpus("node", 1) }],
    ["--gpu-mem=10G", { tasks: 1, gpuMemoryMiB: 10240, gpus: { ...gpus("job", 1), byMemory: true } }],
    [
      "--gpu-mem=10G -N2",
      { tasks: 2, nodes: nodes(2), gpuMemoryMiB: 10240, gpus: { ...gpus("node", 1), byMemory: true } },
    ],
    [
      "--node-gpu-ids=n1:0,1 --gpus=2",
      { tasks: 1, nodes: nodes(1), nodeList: ["n1"], gpuIds: [{ node: "n1", indices: [0, 1] }] },
    ],
    ["--gpus=2 --gpu-mem=10G", { tasks: null, gpuMemoryMiB: 10240, gpus: gpus("job", 2) }],
    [
      "--node-gpu-ids=n1:0,1;n2:3",
      {
        ...{ tasks: 2, nodes: nodes(2), nodeList: ["n1", "n2"] },
        gpuIds: [
          { node: "n1", indices: [0, 1] },
          { node: "n2", indices: [3] },
        ],
      },
    ],
    [
      "--gpus=4 --ntasks-per-gpu=2 -n3",
      {
        ...{ tasks: 8, tasksPerGpu: 2, gpus: gpus("job", 4) },
        warnings: ["--ntasks-per-gpu makes it 8 tasks rather than 3"],
      },
    ],
  ])("%s", (line, expected) => {
    expect(shapeOf(line)).toEqual(expected);
  });
});

describe("what does not go together", () => {
  test.each<[string, string]>([
    ["--mem=1G --mem-per-cpu=100", "--mem, --mem-per-cpu, and --mem-per-gpu are mutually exclusive."],
    ["--gpus=2 --cpus-per-gpu=3 -c2", "--cpus-per-gpu is mutually exclusive with --cpus-per-task"],
    ["--gpus=0.5 -N2", "--gpus < -N: 0.5 GPUs for 2 nodes"],
    ["--node-gpu-ids=n1:0,1 --gpus=3", "--node-gpu-ids lists 2 whole GPUs, but --gpus asks for 3"],
    ["--node-gpu-ids=n1:0 --gpus=a100:1", "--node-gpu-ids says already which GPUs"],
    ["--gpus=5 --gpus-per-task=2", "--gpus not multiple of --gpus-per-task"],
    ["--gpus=5 --gpus-per-node=2", "--gpus not multiple of --gpus-per-node"],
    ["-G2 --gpus-per-node=4", "Failed to ensure --gpus >= --gres=gpu/--gpus-per-node"],
    ["--gpus=4 --gpus-per-node=2 -N3", "required nodes (2) doesn't fall between min_nodes (3) and max_nodes (3)"],
    ["--gpus=4 --gpus-per-task=1 -n2", "number of requested tasks differ from -n/--ntasks"],
    ["--gpus=4 --gpus-per-node=2 -n1", "--gpus and --gpus-per-node take 2 nodes, for 1 tasks"],
    ["--gpus=1 -N2", "--gpus < -N"],
    ["--gpus-per-node=3 --gpus-per-task=2 -n2", "--gpus-per-node not multiple of --gpus-per-task"],
    ["--ntasks-per-gpu=2", "--ntasks-per-gpu needs --gpus"],
    ["--ntasks-per-gpu=2 -n5", "-n/--ntasks has to be a multiple of --ntasks-per-gpu"],
    ["--ntasks-per-gpu=2 --gpus-per-task=1 -n2", "--gpus-per-task is mutually exclusive with --ntasks-per-gpu"],
    ["--ntasks-per-gpu=2 --ntasks-per-node=2 -G2", "--ntasks-per-node is mutually exclusive with --ntasks-per-gpu"],
    ["--gpus-per-socket=1", "--gpus-per-socket option requires --sockets-per-node specification"],
    ["--gres=gpu:2 --gpus-per-node=1", "--gpus-per-node and --gres ask for different GPUs"],
    ["--mem-per-gpu=100", "--mem-per-gpu: no GPUs are asked for"],
    ["--gpus=2 --node-gpu-ids=n1:0", "--node-gpu-ids lists 1 whole GPUs, but --gpus asks for 2"],
    ["-wn[1-3] -N2", "--nodes: invalid number of nodes (-N 3-2)"],
    ["-marbitrary", "--distribution: arbitrary needs --nodelist"],
    ["-t10 --time-min=20", "--time-min: Invalid time-min specification"],
    ["-t10 --time-min=0", "--time-min: Invalid time-min specification"],
    ["--deadline=2020-01-01", "--deadline: Requested time limit is invalid"],
    ["--uid=1", "--uid only permitted by root user"],
    ["--begin=now+2hours --deadline=now+1hour", "--deadline: Incompatible begin and deadline time specification"],
    ["--gid=1", "--gid only permitted by root user"],
  ])("%s", (line, problem) => {
    expect(draft(line.split(" "), {}, "sbatch").problems).toEqual([expect.stringContaining(problem)]);
  });
  test("what does", () => {
    expect(draft(["-t10", "--time-min=5"]).problems).toEqual([]);
    expect(draft(["-t0", "--time-min=5"]).problems).toEqual([]);
    expect(draft(["--deadline=now"]).problems).toEqual([]);
    expect(draft(["--uid=ada", "--gid=1000"]).problems).toEqual([]);
  });
});

describe("lists of nodes in files", () => {
  const files = { "/work/hosts": "n3\nn[1-2], n3 # rack\n# n9\n", "/work/bad": "n[1-\n", "/work/empty": "#\n" };
  test("names, each once", () => {
    const { job } = draft(["-F", "hosts", "-x", "/work/hosts"], { files }, "sbatch");
    expect(job.request).toMatchObject({ nodeList: ["n3", "n1", "n2"], excluded: ["n3", "n1", "n2"], nodes: nodes(3) });
    expect(draft(["-w", "/work/hosts"], { files }).job.request.nodeList).toEqual(["n3", "n1", "n2"]);
  });
  test("what is none", () => {
    expect(draft(["-F", "no"]).problems).toEqual(["--nodefile: no: No such file or directory"]);
    const expected = ["--nodelist: /work/bad: Invalid node name specified: expected names such as n1 or n[2-4]"];
    expect(draft(["-w", "/work/bad"], { files }).problems).toEqual(expected);
    expect(draft(["-F", "empty"], { files }).problems[0]).toContain("Invalid node name specified");
  });
  test("an arbitrary order: one name a task", () => {
    const { job } = draft(["-marbitrary", "-w", "n2,n1,n2,n2"]);
    expect(job.distribution).toEqual({ arbitrary: [0, 1, 0, 0] });
    expect(job.request).toMatchObject({ tasks: 4, nodes: nodes(2), nodeList: ["n2", "n1"], tasksOn: { n2: 3, n1: 1 } });
    const environment = { SLURM_HOSTFILE: "/work/hosts" };
    expect(draft(["-marbitrary"], { files, environment }).job).toMatchObject({
      distribution: { arbitrary: [0, 1, 2, 0] },
      request: { tasks: 4, nodeList: ["n3", "n1", "n2"] },
    });
    expect(draft([], { files, environment }).job.request.nodeList).toEqual([]);
    expect(draft(["-mcyclic"]).job.distribution).toBe("cyclic");
    expect(draft(["-mplane=4"]).job.distribution).toEqual({ plane: 4 });
    expect(draft(["-m*:cyclic"]).job.distribution).toBe("block");
  });
});

test("streams: all and none in any case, /dev/null for discarded output, numbers of tasks", () => {
  const { io } = draft(["-iNONE", "-onone", "-eALL", "--open-mode=append"]).job;
  expect(io).toEqual({ stdin: "none", stdout: "/dev/null", stderr: "all", openMode: "append", label: false });
  expect(draft(["-i0"]).problems).toEqual([]);
  expect(draft(["-i2", "-n2"]).problems[0]).toContain("there is no task 2");
  const asked: string[] = [];
  const fileQuestions = { writeProblem: (path: string) => String(asked.push(path) && "") };
  expect(draft(["-o1", "-n2"], { fileQuestions }).job.io.stdout).toBe("1");
  expect(asked).toEqual([]);
});

test("time limits: exact under mgpu's names, whole minutes under Slurm's", () => {
  const argv = ["-t1:30", "--time-min=1:10"];
  expect(draft(argv).job).toMatchObject({ timeLimitS: 90, timeMinS: 70 });
  expect(draft(argv, { program: "srun" }).job).toMatchObject({ timeLimitS: 120, timeMinS: 120 });
  expect(draft(["-t0"], { program: "srun" }).job.timeLimitS).toBe(0);
});

test("mask and limits are those of the shell", () => {
  const limits = { NOFILE: 1024, STACK: -1, CORE: 0 };
  const shell = { umask: () => 0o77, limits: () => limits };
  expect(draft([], { shell }).job).toMatchObject({ umask: 0o77, rlimits: limits });
  expect(draft(["--propagate=STACK,AS"], { shell }).job.rlimits).toEqual({ STACK: -1 });
  expect(draft(["--propagate=NONE"], { shell }).job.rlimits).toEqual({});
  expect(draft(["--propagate"], { shell }).job.rlimits).toEqual(limits);
  expect(draft([], { shell, environment: { SLURM_UMASK: "0027" } }).job.umask).toBe(0o27);
  const inJob = { SLURM_UMASK: "0027", SLURM_JOB_ID: "1" };
  expect(draft([], { shell, environment: inJob }, "sbatch").job.umask).toBe(0o77);
});

describe("steps", () => {
  const job = { SLURM_JOB_ID: "5", SLURM_NTASKS: "4", SLURM_JOB_NUM_NODES: "2" };
  const perNode = { ...job, SLURM_NTASKS_PER_NODE: "2", SLURM_CPUS_PER_TASK: "2" };
  const shape = (line: string, environment: Record<string, string> = job) => {
    const { step: order, problems, warnings } = step(line.split(" ").filter(Boolean), environment);
    expect(problems).toEqual([]);
    const { overlap, exact, firstNode, ...request } = order.request;
    const flags = Object.entries({ overlap, exact, firstNode }).filter(([, value]) => value);
    return { ...asked(request), ...Object.fromEntries(flags), ...(warnings.length > 0 ? { warnings } : {}) };
  };
  test("take after the job", () => {
    expect(shape("")).toEqual({ tasks: 4, nodes: nodes(2) });
    expect(shape("", perNode)).toEqual({ tasks: 4, nodes: nodes(2), tasksPerNode: 2, cpusPerTask: 2 });
    expect(shape("", { ...job, SLURM_GPUS_PER_TASK: "1" })).toMatchObject({ gpus: gpus("task", 1) });
    expect(shape("", { ...job, SLURM_GPUS_PER_NODE: "2", SLURM_GPUS: "4", SLURM_MEM_PER_NODE: "9" })).toEqual({
      tasks: 4,
      nodes: nodes(2),
    });
    expect(step([], { ...job, SLURM_GPU_BIND: "none", SLURM_DISTRIBUTION: "cyclic" }).step).toMatchObject({
      gpuBind: { kind: "none" },
      distribution: "cyclic",
      name: "python3",
      timeLimitS: 0,
    });
  });
  test("unless told otherwise, without a word about what the variables say", () => {
    expect(shape("-n1")).toEqual({ tasks: 1, nodes: nodes(1) });
    expect(shape("-n2", perNode)).toEqual({ tasks: 2, nodes: nodes(2) });
    expect(shape("-N1")).toEqual({ tasks: 4, nodes: nodes(1) });
    expect(shape("--ntasks-per-node=1", perNode)).toEqual({ tasks: 2, nodes: nodes(2), tasksPerNode: 1 });
    expect(shape("-n1 --gpus=1", { ...job, SLURM_GPUS_PER_TASK: "1" })).toMatchObject({ gpus: gpus("job", 1) });
    expect(shape("--gres=none", { ...job, SLURM_GPUS_PER_TASK: "1" })).toMatchObject({
      gpus: { per: "node", wishes: [] },
    });
    expect(shape("-r1")).toEqual({ tasks: 4, nodes: nodes(1), firstNode: 1 });
    expect(shape("-N3 -n2")).toMatchObject({ warnings: ["can't run 2 processes on 3 nodes, setting nnodes to 2"] });
  });
  test("side by side or on top of others", () => {
    expect(shape("-n1 -c2")).toMatchObject({ cpusPerTask: 2, exact: true });
    expect(shape("-n1 --exact")).toMatchObject({ exact: true });
    expect(shape("-n1 --exclusive")).toEqual({ tasks: 1, nodes: nodes(1), exact: true });
    expect(shape("-n1 --overlap")).toMatchObject({ overlap: true });
    expect(shape("-n1 --external-launcher")).toMatchObject({ overlap: true });
  });
  test("of another job have nothing to take after", () => {
    expect(shape("--jobid=9")).toEqual({ tasks: 1 });
    expect(shape("--jobid=9 -n3", {})).toEqual({ tasks: 3 });
  });
});

describe("problems that this machine knows of", () => {
  test("a working directory that is none", () => {
    expect(draft(["-Dsub"]).problems).toEqual(["--chdir: /work/sub is not a folder that exists"]);
    expect(draft(["-D/"]).job.workDir).toBe("/");
    expect(draft(["-D."]).job.workDir).toBe("/work");
  });
  test("output that can't be written, for patterns as far as they are known", () => {
    const asked: string[] = [];
    const writeProblem = (path: string): string => {
      asked.push(path);
      return path.startsWith("/ro/") ? "Read-only file system" : "";
    };
    const fileQuestions = { writeProblem };
    const { problems } = draft(["-o/ro/%j/x.log", "-e/ro/err"], { fileQuestions });
    expect(problems).toEqual([
      "--output: /ro/%j/x.log: Read-only file system",
      "--error: /ro/err: Read-only file system",
    ]);
    draft(["-ologs/a-%j"], { fileQuestions });
    draft([], { fileQuestions }, "sbatch");
    draft(["-o0"], { fileQuestions }, "sbatch");
    expect(asked).toEqual([
      ...["/ro/slurm-output", "/ro/err", "/work/logs/slurm-output", "/work/slurm-output", "/work/0"],
    ]);
  });
});

test("paths", () => {
  expect(absolutePath("a/./b//c/", "/w")).toBe("/w/a/b/c");
  expect(absolutePath("/x/../y", "/w")).toBe("/x/../y");
  expect(absolutePath(".", "/")).toBe("/");
  expect(["a/b", "/bin/sh", "x/", "sh"].map(baseName)).toEqual(["b", "sh", "x", "sh"]);
});
