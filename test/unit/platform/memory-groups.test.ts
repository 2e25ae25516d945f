import { describe, expect, test } from "vitest";
import { type MemoryGroups, readGroupUse, tryMemoryGroups } from "../../../src/platform/memory-groups.ts";
import { DAEMON_GROUP } from "../../../src/util/daemon-group.ts";
import { FakeGroups, ROOT } from "./fake-groups.ts";

const MIB = 1024 * 1024;
const V2_MOUNT = `31 23 0:28 / ${ROOT} rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate`;
const V1_MOUNTS = [
  `31 23 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw,mode=755`,
  `35 31 0:32 / ${ROOT} rw,relatime - cgroup cgroup rw,memory`,
  `41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw`,
].join("\n");
const KEY = { jobId: 12, attempt: 1, stepId: 0 };
const UNIT = `${ROOT}/user.slice/app.slice/mgpud.service`;
const USER = 1000;

const open = (files: FakeGroups, uid: number, path = "/init.scope", isForced = false) =>
  tryMemoryGroups(
    files,
    { pid: 7, uid, mounts: files.version === 2 ? V2_MOUNT : V1_MOUNTS, groups: `4:memory:${path}\n0::${path}\n` },
    "n1-abc",
    isForced,
  );

const opened = (files: FakeGroups, uid = 0, path?: string): MemoryGroups => {
  const groups = open(files, uid, path);
  if ("problem" in groups) throw new Error(groups.problem);
  return groups;
};

/** Version 2 with the memory controller handed on at the root, as systemd does. */
const unified = (): FakeGroups => {
  const files = new FakeGroups(2);
  files.write(`${ROOT}/cgroup.subtree_control`, "+memory");
  return files;
};

/** A unit of a user's that is delegated, with the daemon in it. */
const delegated = (): FakeGroups => {
  const files = unified();
  const slices = [`${ROOT}/user.slice`, `${ROOT}/user.slice/app.slice`];
  for (const folder of slices) {
    files.make(folder);
    files.write(`${folder}/cgroup.subtree_control`, "+memory");
  }
  files.make(UNIT);
  files.make(`${UNIT}/${DAEMON_GROUP}`);
  for (const folder of slices) files.closed.add(folder);
  files.closed.add(ROOT);
  files.place(7, `${UNIT}/${DAEMON_GROUP}`, USER);
  return files;
};

describe("version 2", () => {
  test("root's groups are below the root of the hierarchy; a step's is in its job's, each with its limit", () => {
    const files = unified();
    const groups = opened(files);
    expect(groups).toMatchObject({ version: 2, folder: `${ROOT}/mgpu/n1-abc` });
    const step = groups.make(KEY, { stepMiB: 40, jobMiB: 100 });
    const job = `${ROOT}/mgpu/n1-abc/job_12.1`;
    expect(step).toBe(`${job}/step_0`);
    expect(files.files.get(`${job}/memory.max`)).toBe(String(100 * MIB));
    expect(files.files.get(`${job}/memory.swap.max`)).toBe("0");
    expect(files.files.get(`${step}/memory.max`)).toBe(String(40 * MIB));
    expect([files.files.get(`${job}/memory.oom.group`), files.files.get(`${step}/memory.oom.group`)]).toEqual([
      "0\n",
      "1",
    ]);
  });

  test("a limit that there is not, stays open; one in which no shell starts is raised, as Slurm does", () => {
    const files = unified();
    const step = opened(files).make(KEY, { stepMiB: 0, jobMiB: 5 });
    expect(files.files.get(`${step}/memory.max`)).toBe("max\n");
    expect(files.files.get(`${ROOT}/mgpu/n1-abc/job_12.1/memory.max`)).toBe(String(30 * MIB));
  });

  test("kernels without swap in their groups are asked for none", () => {
    const files = unified();
    const groups = opened(files);
    const set = files.read.bind(files);
    files.read = (path) => (path.endsWith("memory.swap.max") ? null : set(path));
    expect(() => groups.make(KEY, { stepMiB: 40, jobMiB: 40 })).not.toThrow();
  });

  test("root does not hand the controller on for others, but where it is told to", () => {
    const files = new FakeGroups(2);
    expect(open(files, 0)).toEqual({
      problem: expect.stringMatching(/not handed on in .*subtree_control; node\.memory_enforcement: cgroup does that/),
    });
    expect(files.files.get(`${ROOT}/cgroup.subtree_control`)).toBe("");
    expect(open(files, 0, "/init.scope", true)).toMatchObject({ version: 2 });
  });

  test("in a container whose own group has processes nothing can be handed on", () => {
    const files = new FakeGroups(2);
    files.files.set(`${ROOT}/cgroup.type`, "domain\n");
    files.place(1, ROOT);
    expect(open(files, 0, "/", true)).toEqual({ problem: expect.stringContaining("EBUSY") });
  });

  test("a read-only hierarchy says so", () => {
    const files = unified();
    files.closed.add(ROOT);
    expect(open(files, 0)).toEqual({ problem: expect.stringMatching(/no cgroup can be made in .*EROFS/) });
  });

  test("a user's groups are in a unit that is delegated, beside the daemon's", () => {
    const files = delegated();
    const groups = opened(files, USER, `/user.slice/app.slice/mgpud.service/${DAEMON_GROUP}`);
    expect(groups.folder).toBe(`${UNIT}/mgpu/n1-abc`);
    const step = groups.make(KEY, { stepMiB: 40, jobMiB: 100 });
    files.place(8, `${UNIT}/${DAEMON_GROUP}`, USER);
    groups.enter(KEY, 8, null);
    expect(files.inside(step)).toEqual([8]);
    // One that was started in a job goes back to where it belongs.
    files.place(7, step, USER);
    opened(files, USER, step.slice(ROOT.length));
    expect(files.inside(`${UNIT}/${DAEMON_GROUP}`)).toEqual([7]);
  });

  test.each([
    ["in a session's scope", "/user.slice/session-3.scope"],
    ["of systemd before 254, in the unit itself", "/user.slice/app.slice/mgpud.service"],
  ])("a user's daemon %s has no right to any, and touches nothing", (_what, path) => {
    const files = delegated();
    const before = new Map(files.files);
    expect(open(files, USER, path)).toEqual({ problem: expect.stringContaining(`${path} is not delegated`) });
    expect(files.files).toEqual(before);
  });

  test("nor has one whose unit is another user's, or without the memory controller", () => {
    const files = delegated();
    const path = `/user.slice/app.slice/mgpud.service/${DAEMON_GROUP}`;
    files.closed.add(UNIT);
    expect(open(files, USER, path)).toEqual({ problem: expect.stringContaining("is not delegated") });
    files.closed.delete(UNIT);
    files.files.set(`${UNIT}/cgroup.controllers`, "cpu pids\n");
    expect(open(files, USER, path)).toEqual({ problem: expect.stringContaining("without the memory controller") });
  });
});

describe("version 1", () => {
  test("root's groups limit memory, with swap, and count what is in them", () => {
    const files = new FakeGroups(1);
    const step = opened(files).make(KEY, { stepMiB: 40, jobMiB: 100 });
    const job = `${ROOT}/mgpu/n1-abc/job_12.1`;
    for (const name of ["memory.limit_in_bytes", "memory.memsw.limit_in_bytes"]) {
      expect(files.files.get(`${job}/${name}`)).toBe(String(100 * MIB));
      expect(files.files.get(`${step}/${name}`)).toBe(String(40 * MIB));
    }
    expect(files.files.get(`${job}/memory.use_hierarchy`)).toBe("1");
    expect(files.files.get(`${ROOT}/memory.use_hierarchy`)).toBe("0");
  });

  test("users can make none", () => {
    expect(open(new FakeGroups(1), USER)).toEqual({ problem: expect.stringContaining("only root's daemons") });
  });
});

describe("no groups", () => {
  test("without any hierarchy for memory, or in a job of another mgpu, or of Slurm", () => {
    const none = { pid: 7, uid: 0, mounts: "23 1 0:2 / /proc rw - proc proc rw", groups: "" };
    expect(tryMemoryGroups(unified(), none, "n1", false)).toEqual({
      problem: "this machine has no cgroups that limit memory",
    });
    for (const path of ["/mgpu/n2-abc/job_3.1/step_0", "/system.slice/slurmstepd.scope/job_7/step_0/user/task_0"]) {
      expect(open(unified(), 0, path)).toEqual({ problem: `this daemon runs in the job ${path}` });
    }
  });

  test("a try leaves nothing behind but the common folder", () => {
    const files = unified();
    opened(files);
    expect(files.groupsIn(ROOT)).toEqual(["mgpu"]);
    expect(files.groupsIn(`${ROOT}/mgpu`)).toEqual([]);
  });
});

describe.each([1, 2] as const)("groups of version %i", (version) => {
  const start = (): { files: FakeGroups; groups: MemoryGroups; step: string } => {
    const files = version === 2 ? unified() : new FakeGroups(1);
    const groups = opened(files);
    return { files, groups, step: groups.make(KEY, { stepMiB: 40, jobMiB: 100 }) };
  };

  test("are no place for a daemon that a command in a job of its own started", () => {
    const { files, groups, step } = start();
    files.place(7, step);
    const path = step.slice(ROOT.length);
    expect(opened(files, 0, path).folder).toBe(groups.folder);
    expect(files.inside(step)).toEqual([]);
    expect(files.inside(ROOT)).toEqual([7]);
    // Nor for others of that user's, when the job is over.
    files.place(9, step);
    files.daemons.add(9);
    expect(groups.remove(KEY)).toBe(true);
    expect([files.killed, files.inside(ROOT)]).toEqual([[], [7, 9]]);
  });

  test("take in the processes of their user only, and none out of another job's", () => {
    const { files, groups, step } = start();
    files.place(8, ROOT, USER);
    expect(() => groups.enter(KEY, 8, 1001)).toThrow("process 8 is not of uid 1001");
    groups.enter(KEY, 8, USER);
    expect(files.inside(step)).toEqual([8]);
    // Once more is harmless.
    groups.enter(KEY, 8, USER);
    const other = { ...KEY, jobId: 13 };
    groups.make(other, { stepMiB: 0, jobMiB: 1000 });
    expect(() => groups.enter(other, 8, USER)).toThrow("in a job's cgroup already");
    expect(() => groups.enter(KEY, 99, USER)).toThrow("process 99 is not of uid");
    // Nor out of one of Slurm's.
    files.place(10, `${ROOT}/system.slice/slurmstepd.scope/job_7/step_0/user/task_0`, USER);
    expect(() => groups.enter(KEY, 10, USER)).toThrow("in a job's cgroup already");
  });

  test("tell how many processes the kernel ended, and the most that was used", () => {
    const { files, groups, step } = start();
    expect(groups.read(KEY)).toEqual({ kills: 0, peakMiB: 0 });
    files.files.set(`${step}/${version === 2 ? "memory.events" : "memory.oom_control"}`, "oom 9\noom_kill 2\n");
    files.files.set(`${step}/${version === 2 ? "memory.peak" : "memory.max_usage_in_bytes"}`, `${40 * MIB}\n`);
    expect(readGroupUse(step, files)).toEqual({ kills: 2, peakMiB: 40 });
    expect(groups.read({ ...KEY, stepId: 5 })).toBeNull();
  });

  test("go with what hid in them, once that is gone, and a job's with its last step's", async () => {
    const { files, groups, step } = start();
    const batch = { ...KEY, stepId: "batch" };
    groups.make(batch, { stepMiB: 0, jobMiB: 100 });
    files.place(8, step);
    expect(groups.remove(KEY)).toBe(false);
    expect(files.killed).toEqual([8]);
    await Promise.resolve();
    expect(groups.remove(KEY)).toBe(true);
    expect(groups.all()).toEqual([batch]);
    expect(groups.remove(batch)).toBe(true);
    expect(files.groupsIn(`${ROOT}/mgpu`)).toEqual([]);
    // Gone already.
    expect(groups.remove(batch)).toBe(true);
  });

  test("that an earlier daemon left are found, those of a job without steps too", () => {
    const { files, groups } = start();
    files.make(`${groups.folder}/job_13.2`);
    files.make(`${groups.folder}/something`);
    const next = opened(files);
    expect(next.all()).toEqual([
      { ...KEY, stepId: "0" },
      { jobId: 13, attempt: 2, stepId: "none" },
    ]);
    for (const key of next.all()) expect(next.remove(key)).toBe(true);
    expect(next.all()).toEqual([]);
  });
});
