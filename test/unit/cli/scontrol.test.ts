/** scontrol: words, node lists, records, and what is asked of the controller. */

import { describe, expect, test } from "vitest";
import { isBare } from "../../../src/cli/commands/scontrol/scope.ts";
import { command } from "../../../src/cli/commands/scontrol.ts";
import { NoController } from "../../../src/cli/connect.ts";
import { runCommand } from "../../../src/cli/run.ts";
import type { Job, PendingJob, RunningJob } from "../../../src/core/job.ts";
import type { JobSpec } from "../../../src/core/jobspec.ts";
import type { JobFilter, Params, Result } from "../../../src/protocol/procedures.ts";
import { toJobRow } from "../../../src/view/job-row.ts";
import { type Outcome, runOn } from "../../golden/run.ts";
import { request, spec } from "../support/samples.ts";
import { type FakeOptions, type FakePeer, fakeContext, fakePeer, settle } from "./fake-context.ts";

const NOW = Date.UTC(2026, 10, 21, 22, 0, 0);

function pending(id: number, over: Partial<JobSpec> = {}, more: Partial<PendingJob> = {}): PendingJob {
  return {
    id,
    spec: spec(over),
    ...{ state: "PENDING", submitAt: NOW - 60_000, attempt: 0, requestId: "r", array: null, eligibleAt: NOW - 60_000 },
    ...{ hold: null, allocation: [], cleanup: [], retried: 0 },
    ...more,
  };
}

function running(id: number, over: Partial<JobSpec> = {}): RunningJob {
  const gpus = [0, 1].map((index) => ({ index, uuid: `GPU-${index}`, type: "a100", thousandths: 1000 }));
  return {
    id,
    spec: spec({ comment: "try 2", timeLimitS: 3600, ...over }),
    ...{ state: "RUNNING", submitAt: NOW - 60_000, eligibleAt: NOW - 60_000, startAt: NOW - 5000, attempt: 2 },
    ...{ requestId: "r", array: null, limitS: 3600, nextStepId: 1, suspendedAt: null, suspendedMs: 0, retried: 0 },
    allocation: [{ node: "n1", tasks: 1, cpus: 4, memoryMiB: 2048, gpus }],
    steps: [
      {
        ...{ id: 0, name: "worker", spec: null, requestId: "s", startAt: NOW - 4000, endAt: null, state: "RUNNING" },
        parts: [{ node: "n1", tasks: [0, 1], cpus: 2, memoryMiB: 1024, gpus, phase: "running", exits: [] }],
        ending: null,
      },
    ],
  } as Partial<RunningJob> as RunningJob;
}

const WISHES = request({
  tasks: 1,
  cpusPerTask: 4,
  memory: { per: "node", mib: 2048 },
  gpus: { per: "node", wishes: [{ type: "a100", thousandths: 2000 }] },
});

const JOBS: readonly Job[] = [
  running(12, { request: WISHES, dependency: null }),
  pending(13, { name: "later", kind: "run", argv: ["./x", "y"], request: request({ nodes: { min: 2, max: 4 } }) }),
  pending(
    20,
    { array: { tasks: [{ first: 0, last: 9, step: 1 }], limit: 2 } },
    { array: { jobId: 20, tasks: [{ first: 3, last: 9, step: 1 }] } },
  ),
];

function matches(job: Job, filter: JobFilter): boolean {
  const base = job.array?.jobId ?? job.id;
  const isNamed =
    filter.ids.includes(job.id) || filter.ids.includes(base) || filter.tasks?.some(({ jobId }) => jobId === base);
  const isOpen = filter.ids.length === 0 && filter.tasks === undefined;
  return (isOpen || Boolean(isNamed)) && (filter.names.length === 0 || filter.names.includes(job.spec.name));
}

const REFUSED = { code: "NOT_PENDING", message: "Job is no longer pending execution" };

function controller(): FakePeer {
  return fakePeer({
    ping: () => ({ now: NOW }),
    "jobs.get": async ({ filter }, send) => {
      const chosen = JOBS.filter((job) => matches(job, filter));
      const extra = { reason: "None", reasonText: "", partition: "main" };
      await send({ jobs: chosen.map((job) => ({ job, row: toJobRow(job, extra) })) });
      return { now: NOW };
    },
    "jobs.steer": ({ filter }): Result<"jobs.steer"> => ({
      jobs: [...filter.ids, ...(filter.tasks ?? []).map(({ jobId }) => jobId)].map((jobId) => ({
        jobId,
        error: jobId === 99 ? REFUSED : null,
      })),
    }),
    "job.script": () => ({ script: new TextEncoder().encode("#!/bin/sh\n") }),
  });
}

const scontrol = (argv: readonly string[], options: FakeOptions = {}): Promise<Outcome> =>
  runOn(command, argv, { program: "scontrol", controller: controller(), ...options });

async function steers(argv: readonly string[]): Promise<Params<"jobs.steer">[]> {
  const peer = controller();
  await scontrol(argv, { controller: peer });
  return peer.calls.filter(({ method }) => method === "jobs.steer").map(({ params }) => params as Params<"jobs.steer">);
}

const NO_CONTROLLER: FakeOptions = {
  controller: () => Promise.reject(new NoController("nobody there", "mgpu up", true)),
};
const ALL = { users: [], states: [], names: [], partitions: [] };

describe("node lists, without any controller", () => {
  test.each([
    [["show", "hostnames", "n[01-03,10],login"], "n01\nn02\nn03\nn10\nlogin\n"],
    [["show", "hostname", "n1,n1"], "n1\nn1\n"],
    [["show", "hostnames=a[1-2]"], "a1\na2\n"],
    [["SHOW", "HostNames", "n2"], "n2\n"],
    [["show", "hostlist", "n2,n1,n2"], "n[2,1-2]\n"],
    [["show", "hostl", "n1,n2"], "n[1-2]\n"],
    [["show", "hostlist", "/hosts"], "n[1-3]\n"],
    [["show", "hostlistsorted", "n10,n2,n1,n2"], "n[1-2,2,10]\n"],
  ])("%j", async (argv, out) => {
    const files = { "/hosts": "n1\nn2, n3\n" };
    expect(await scontrol(argv, { ...NO_CONTROLLER, files })).toEqual({ code: 0, out, err: "" });
  });
  test("those of the job that it runs in", async () => {
    const environment = { SLURM_NODELIST: "a1", SLURM_JOB_NODELIST: "b[1-2]" };
    expect((await scontrol(["show", "hostnames"], { environment })).out).toBe("b1\nb2\n");
    expect((await scontrol(["show", "hostnames"], { environment: { SLURM_NODELIST: "a1" } })).out).toBe("a1\n");
    expect(await scontrol(["show", "hostnames"])).toEqual({
      ...{ code: 0, out: "", err: "scontrol: error: host list is empty\n" },
    });
  });
});

describe("words", () => {
  test.each([
    [["foo"], "invalid keyword: foo"],
    [["show", "foo"], "invalid entity:foo for keyword:show"],
    [["show"], "too few arguments for keyword:show"],
    [["show", "hostnames", "a", "b"], "too many arguments for keyword:show"],
    [["errnumstr", "foo"], "numeric arguments required for keyword:errnumstr"],
    [["delete"], "too few arguments for delete keyword"],
    [["delete", "foo=1"], "Invalid deletion entity: foo=1"],
    [["create"], "too few arguments for create keyword"],
    [["create", "foo=1"], "Invalid creation entity: foo=1"],
    [["create", "partition", "nodes=n1"], "PartitionName must be given.  No partition created."],
    [["create", "partitionname=p", "bogus=1"], "Update of this parameter is not supported: bogus=1"],
    [["create", "partitionname=p", "maxtime=foo"], "maxtime: expected a time"],
    [["create", "partitionname=p", "oversubscribe=force:4"], "oversubscribe: not supported by mgpu: two jobs never"],
    [["create", "partitionname=p", "preemptmode=nap"], "preemptmode: expected OFF, CANCEL, REQUEUE, SUSPEND"],
    [["update", "partitionname=p"], "No changes specified"],
    [["create", "reservation", "duration=10"], "A start time must be given.  No reservation created."],
    [["create", "reservation", "starttime=now"], "An end time or duration must be given.  No reservation created."],
    [["create", "res", "starttime=now", "duration=5", "nodes=n1"], "Either Users and/or Accounts must be specified."],
    [["create", "res", "starttime=foo", "user=ada"], "starttime: expected"],
    [["create", "res", "starttime=now", "flags=bogus"], "flags: Error parsing flags bogus"],
    [["create", "res", "starttime=now", "flags=REPLACE"], "flags: not supported by mgpu: REPLACE"],
    [["create", "res", "starttime=now", "corecnt=4", "x=1"], "corecnt: not supported by mgpu"],
    [["update", "NodeName=n1"], "No changes specified"],
    [["update", "NodeName=n1", "Weight=x"], "Weight: Weight value (x) is not a valid number"],
    [["update", "NodeName=n1", "State=foo"], "State: Invalid input: state=foo"],
    [["takeover"], "takeover: not supported by mgpu: there is one controller"],
    [["token"], "token: not supported by mgpu"],
    [["re", "1"], "re may mean several things: write more of it"],
    [["hold"], "too few arguments for keyword:hold"],
    [["requeue"], "too few arguments for keyword:requeue"],
    [["requeue", "abc"], "Invalid job id specified for job abc"],
    [["notify", "12"], "too few arguments for keyword:notify"],
    [["pidinfo", "x"], "invalid process id: x"],
    [["listpids", "12."], '"12." does not look like a stepid'],
    [["update", "JobId=12", "Reboot=1"], "Reboot: not supported by mgpu"],
    [["update", "JobId=12", "NumCPUs=4"], "NumCPUs: not supported by mgpu: write NumTasks= or CPUsPerTask="],
    [["update"], "too few arguments for update keyword"],
    [["update", "TimeLimit=5"], "No valid entity in update command"],
    [
      ["update", "NodeName=n1", "State=DRAIN"],
      "You must specify a reason when DOWNING or DRAINING a node. Request denied",
    ],
    [["update", "JobId=12", "TimeLimit=x"], "Invalid TimeLimit value"],
    [["update", "JobId=12", "foo=bar"], "Update of this parameter is not supported: foo=bar"],
    [["update", "JobId=77", "Nice=5"], "Invalid job id specified for job 77"],
    [["update", "JobId=12", "foo"], "invalid option:foo"],
    [["update", "JobId=12", "NumTasks=x"], "Invalid NumTasks value: x"],
    [["update", "JobId=12", "NumNodes=x"], 'Invalid numeric value "x" for requested node count.'],
    [["update", "JobId=12", "StartTime=x"], "Invalid time specification (pos=0): x"],
    [["update", "JobName=none", "Nice=5"], "JobName none not found"],
    [["update", "StepId=12.0"], "No changes specified"],
    [["update", "StepId=x", "TimeLimit=5"], "Invalid StepID parameter: StepId=x"],
    [["update", "StepId=12.0", "Name=x"], "Update of this parameter is not supported: Name=x"],
    [["update", "StepId=12.0", "TimeLimit+=5"], "Update of this parameter is not supported: TimeLimit+=5"],
    [["update", "StepId=12.0", "TimeLimit=x"], "Invalid TimeLimit value"],
    [["delete", "partition"], "Proper format is 'delete <ENTITY>=<ID>' or 'delete <ENTITY> <ID>'"],
    [["top", "12"], "Job is no longer pending execution for job 12"],
    [["update", "JobId=12", "Nice+=5"], "Option Nice+=5 does not accept [+|-]= syntax"],
    [["show", "hostnames", "n[1"], "Invalid hostlist: n[1"],
    [["-u", "bob", "hold", "12"], "--uid: requests are made in your own name"],
  ])("%j", async (argv, text) => {
    const { code, out, err } = await scontrol(argv);
    expect({ code, out }).toEqual({ code: 1, out: "" });
    expect(err).toContain(isBare(text) ? text : `scontrol: error: ${text}`);
    if (isBare(text)) expect(err).not.toContain("scontrol: error");
  });
});

describe("records", () => {
  test("a running job, in full", async () => {
    const { code, out } = await scontrol(["show", "jobid", "-dd", "12"]);
    expect(code).toBe(0);
    expect(out).toBe(`JobId=12 JobName=train
   UserId=ada(1000) GroupId=ada(1000) MCS_label=N/A
   Priority=100000 Nice=0 Account=(null) QOS=normal
   JobState=RUNNING Reason=None Dependency=(null)
   Requeue=1 Restarts=1 BatchFlag=1 Reboot=0 ExitCode=0:0
   DerivedExitCode=0:0
   RunTime=00:00:05 TimeLimit=01:00:00 TimeMin=N/A
   SubmitTime=2026-11-21T21:59:00 EligibleTime=2026-11-21T21:59:00
   AccrueTime=2026-11-21T21:59:00
   StartTime=2026-11-21T21:59:55 EndTime=2026-11-21T22:59:55 Deadline=N/A
   SuspendTime=None SecsPreSuspend=0 LastSchedEval=2026-11-21T21:59:55 Scheduler=Main
   Partition=main AllocNode:Sid=desk:0
   ReqNodeList=(null) ExcNodeList=(null)
   NodeList=n1
   BatchHost=n1
   NumNodes=1 NumCPUs=4 NumTasks=1 CPUs/Task=4 ReqB:S:C:T=0:0:*:*
   TRES=cpu=4,mem=2G,node=1,billing=4,gres/gpu=2,gres/gpu:a100=2
   Socks/Node=* NtasksPerN:B:S:C=0:0:*:* CoreSpec=*
   JOB_GRES=gpu:a100:2
     Nodes=n1 CPU_IDs=0-3 Mem=2048 GRES=gpu:a100:2(IDX:0-1)
   MinCPUsNode=4 MinMemoryNode=2G MinTmpDiskNode=0
   Features=(null) DelayBoot=00:00:00
   OverSubscribe=OK Contiguous=0 Licenses=(null) Network=(null)
   Command=train.sh
   WorkDir=/home/ada
   Comment=try 2
   StdErr=/home/ada/slurm-12.out
   StdIn=/dev/null
   StdOut=/home/ada/slurm-12.out
   Power=
   TresPerNode=gres/gpu:a100:2

`);
  });
  test("one line a record, all jobs", async () => {
    const { out } = await scontrol(["-o", "show", "job"]);
    const lines = out.split("\n");
    expect(lines).toHaveLength(4);
    expect(lines[0]).toMatch(/^JobId=12 JobName=train UserId=ada\(1000\) .*TresPerNode=gres\/gpu:a100:2$/);
    expect(lines[1]).toMatch(/JobState=PENDING .*NodeList= NumNodes=2-4 .*Command=.\/x y .*Power=$/);
    expect(lines[2]).toMatch(/^JobId=20 ArrayJobId=20 ArrayTaskId=3-9%2 ArrayTaskThrottle=2 JobName=train/);
  });
  test.each([
    [["show", "job", "99"], 1, "", "slurm_load_jobs error: Invalid job id specified\n"],
    [["show", "job", "12x"], 1, "", "Invalid job id specified for job 12x\n"],
    [["show", "step", "13.0"], 1, "Job step 13.0 not found\n", ""],
  ])("%j", async (argv, code, out, err) => {
    expect(await scontrol(argv)).toEqual({ code, out, err });
  });
  test("none at all", async () => {
    const empty = fakePeer({ "jobs.get": () => ({ now: NOW }) });
    expect(await scontrol(["show", "job"], { controller: empty })).toMatchObject({
      ...{ code: 0, out: "No jobs in the system\n" },
    });
  });
  test("steps that run", async () => {
    const step = `StepId=12.0 UserId=1000 StartTime=2026-11-21T21:59:56 TimeLimit=UNLIMITED
   State=RUNNING Partition=main NodeList=n1
   Nodes=1 CPUs=2 Tasks=2 Name=worker Network=(null)
   TRES=cpu=2,mem=1G,node=1,billing=2,gres/gpu=2
   ResvPorts=(null)
   CPUFreqReq=Default Dist=Block
   SrunHost:Pid=desk:0

`;
    expect((await scontrol(["show", "step", "12.0"])).out).toBe(step);
    expect((await scontrol(["show", "step", "12"])).out).toBe(step);
    expect((await scontrol(["show", "steps"])).out).toBe(step);
  });
});

describe("steering", () => {
  test.each([
    [["hold", "12,13"], { ids: [12, 13] }, { type: "hold", by: "user" }],
    [["uhold", "12"], { ids: [12] }, { type: "hold", by: "user" }],
    [["release", "12", "13"], { ids: [12, 13] }, { type: "release" }],
    [["hold", "jobname=x"], { ids: [], names: ["x"], states: ["PENDING"] }, { type: "hold", by: "user" }],
    [["requeue", "12_3"], { ids: [], tasks: [{ jobId: 12, tasks: [{ first: 3, last: 3, step: 1 }] }] }, requeue(false)],
    [["requeuehold", "12"], { ids: [12] }, requeue(true)],
    [["requeue", "incomplete", "12,13"], { ids: [12] }, requeue(false)],
    [["suspend", "12"], { ids: [12] }, { type: "suspend" }],
    [["resume", "12"], { ids: [12] }, { type: "resume" }],
    [["top", "13"], { ids: [13], states: ["PENDING"] }, { type: "update", changes: { nice: -1 } }],
  ])("%j", async (argv, filter, action) => {
    expect(await steers(argv)).toEqual([{ filter: { ...ALL, ...filter }, action }]);
  });
  test("a refusal is told, and the code is 1", async () => {
    expect(await scontrol(["hold", "99"])).toEqual({
      ...{ code: 1, out: "", err: "Job is no longer pending execution for job 99\n" },
    });
  });
});

function requeue(hold: boolean) {
  return { type: "requeue", hold } as const;
}

describe("update", () => {
  test.each([
    [["TimeLimit=90"], { timeLimitS: 5400 }],
    [["TimeLimit=0:30"], { timeLimitS: 60 }],
    [["TimeLimit+=30"], { timeLimitS: 5400 }],
    [["timelimit-=10"], { timeLimitS: 3000 }],
    [["Nice"], { nice: 100 }],
    [["Nice=-5", "Priority=7"], { nice: -5, priority: 7 }],
    [["JobName=y", "Comment=a b"], { name: "y", comment: "a b" }],
    [["Partition=gpu", "Account=", "QOS=high"], { partition: "gpu", partitions: ["gpu"], account: null, qos: "high" }],
    [["Partition=a,b"], { partition: "a", partitions: ["a", "b"] }],
    [["StartTime=now+1hour"], { beginAt: NOW + 3_600_000 }],
    [["Dependency="], { dependency: null }],
    [
      ["Dependency=afterok:5"],
      { dependency: { any: false, terms: [{ type: "afterok", jobId: 5, taskId: null, delayMin: 0 }] } },
    ],
    [["Requeue=0"], { requeue: false }],
    [["NumTasks=4", "NumNodes=2-3"], { request: { ...WISHES, tasks: 4, nodes: { min: 2, max: 3 } } }],
    [["MinMemoryNode=1G"], { request: { ...WISHES, memory: { per: "node", mib: 1024 } } }],
    [["ReqNodeList=n[1-2]", "ExcNodeList="], { request: { ...WISHES, nodeList: ["n1", "n2"], excluded: [] } }],
    [["Features=big&fast"], { request: { ...WISHES, constraint: "big&fast" } }],
    [["Gres=gpu:1"], { request: { ...WISHES, gpus: { per: "node", wishes: [{ type: null, thousandths: 1000 }] } } }],
    [["MailType=END", "MailUser=bob"], { mail: { types: ["END"], user: "bob" } }],
    [["WCKey=k", "TimeMin=10"], { wckey: "k", timeMinS: 600 }],
  ])("%j", async (assignments, changes) => {
    expect(await steers(["update", "JobId=12", ...assignments])).toEqual([
      { filter: { ...ALL, ids: [12] }, action: { type: "update", changes } },
    ]);
  });
  test("a key and its value may be two words", async () => {
    expect(await steers(["update", "job", "12", "nice", "7"])).toMatchObject([
      { filter: { ids: [12] }, action: { changes: { nice: 7 } } },
    ]);
  });
  test.each([
    ["12.0", 0],
    ["12.batch", "batch"],
    ["12", null],
  ])("the limit of step %s", async (id, stepId) => {
    expect(await steers(["update", `StepId=${id}`, "TimeLimit=30"])).toEqual([
      { filter: { ...ALL, ids: [12] }, action: { type: "stepLimit", stepId, limitS: 1800 } },
    ]);
  });
  test("a step that does not run", async () => {
    expect(await scontrol(["update", "StepId=99.0", "TimeLimit=30"])).toEqual({
      ...{ code: 1, out: "", err: "slurm_update error: Job is no longer pending execution\n" },
    });
  });
  test("words that only matter in a session are no errors", async () => {
    expect(await scontrol(["oneliner"])).toEqual({ code: 0, out: "", err: "" });
  });
  test("an array's throttle", async () => {
    const tasks = [{ first: 0, last: 9, step: 1 }];
    expect(await steers(["update", "job=20", "ArrayTaskThrottle=5"])).toMatchObject([
      { filter: { tasks: [{ jobId: 20 }] }, action: { changes: { array: { tasks, limit: 5 } } } },
    ]);
  });
  test("jobs by name", async () => {
    expect(await steers(["update", "JobName=later", "Nice=5"])).toMatchObject([{ filter: { ids: [13] } }]);
  });
});

describe("the others", () => {
  test("ping", async () => {
    expect(await scontrol(["ping"])).toEqual({ code: 0, out: "Slurmctld(primary) at desk is UP\n", err: "" });
    expect(await scontrol(["ping"], NO_CONTROLLER)).toMatchObject({
      ...{ code: 1, out: expect.stringMatching(/^Slurmctld\(primary\) at desk is DOWN\n\*+\n\*\* RESTORE/) },
    });
  });
  test("write batch_script", async () => {
    const files: Record<string, string> = {};
    expect(await scontrol(["write", "batch_script", "12"], { files })).toEqual({
      ...{ code: 0, out: "batch script for job 12 written to slurm-12.sh\n", err: "" },
    });
    expect(files).toEqual({ "/work/slurm-12.sh": "#!/bin/sh\n" });
    expect((await scontrol(["write", "batch_script", "12", "-"])).out).toBe("#!/bin/sh\n");
  });
  test("no controller", async () => {
    expect(await scontrol(["show", "job"], NO_CONTROLLER)).toEqual({
      ...{ code: 1, out: "", err: "slurm_load_jobs error: Unable to contact slurm controller (connect failure)\n" },
    });
  });
  test("commands from standard input, one after the other", async () => {
    const fake = fakeContext({ program: "scontrol", controller: controller() });
    const done = runCommand(command, [], fake.context);
    await settle();
    fake.input.type("show hostnames n[1-2]\n\nfoo\nshow hostlist 'a1'\n!!\noneliner\nshow job 12\nquit\nping\n");
    expect(await done).toBe(1);
    expect(fake.err()).toBe("invalid keyword: foo\n");
    const [first, second, third, fourth, record, rest] = fake.out().split("\n");
    expect([first, second, third, fourth, rest]).toEqual(["n1", "n2", "a1", "a1", ""]);
    expect(record).toMatch(/^JobId=12 JobName=train UserId/);
  });
});
