/** The verbs of mgpu's predecessors: what they ask of today's commands. */

import { describe, expect, test } from "vitest";
import { command } from "../../../src/cli/commands/mgpu.ts";
import type { ChildRequest } from "../../../src/cli/context.ts";
import { runCommand } from "../../../src/cli/run.ts";
import { targetOf } from "../../../src/cli/target.ts";
import { profilesFile } from "../../../src/config/profiles.ts";
import { withClosedGpus } from "../../../src/core/node.ts";
import { PLAIN_REQUEST } from "../../../src/core/resources.ts";
import { demandOf, roomOn } from "../../../src/core/room.ts";
import type { Params } from "../../../src/protocol/procedures.ts";
import { plainNode, plainState } from "../../../src/view/plain-queue.ts";
import { clusterPeer } from "../../golden/cluster.ts";
import { type FakeOptions, type FakePeer, fakeContext, fakePeer, type Script } from "./fake-context.ts";

async function mgpu(argv: readonly string[], script: Script = {}, options: FakeOptions = {}) {
  const submissions: Params<"job.submit">[] = [];
  const peer = (): FakePeer =>
    fakePeer({
      "job.submit": (params) => {
        submissions.push(params);
        return { jobId: 12 };
      },
      ...script,
    });
  // A connection for what is asked first, and one for the submission.
  const first = peer();
  const controller = [first, peer()];
  const fake = fakeContext({ program: "mgpu", controller, ...options });
  const code = await runCommand(command, argv, fake.context);
  const script0 = submissions[0]?.script;
  return {
    ...{ code, out: fake.out(), err: fake.err(), submissions, calls: first.calls },
    script: script0 ? new TextDecoder().decode(script0) : "",
  };
}

describe("mgpu submit", () => {
  test("queues a string for the shell, with one GPU and its own words as the name", async () => {
    const { code, out, err, script, submissions } = await mgpu(["submit", "python train.py | tee log"]);
    expect({ code, out, err }).toEqual({ code: 0, out: "Submitted batch job 12\n", err: "" });
    expect(script).toContain("python train.py | tee log\n");
    expect(submissions[0]?.job).toMatchObject({
      name: "python train.py | tee log",
      request: { gpus: { per: "job", wishes: [{ thousandths: 1000, type: null }] } },
    });
  });
  test("takes GPUs by number and by name", async () => {
    const two = await mgpu(["submit", "--gpus", "2", "true"]);
    expect(two.submissions[0]?.job.request.gpus?.wishes).toEqual([{ thousandths: 2000, type: null }]);
    const named = await mgpu(["submit", "--node-gpu-ids", "node001:0,1;node002:0", "true"]);
    expect(named.submissions[0]?.job.request).toMatchObject({
      gpus: null,
      gpuIds: [
        { node: "node001", indices: [0, 1] },
        { node: "node002", indices: [0] },
      ],
    });
    const wrong = await mgpu(["submit", "--gpus", "3", "--node-gpu-ids", "node001:0", "true"]);
    expect([wrong.code, wrong.submissions.length]).toEqual([1, 0]);
    expect(wrong.err).toContain("--node-gpu-ids");
  });
  test("leaves the number to the model that the command names", async () => {
    const table = { models: { "llama-70b": "4" }, otherwise: null };
    const { submissions } = await mgpu(["submit", "serve --llm llama-70b"], { "models.list": () => table });
    expect(submissions[0]?.job.request.gpus?.wishes).toEqual([{ thousandths: 4000, type: null }]);
  });
  test("takes options of a session with --interactive only, and one command", async () => {
    const idle = await mgpu(["submit", "--session-timeout", "60", "--exit-on-silence", "true"]);
    expect([idle.code, idle.submissions.length]).toEqual([2, 0]);
    expect(idle.err).toMatch(/^mgpu submit: error: --session-timeout, --exit-on-silence: only with --interactive\n/);
    expect((await mgpu(["submit", "python", "train.py"])).err).toContain("expected one command in quotes, got 2 words");
    expect((await mgpu(["submit", ""])).code).toBe(2);
  });
  test("--interactive is srun with a limit of two hours from its start", async () => {
    const { submissions } = await mgpu(["submit", "--interactive", "--gpus=2", "nvidia-smi -L"]);
    expect(submissions[0]?.job).toMatchObject({
      kind: "run",
      timeLimitS: 7200,
      argv: ["/bin/sh", "-c", "nvidia-smi -L"],
    });
  });
});

test("--priority takes words besides numbers: a distance from the others", async () => {
  const specs = ["high", "normal", "LOW", "7"].map(async (word) => {
    const { submissions } = await mgpu(["submit", "--priority", word, "true"]);
    return [submissions[0]?.job.priority, submissions[0]?.job.nice];
  });
  expect(await Promise.all(specs)).toEqual([
    [null, -50_000],
    [null, 0],
    [null, 50_000],
    [7, 0],
  ]);
  expect((await mgpu(["submit", "--priority", "urgent", "true"])).err).toContain("TOP, high, normal or low");
});

describe("mgpu queue", () => {
  const job = { id: 3, name: "a", user: "ada", nodeList: "node002", gpus: 2000, command: "a", reasonText: "" };
  test("tells in words where a job runs and what it waits for", () => {
    const running = { ...job, state: "RUNNING", reason: "None", gpuIds: "node002:0" };
    expect(plainState(running)).toBe("running on node002:gpu0");
    expect(plainState({ ...running, gpuIds: "n1:0,1;n2:3" })).toBe("running on n1:gpu0,gpu1 n2:gpu3");
    expect(plainState({ ...running, gpuIds: "" })).toBe("running on node002");
    const waiting = { ...running, state: "PENDING", gpuIds: "", nodeList: "", reason: "Resources" };
    expect(plainState(waiting)).toBe("queued (waiting for 2 GPUs)");
    expect(plainState({ ...waiting, gpus: 1000, reason: "Priority" })).toBe("queued (waiting for 1 GPU)");
    expect(plainState({ ...waiting, gpus: 0 })).toBe("queued (waiting for a node)");
    const held = { ...waiting, reason: "JobHeldUser", reasonText: "its user put it on hold" };
    expect(plainState(held)).toBe("queued (its user put it on hold)");
  });
  test("counts GPUs of a node that are free, shared and busy", async () => {
    const { nodes } = await clusterPeer().call("nodes.list", {});
    const [node] = nodes;
    if (!node) throw new Error("no node");
    const with4 = (gpus: Record<number, number>) => plainNode({ ...node, usage: { ...node.usage, gpus } });
    expect(with4({ 0: 1000 })).toBe("n1: 4 GPUs (3 free, 1 busy)");
    expect(with4({ 0: 1000, 1: 500 })).toBe("n1: 4 GPUs (2 free, 1 shared, 1 busy)");
    expect(plainNode({ ...node, usage: { ...node.usage, gpus: {} }, connected: false })).toBe(
      "n1: 4 GPUs (4 free, 0 busy); not responding",
    );
  });
  test("prints both tables", async () => {
    const fake = fakeContext({ program: "mgpu", controller: clusterPeer() });
    expect(await runCommand(command, ["queue"], fake.context)).toBe(0);
    expect(fake.out()).toMatch(/^JOB +USER +NAME +STATE\n/);
    expect(fake.out()).toMatch(/\n\nn1: 4 GPUs \(\d free, \d.* busy\)/);
  });
});

describe("mgpu cancel and cancel-job", () => {
  test.each(["cancel", "cancel-job"])("%s ends jobs and says so", async (verb) => {
    const script: Script = { "jobs.cancel": () => ({ jobs: [{ jobId: 12, error: null }] }) };
    const { code, calls } = await mgpu([verb, "12"], script);
    expect([code, calls[0]?.method]).toEqual([0, "jobs.cancel"]);
    expect(calls[0]?.params).toMatchObject({ filter: { ids: [12] }, signal: null });
  });
  test.each(["job_000001", "a1b2c3d4", "JOB_7"])("%s is explained, not guessed", async (word) => {
    const { code, err, calls } = await mgpu(["cancel", word]);
    expect([code, calls.length]).toEqual([1, 0]);
    expect(err).toContain(`${word} is a number of an earlier program's`);
    expect(err).toContain("mgpu queue lists them");
  });
  test("a job that never was is an error, and nothing else is said", async () => {
    const error = { code: "INVALID_JOB", message: "Invalid job id specified" } as const;
    const { code, err } = await mgpu(["cancel", "999"], { "jobs.cancel": () => ({ jobs: [{ jobId: 999, error }] }) });
    expect({ code, err }).toEqual({
      code: 1,
      err: "mgpu cancel: error: Kill job error on job id 999: Invalid job id specified\n",
    });
  });
  test("asks which", async () => {
    expect((await mgpu(["cancel"])).code).toBe(2);
  });
});

test("mgpu list-jobs --status knows old words for states, and no others", async () => {
  const peer = clusterPeer();
  const fake = fakeContext({ program: "mgpu", controller: peer });
  expect(await runCommand(command, ["list-jobs", "--status", "running"], fake.context)).toBe(0);
  expect(fake.out()).toMatch(/^ +JOBID PARTITION/);
  expect((await mgpu(["list-jobs", "--status", "sleepy"])).err).toContain('got "sleepy"');
});

describe("GPUs that are paused", () => {
  async function gpu(argv: readonly string[], pausedGpus?: Record<string, string>) {
    const changes: unknown[] = [];
    const { nodes, now } = await clusterPeer().call("nodes.list", {});
    const only = nodes.slice(0, 1).map((node) => ({ ...node, ...(pausedGpus && { pausedGpus }) }));
    const script: Script = {
      "nodes.list": () => ({ nodes: only, now }),
      "cluster.change": ({ change }) => {
        changes.push("changes" in change ? change.changes : null);
        return { name: "" };
      },
    };
    return { ...(await mgpu(argv, script)), changes };
  }
  test("are named with or without their node; others stay as they are", async () => {
    expect((await gpu(["pause-gpu", "1"])).changes).toEqual([{ pausedGpus: { 1: "" } }]);
    const drained = await gpu(["gpu", "drain", "n1:0-1", "n1:3", "--reason", "fan"], { 2: "x" });
    expect(drained.changes).toEqual([{ pausedGpus: { 0: "fan", 1: "fan", 2: "x", 3: "fan" } }]);
    expect((await gpu(["resume-gpu", "n1:2"], { 2: "x", 3: "" })).changes).toEqual([{ pausedGpus: { 3: "" } }]);
    expect((await gpu(["gpu", "list"])).out).toMatch(/^NODE +GPU +TYPE +MIB +JOBS +LOAD +MIB-USED +OTHERS +CLOSED\n/);
  });
  test("must exist; all problems are told at once", async () => {
    const { code, err, changes } = await gpu(["pause-gpu", "n1:9", "nowhere:0", "x"]);
    expect([code, changes]).toEqual([1, []]);
    for (const text of ["node n1 has no GPU 9", "there is no node nowhere", 'got "x"']) expect(err).toContain(text);
    expect((await gpu(["gpu", "melt", "0"])).code).toBe(2);
    expect((await gpu(["pause-gpu"])).code).toBe(2);
  });
  test("have nothing free for placement, whoever holds them now", async () => {
    const { nodes } = await clusterPeer().call("nodes.list", {});
    const { inventory } = nodes[0] ?? {};
    if (!inventory) throw new Error("no node");
    const usage = { cpus: 0, memoryMiB: 0, gpus: { 0: 500 } };
    const plain = { name: "n1", inventory, registeredAt: 0, usage, drain: null, down: null };
    expect(withClosedGpus(plain)).toBe(plain);
    const paused = withClosedGpus({ ...plain, settings: { pausedGpus: { 0: "", 2: "fan" } } });
    expect(paused.usage.gpus).toEqual({ 0: 1500, 2: 1000 });
    expect(paused.closedGpus).toEqual({ 0: "paused", 2: "paused: fan" });
  });
});

describe("mgpu server, master and node", () => {
  test.each(["server", "master"])("%s is mgpu up --listen on the old port", async (verb) => {
    const listened: unknown[] = [];
    const script: Script = {
      "network.listen": (params) => {
        listened.push(params);
        return {} as never;
      },
      "controller.status": () => clusterPeer().call("controller.status", {}),
      "nodes.list": () => clusterPeer().call("nodes.list", {}),
      "key.token": () => ({ target: "gpu0:8080", identity: "join", key: "00" }) as never,
    };
    await mgpu([verb], script);
    await mgpu([verb, "--host", "10.0.0.1", "--port", "9000"], script);
    expect(listened).toEqual([{ address: "0.0.0.0:8080" }, { address: "10.0.0.1:9000" }]);
  });
  test("server --verbose starts a daemon with a log that tells more", async () => {
    const started: ChildRequest[] = [];
    const startChild = async (request: ChildRequest) => {
      started.push(request);
      return { exited: Promise.resolve({ code: 3, signal: 0 }), signal: () => {} };
    };
    expect((await mgpu(["server", "--verbose"], {}, { startChild })).code).toBe(3);
    expect(started[0]?.argv).toEqual(["/opt/mgpu/bin/mgpu", "up", "--listen=0.0.0.0:8080"]);
    expect(started[0]?.environment.MGPU_LOG_LEVEL).toBe("debug");
  });
  test("node without a token says where there is one; nonsense is told all at once", async () => {
    const { code, err } = await mgpu(["node", "--master-host", "gpu0"]);
    expect(code).toBe(2);
    expect(err).toContain("no machine joins without one");
    expect(err).toContain("mgpu server or mgpu key token");
    const wrong = await mgpu(["node", "--master-host", "a b", "--master-port", "x", "--token", "3f"]);
    expect(wrong.err).toContain("--master-host: expected");
    expect(wrong.err).toContain("--master-port: expected");
    expect((await mgpu(["server", "--port", "70000"])).code).toBe(2);
  });
});

describe("mgpu --host --port VERB", () => {
  test("speaks to the controller there, if there is a key for it", () => {
    const environment = { HOME: "/home/ada" };
    const profile = { target: "gpu0:8080", identity: "user:ada", key: "0".repeat(64) };
    const text = JSON.stringify({ default: null, clusters: { lab: profile } });
    const files = { [profilesFile(environment).path]: text };
    const { context } = fakeContext({ environment, files });
    const found = targetOf({ ...context, cluster: "gpu0:8080" });
    expect(found).toMatchObject({ kind: "remote", remote: { target: "gpu0:8080", source: "--host" } });
    expect(() => targetOf({ ...context, cluster: "gpu1:8080" })).toThrow("--host: there is no key for gpu1:8080 here");
  });
  test("without a port takes that of the stored key", async () => {
    const environment = { HOME: "/home/ada" };
    const profile = (target: string) => ({ target, identity: "user:ada", key: "0".repeat(64) });
    const clusters = { lab: profile("gpu0:7411"), far: profile("gpu1:7411"), near: profile("gpu1:7412") };
    const files = { [profilesFile(environment).path]: JSON.stringify({ default: null, clusters }) };
    const chosen: string[] = [];
    const fake = fakeContext({ program: "mgpu", environment, files, controller: [clusterPeer()] });
    const context = { ...fake.context, chooseCluster: (name: string) => void chosen.push(name) };
    expect(await runCommand(command, ["--host", "gpu0", "queue"], context)).toBe(0);
    expect(chosen).toEqual(["gpu0:7411"]);
    expect(await runCommand(command, ["--host", "gpu1", "queue"], context)).toBe(1);
    expect(fake.err()).toContain("--host: there are keys for gpu1:7411 and gpu1:7412");
  });
  test("hands the address on, 8080 by default, and refuses a port without a host", async () => {
    const chosen: string[] = [];
    const fake = fakeContext({ program: "mgpu", controller: [clusterPeer(), clusterPeer()] });
    const context = { ...fake.context, chooseCluster: (name: string) => void chosen.push(name) };
    expect(await runCommand(command, ["--host", "gpu0", "queue"], context)).toBe(0);
    expect(await runCommand(command, ["--host", "::1", "--port", "9000", "queue"], context)).toBe(0);
    expect(chosen).toEqual(["gpu0:8080", "[::1]:9000"]);
    expect(await runCommand(command, ["--port", "9000", "queue"], context)).toBe(2);
  });
});

test("mgpu test runs its self-test with the launchers of this mgpu", async () => {
  const started: ChildRequest[] = [];
  const startChild = async (request: ChildRequest) => {
    started.push(request);
    return { exited: Promise.resolve({ code: 0, signal: 0 }), signal: () => {} };
  };
  expect((await mgpu(["test", "--quick"], {}, { startChild })).code).toBe(0);
  expect(started[0]?.argv.slice(3)).toEqual(["mgpu-test", "/opt/mgpu/bin", "1"]);
});

describe("mgpu add", () => {
  const files = { "/work/train.py": "print()", "/work/go": "#!/bin/sh" };
  const models = (otherwise: string | null): Script => ({
    "models.list": () => ({ models: { "llama-70b": "4" }, otherwise }),
  });
  const add = (words: readonly string[], otherwise: string | null = null) =>
    mgpu(["add", ...words], models(otherwise), { files });
  test("queues a script with one of the GPUs that it may have", async () => {
    const argv = ["add", "train.py", "--args", "--epochs 3", "--priority", "0", "--gpus", "0,2-3"];
    const { code, script, submissions } = await mgpu(argv, models(null), { files });
    expect([code, script.includes("python train.py --epochs 3\n")]).toEqual([0, true]);
    expect(submissions[0]?.job).toMatchObject({
      ...{ name: "train.py", nice: -50_000 },
      request: { gpus: { wishes: [{ thousandths: 1000, type: null }] }, gpuAllowed: [0, 2, 3] },
    });
    expect((await add(["go"])).script).toContain("./go\n");
  });
  test("gives as many GPUs as the model needs that the arguments name, and says so", async () => {
    const gpus = ({ submissions }: Awaited<ReturnType<typeof mgpu>>) =>
      submissions[0]?.job.request.gpus?.wishes[0]?.thousandths;
    const named = await add(["train.py", "--args", "--llm Llama-70B --x 1"]);
    expect([gpus(named), named.err]).toEqual([4000, "mgpu add: model Llama-70B gets --gpus=4\n"]);
    expect(gpus(await add(["train.py", "--args", "--llm other"]))).toBe(1000);
    expect(gpus(await add(["train.py"], "0.5"))).toBe(500);
  });
  test("tells all that is wrong, and queues nothing", async () => {
    const { code, err, submissions } = await mgpu(["add", "none.py", "--priority", "9"], {}, { files });
    expect([code, submissions.length]).toEqual([2, 0]);
    for (const text of ["expected 0, 1 or 2", "none.py: no such file"]) expect(err).toContain(text);
    const ids = await add(["train.py", "--gpus", "3-1"]);
    expect(ids.err).toContain('indices of GPUs such as 0,2-3, got "3-1"');
  });
  test("GPUs beyond the allowed ones are none for placement", async () => {
    const { nodes } = await clusterPeer().call("nodes.list", {});
    const { inventory } = nodes[0] ?? {};
    if (!inventory) throw new Error("no node");
    const usage = { cpus: 0, memoryMiB: 0, gpus: {} };
    const node = { name: "n1", inventory, registeredAt: 0, usage, drain: null, down: null };
    const allowed = (gpuAllowed: number[]) =>
      roomOn(node, demandOf({ ...PLAIN_REQUEST, gpuAllowed }))?.gpus.map(({ index }) => index);
    expect(allowed([1, 3, 9])).toEqual([1, 3]);
  });
});

test("mgpu status --detailed tells of jobs and nodes too", async () => {
  const fake = fakeContext({ program: "mgpu", controller: [clusterPeer(), clusterPeer()] });
  await runCommand(command, ["status", "--detailed"], fake.context);
  expect(fake.out()).toMatch(/^DAEMON +NODE[\s\S]*\n\nJOB +USER +NAME +STATE\n/);
});

test("the old verbs stand in mgpu --help", async () => {
  const { out } = await mgpu(["--help"]);
  const verbs = "submit queue cancel server master node list-jobs cancel-job test screens config-sample status".split(
    " ",
  );
  for (const verb of verbs) expect(out).toMatch(new RegExp(`^ +mgpu ${verb} `, "m"));
});
