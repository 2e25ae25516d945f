/** sprio, sshare and sdiag, byte for byte, from a queue of three users. */

import { beforeAll, expect, test } from "vitest";
import { command as sdiag } from "../../src/cli/commands/sdiag.ts";
import { command as sprio } from "../../src/cli/commands/sprio.ts";
import { command as sshare } from "../../src/cli/commands/sshare.ts";
import type { ControllerContext } from "../../src/controller/context.ts";
import { listPrioritiesHandler, listSharesHandler } from "../../src/controller/handlers/policy.ts";
import { step } from "../../src/core/kernel.ts";
import { type ClusterState, emptyState } from "../../src/core/state.ts";
import { type FakePeer, fakePeer } from "../unit/cli/fake-context.ts";
import { LAB } from "../unit/support/policy.ts";
import { inventory, request, spec } from "../unit/support/samples.ts";
import { NOW } from "./cluster.ts";
import { expectGolden } from "./expect-golden.ts";
import { runOn } from "./run.ts";

const HOUR = 3_600_000;
const state = emptyState();

beforeAll(() => {
  step(state, { type: "node.register", node: "n1", inventory: inventory(4, 8) }, NOW - 9 * HOUR);
  const weights = { put: "config", record: { weightJobSize: 100, weightTres: { cpu: 50 } } } as const;
  const changes = [...LAB, weights];
  step(state, { type: "policy.change", version: 0, changes, byName: "root", isOwner: true }, NOW - 9 * HOUR);
  const users = [
    ["ada", 1000, 4],
    ["bob", 1001, 1],
    ["eve", 1002, 2],
    ["ada", 1000, 1],
    ["kim", 1003, 1],
  ] as const;
  for (const [at, [name, uid, cpus]] of users.entries()) {
    const wish = spec({
      user: { uid, gid: uid, name },
      request: request({ cpusPerTask: cpus }),
      nice: at,
      timeLimitS: 7200,
    });
    step(state, { type: "job.submit", requestId: `r${at}`, spec: wish }, NOW - (9 - at) * HOUR);
  }
  const share = { node: "n1", tasks: 1, cpus: 4, memoryMiB: 1024, gpus: [] };
  step(state, { type: "job.allocate", jobId: 1, taskId: null, allocation: [share] }, NOW - HOUR);
});

const ROOT = { user: { uid: 0, gid: 0, name: "root" } };

function peer(of: ClusterState = state): FakePeer {
  const context = {
    loop: { state: of },
    clock: { now: () => NOW },
    settings: { clusterName: "lab", privateData: [] },
    identity: { user: ROOT.user },
  };
  const shares = listSharesHandler(context as unknown as ControllerContext);
  const priorities = listPrioritiesHandler(context as unknown as ControllerContext);
  return fakePeer({
    "shares.list": () => shares({}, { hello: ROOT } as never),
    "priorities.list": (params, send) => priorities(params, { send } as never, { hello: ROOT } as never),
    statistics: () => STATISTICS,
  });
}

const STATISTICS = {
  ...{ now: NOW, since: NOW - HOUR },
  jobs: { submitted: 10, started: 7, completed: 3, canceled: 1, failed: 2, pending: 4, running: 1 },
  passes: { last: 83, max: 633, total: 1786, cycles: 94, starts: 7, lastQueue: 3, queues: 300 },
  methods: [
    { name: "jobs.list", count: 4, microseconds: 4000 },
    { name: "job.submit", count: 10, microseconds: 12_175 },
  ],
  users: [{ uid: 1000, name: "ada", count: 14, microseconds: 16_175 }],
};

const CASES = [
  ["sprio", sprio, []],
  ["sprio-long", sprio, ["-l"]],
  ["sprio-norm", sprio, ["-n"]],
  ["sprio-norm-long", sprio, ["-nl"]],
  ["sprio-weights", sprio, ["-w", "-l"]],
  ["sprio-user", sprio, ["-h", "-u", "bob,eve"]],
  ["sprio-jobs", sprio, ["-j", "4,2", "-S", "-Y"]],
  ["sprio-every-letter", sprio, ["-o", "%i|%c|%p|%A|%F|%J|%P|%Q|%N|%a|%f|%j|%q|%r|%t|%T|%u|%Y|%y|%S|%b|%B"]],
  ["sprio-no-such-job", sprio, ["-j", "4711"]],
  ["sshare", sshare, []],
  ["sshare-all", sshare, ["-a"]],
  ["sshare-long", sshare, ["-al"]],
  ["sshare-partition", sshare, ["-am"]],
  ["sshare-parsable", sshare, ["-a", "-p"]],
  ["sshare-users", sshare, ["-aU", "-n"]],
  ["sshare-account", sshare, ["-a", "-A", "vision"]],
  ["sshare-wide", sshare, ["-U", "-u", "ada", "-o", "Account%256", "--noheader"]],
  ["sshare-fields", sshare, ["-e"]],
  ["sdiag", sdiag, []],
  ["sdiag-by-name", sdiag, ["-i"]],
  ["sdiag-json", sdiag, ["--json"]],
] as const;

test.each(CASES)("%s", async (name, command, argv) => {
  const { code, out, err } = await runOn(command, argv, { controller: peer() });
  expect({ code, err }).toEqual({ code: 0, err: "" });
  expectGolden(`${name}.txt`, out);
});

const REFUSED = [
  [sprio, ["-j", "abc"], "Invalid job id: abc"],
  [sprio, ["-S", "z"], "Invalid sort specification: z"],
  [sprio, ["foo"], "Unrecognized option: foo"],
  [sshare, ["-o", "nonsense"], 'Invalid field requested: "nonsense"'],
  [sdiag, ["foo"], "Unrecognized option: foo"],
] as const;

test.each(REFUSED)("refused: %#", async (command, argv, words) => {
  const { code, err } = await runOn(command, argv, { controller: peer() });
  expect({ code, first: err.split("\n")[0] }).toEqual({ code: 1, first: `mgpu-${command.name}: error: ${words}` });
});

test("what is unknown in a format or a list of users is said, and the rest is printed", async () => {
  const format = await runOn(sprio, ["-o", "%i %z"], { controller: peer() });
  expect(format).toMatchObject({ code: 0, err: "mgpu-sprio: error: Invalid job format specification: z\n" });
  const user = await runOn(sprio, ["-u", "nosuchuser"], { controller: peer() });
  expect(user).toMatchObject({ code: 0, err: "mgpu-sprio: error: Invalid user: nosuchuser\n" });
});

test("without accounts sshare prints its header only", async () => {
  const { code, out } = await runOn(sshare, ["-a"], { controller: peer(emptyState()) });
  expect({ code, lines: out.trimEnd().split("\n").length }).toEqual({ code: 0, lines: 2 });
});
