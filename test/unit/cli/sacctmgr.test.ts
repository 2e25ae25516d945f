/** sacctmgr: what commands change, what they say, and what they refuse. */

import fc from "fast-check";
import { expect, test } from "vitest";
import { readSpecs } from "../../../src/cli/commands/sacctmgr/specs.ts";
import { command } from "../../../src/cli/commands/sacctmgr.ts";
import { step } from "../../../src/core/kernel.ts";
import { NO_POLICY, type PolicyChange } from "../../../src/core/policy/records.ts";
import { storedPolicy } from "../../../src/core/policy/state.ts";
import { formatTres, parseTres } from "../../../src/core/policy/words.ts";
import { type ClusterState, emptyState } from "../../../src/core/state.ts";
import { RpcError } from "../../../src/protocol/errors.ts";
import { runOn } from "../../golden/run.ts";
import { LAB, policyOf, qos } from "../support/policy.ts";
import { fakePeer } from "./fake-context.ts";

/** A controller that does what the real one does with changes. */
function cluster(changes: readonly PolicyChange[] = LAB, jobs: readonly object[] = []) {
  const state = emptyState();
  change(state, changes, 0);
  const peer = () =>
    fakePeer({
      "policy.list": () => ({
        policy: storedPolicy(state.policy) ?? NO_POLICY,
        clusterName: "lab",
        gpuTypes: [],
        now: 0,
      }),
      "jobs.list": async ({ fields }, send) => {
        const rows = jobs.map((job) => fields.map((field) => (job as Record<string, unknown>)[field]));
        if (rows.length > 0) await send({ rows });
        return { now: 0 };
      },
      "policy.change": ({ version, changes: wanted }) => {
        change(state, wanted, version);
        return {};
      },
    });
  const files: Record<string, string> = {};
  const run = (...argv: string[]) => runOn(command, ["-i", ...argv], { controller: peer(), files });
  return { state, run, files };
}

function change(state: ClusterState, changes: readonly PolicyChange[], version: number): void {
  const { decision } = step(state, { type: "policy.change", version, changes, byName: "ada", isOwner: true }, 1000);
  if (decision.kind === "deny") throw new RpcError(decision.denial.code, decision.denial.message);
}

test("the first account brings the root and the QoS normal", async () => {
  const { state, run } = cluster([]);
  const { code, out } = await run("add", "account", "vision", "Description=computer vision", "fairshare=5");
  expect(code).toBe(0);
  expect(out).toContain(" Adding Account(s)\n  vision\n Settings\n  Description     = computer vision\n");
  expect([...state.policy.accounts.keys()]).toEqual(["root", "vision"]);
  expect([...state.policy.qos.keys()]).toEqual(["normal"]);
  expect([...state.policy.associations.values()].at(-1)).toMatchObject({
    account: "vision",
    parent: "root",
    shares: 5,
  });
  expect((await run("add", "account", "Vision")).err).toBe(" Nothing new added.\n");
});

test("users are added to accounts, with limits", async () => {
  const { state, run } = cluster();
  const added = await run("add", "user", "kim", "account=vision,speech", "maxjobs=2", "GrpTRES=cpu=10,mem=4G");
  expect(added.out).toContain("  U = kim       A = vision     C = lab");
  const own = [...state.policy.associations.values()].filter(({ user }) => user === "kim");
  expect(own.map(({ account, limits }) => [account, limits])).toEqual([
    ["vision", { maxJobs: 2, grpTres: { cpu: 10, mem: 4096 } }],
    ["speech", { maxJobs: 2, grpTres: { cpu: 10, mem: 4096 } }],
  ]);
  expect(state.policy.users.get("kim")?.defaultAccount).toBe("vision");
  await run("modify", "user", "kim", "set", "MaxJobs=-1", "grpcpus=-1", "where", "account=speech");
  const speech = [...state.policy.associations.values()].find((one) => one.user === "kim" && one.account === "speech");
  expect(speech?.limits).toEqual({ grpTres: { mem: 4096 } });
});

test("a QoS is added to what an association inherits", async () => {
  const { state, run } = cluster();
  await run("modify", "user", "bob", "set", "qos+=high");
  const bob = [...state.policy.associations.values()].find(({ user }) => user === "bob");
  expect(bob?.qos).toEqual(["normal", "high"]);
  await run("delete", "qos", "high");
  expect([...state.policy.associations.values()].find(({ user }) => user === "bob")?.qos).toEqual(["normal"]);
});

const REFUSED: readonly (readonly [string, string])[] = [
  ["add user kim", " Need name of account to add user to."],
  ["add user kim account=nope", " This account 'nope' doesn't exist.\n        Contact your admin to add this account."],
  ["add account", " Need name of account to add."],
  ["add qos bad Priority=abc foo=3", "Invalid value for Priority (abc)\n Unknown option: foo=3"],
  ["modify qos high set PreemptMode=nope", "Bad Preempt Mode given: nope"],
  ["modify qos high set GraceTime=soon", "Invalid value for GraceTime (soon)"],
  ["modify qos high set flags=NoReserve,DenyOnLimit", "Flags: NoReserve has no effect in mgpu: jobs keep no room"],
  ["modify qos high set flags+=overpart", "Flags: OverPartQOS has no effect in mgpu"],
  ["modify qos high set flags=UsageFactorSafe", "Flags: UsageFactorSafe has no effect in mgpu"],
  ["modify user ada set bar=baz", " Unknown option: bar=baz\n Use keyword 'where' to modify condition"],
  ["modify user ada set", " You didn't give me anything to set"],
  ["modify user nobody set maxjobs=1", " Nothing modified"],
  ["modify user ada set qos=nope", "You gave a bad qos 'nope'. Valid QOS's are normal,high"],
  ["modify account vision set GrpTRES=foo=3", "Invalid value for GrpTRES (foo=3): no TRES known by type foo"],
  ["modify account vision set parent=vision", "account vision would be below itself"],
  ["delete user", " No conditions given to remove, not executing."],
  ["delete account nope", " Nothing deleted"],
  ["delete account root", " You are not allowed to remove the root account"],
  ["list nonsense", "No valid entity in list command"],
  ["list user format=nonsense", "Unknown field 'nonsense'"],
  ["list user where foo=bar", " Unknown condition: foo=bar"],
  ["nonsense", "invalid keyword: nonsense"],
];

test.each(REFUSED)("%s: %s", async (line, words) => {
  const { state, run } = cluster();
  const { code, err } = await run(...line.split(" "));
  expect(err).toContain(words);
  expect(code).toBe(1);
  expect(storedPolicy(state.policy)).toEqual(policyOf(LAB));
});

test("what was set about preemption before can be taken back", async () => {
  const flags = ["DenyOnLimit", "NoReserve"] as const;
  const { state, run } = cluster([...LAB, qos(5, "high", { preempt: ["normal"], graceTimeS: 9, flags })]);
  const words = ["preempt=-1", "gracetime=0", "preemptmode=off", "flags-=NoReserve"];
  expect(await run("modify", "qos", "high", "set", ...words)).toMatchObject({ code: 0 });
  const none = { preempt: [], graceTimeS: 0, preemptMode: "off", flags: ["DenyOnLimit"] };
  expect(state.policy.qos.get("high")).toMatchObject(none);
});

test("deleting a user of one account leaves the other", async () => {
  const { state, run } = cluster();
  await run("add", "user", "ada", "account=speech");
  const { out } = await run("delete", "user", "ada", "account=vision");
  expect(out).toContain(" Deleting user associations...\n");
  expect(state.policy.users.get("ada")?.defaultAccount).toBe("speech");
  expect((await run("delete", "user", "ada")).out).toBe(" Deleting users...\n  ada\n");
  expect(state.policy.users.has("ada")).toBe(false);
});

test("weights are set by Slurm's names, and -1 brings the default back", async () => {
  const { state, run } = cluster();
  await run("modify", "cluster", "lab", "set", "PriorityWeightAge=5", "TRESBillingWeights=cpu=1,gres/gpu=4");
  expect(state.policy.config).toMatchObject({ weightAge: 5, billingWeights: { cpu: 1, "gres/gpu": 4 } });
  await run("modify", "cluster", "set", "PriorityWeightAge=-1");
  expect(state.policy.config.weightAge).toBe(1000);
});

test("a change that was reckoned from an older state is refused", () => {
  const { state } = cluster();
  expect(() => change(state, [], 0)).toThrow("somebody else has changed");
});

test("who is neither owner nor operator changes nothing", () => {
  const { state } = cluster();
  const asked = { type: "policy.change", version: 1, changes: [], byName: "bob", isOwner: false } as const;
  expect(step(state, asked, 0).decision).toMatchObject({ kind: "deny", denial: { code: "PERMISSION" } });
});

test("TRES lists read back as written", () => {
  const names = fc.constantFrom("cpu", "mem", "node", "billing", "gres/gpu", "gres/gpu:a100");
  fc.assert(
    fc.property(fc.dictionary(names, fc.nat(1e9), { minKeys: 1 }), (tres) => {
      expect(parseTres(formatTres(tres))).toEqual({ value: { ...tres } });
    }),
  );
});

test("no words make the reader of specs throw", () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: "grapheme" })), (words) => {
      const { names, where, set } = readSpecs(words);
      expect(names.length + where.length + set.length).toBeGreaterThanOrEqual(0);
    }),
  );
});

test("coordinators: added, listed with the accounts below, removed, and gone with the user", async () => {
  const { state, run } = cluster();
  const added = await run("add", "coordinator", "account=root", "names=ada,bob");
  expect(added.out).toBe(" Adding Coordinator User(s)\n  ada\n  bob\n To Account(s) and all sub-accounts\n  root\n");
  expect((await run("-nP", "list", "account", "speech", "withcoord")).out).toBe("speech|speech group|lab|ada,bob\n");
  expect((await run("-nP", "list", "user", "ada", "withcoord")).out).toBe("ada|vision|None|root,speech,vision\n");
  expect((await run("add", "coordinator", "account=nosuch", "names=kim")).err).toBe(
    " There is no user 'kim': add the user first\n This account 'nosuch' doesn't exist.\n",
  );
  const gone = await run("delete", "coordinator", "account=root", "names=ada");
  expect(gone.out).toContain(" Removed Coordinators (sub accounts not listed)...\n  U = ada       A = root      \n");
  await run("delete", "user", "bob");
  expect(state.policy.accounts.get("root")?.coordinators).toBeUndefined();
});

test("a coordinator changes the users of their accounts, and nothing else", async () => {
  const { state, run } = cluster();
  await run("add", "coordinator", "account=vision", "names=bob");
  const [own, other] = [7, 8].map((id) => state.policy.associations.get(id));
  const decide = (record: typeof own, byName: string) => {
    if (!record) throw new Error("no association");
    const changes: PolicyChange[] = [{ put: "association", record: { ...record, shares: 9 } }];
    const { version } = state.policy;
    return step(state, { type: "policy.change", version, changes, byName, isOwner: false }, 2000).decision.kind;
  };
  expect(decide(own, "eve")).toBe("deny");
  expect(decide(own, "bob")).toBe("accept");
  expect(decide(other, "bob")).toBe("deny");
  expect(decide(state.policy.associations.get(3), "bob")).toBe("deny");
});

test("what was dumped is loaded into an empty cluster as it was, and nothing is new the second time", async () => {
  const { run, files, state } = cluster();
  await run("add", "coordinator", "account=vision", "names=bob");
  expect((await run("dump", "lab", "file=all.cfg")).out).toContain("written to all.cfg");
  const text = Object.entries(files).find(([name]) => name.endsWith("all.cfg"))?.[1] ?? "";
  expect(text).toContain(
    "Parent - 'root'\nAccount - 'speech':Description='speech group':Organization='lab':Fairshare=1\n",
  );
  expect(text).toContain("User - 'bob':DefaultAccount='vision':AdminLevel='None':Coordinator='vision':Fairshare=1:");
  const fresh = cluster([qos(5, "high")]);
  fresh.files["/home/ada/all.cfg"] = text;
  for (const name of Object.keys(files)) fresh.files[name] = text;
  expect(await fresh.run("load", "all.cfg")).toMatchObject({ code: 0, err: "" });
  const plain = { id: 0, account: "", user: "", partition: "", parent: "", shares: 1, limits: {}, qos: null };
  const facts = ({ policy }: ClusterState) =>
    [...policy.associations.values()].map((one) => JSON.stringify({ ...plain, ...one, id: 0 })).sort();
  expect(facts(fresh.state)).toEqual(facts(state));
  expect([...fresh.state.policy.users.values()].sort((a, b) => (a.name < b.name ? -1 : 1))).toEqual(
    [...state.policy.users.values()].sort((a, b) => (a.name < b.name ? -1 : 1)),
  );
  expect(fresh.state.policy.accounts.get("vision")).toEqual(state.policy.accounts.get("vision"));
  expect((await fresh.run("dump", "other")).err).toBe(" Cluster other doesn't exist.\n");
  fresh.files[Object.keys(files)[0] ?? ""] = "Cluster - 'lab'\nnonsense\nUser - 'x':MaxJobs=abc\n";
  const bad = await fresh.run("load", "all.cfg");
  expect(bad.code).toBe(1);
  expect(bad.err).toContain("line 2: expected Kind - 'name':Key=Value..., got: nonsense\n");
  expect(bad.err).toContain("line 3: Invalid value for MaxJobs (abc)");
});

test("jobs that are charged to what is to go are named, and nothing is removed", async () => {
  const jobs = [{ id: 12, account: "vision", user: "ada", qos: "high", partition: "main" }];
  const { run, state } = cluster(LAB, jobs);
  const line = "  JobID = 12         C = lab        A = vision     U = ada      \n";
  const words = ` Error with request: Job(s) active, cancel job(s) before remove\n${line}`;
  for (const gone of [
    ["user", "ada"],
    ["account", "vision"],
    ["qos", "high"],
  ]) {
    expect(await run("delete", ...gone)).toMatchObject({ code: 1, out: "", err: words });
  }
  expect(state.policy.users.has("ada")).toBe(true);
  expect((await run("delete", "user", "bob")).code).toBe(0);
});

test("weights of billing are fractions, that of memory for each unit, as slurm.conf writes them", async () => {
  const { state, run } = cluster();
  const set = await run("modify", "cluster", "set", "TRESBillingWeights=CPU=1.0,Mem=0.25G,GRES/gpu=16.5");
  expect(set.code).toBe(0);
  expect(state.policy.config.billingWeights).toEqual({ cpu: 1, mem: 0.25 / 1024, "gres/gpu": 16.5 });
  expect((await run("list", "config")).out).toContain("TRESBillingWeights     = cpu=1,mem=0.25G,gres/gpu=16.5\n");
  expect((await run("modify", "cluster", "set", "TRESBillingWeights=CPU=1G")).code).toBe(1);
});
