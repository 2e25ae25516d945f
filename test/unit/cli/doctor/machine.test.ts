/** What mgpu doctor says of one machine. */

import { describe, expect, test } from "vitest";
import { machineFindings } from "../../../../src/cli/doctor/machine.ts";
import type { MachineFacts } from "../../../../src/protocol/doctor-procedures.ts";
import { factsOf, folderOf } from "./facts.ts";

const view = { where: "here", fakeGpus: false, isNode: false };

/** What is not in order: `WHAT VERDICT: TEXT`. */
function troubles(changes: Partial<MachineFacts>, given: Partial<typeof view> = {}): string[] {
  const found = machineFindings(factsOf(changes), { ...view, ...given });
  for (const one of found) expect(one.fix === "").toBe(one.verdict === "ok");
  return found
    .filter(({ verdict }) => verdict !== "ok")
    .map(({ what, verdict, text }) => `${what} ${verdict}: ${text}`);
}

const driver = (changes: Partial<MachineFacts["driver"]>) => ({ driver: { ...factsOf().driver, ...changes } });

test("nothing is wrong with a machine in good health", () => {
  expect(troubles({})).toEqual([]);
});

describe("folders", () => {
  test.each([
    [
      { problem: "Read-only file system" },
      "state folder fail: /data/state-folder can't be written: Read-only file system",
    ],
    [
      { state: "missing" as const, problem: "Not a directory" },
      "state folder fail: /data/state-folder can't be made: Not a directory",
    ],
    [{ freeMiB: 3 }, "state folder fail: /data/state-folder is full: 3 MiB are free"],
    [{ freeMiB: 700 }, "state folder warn: /data/state-folder: 700 MiB are free"],
    [{ freeInodes: 12 }, "state folder warn: /data/state-folder: room for 12 more files only"],
    [{ state: "silent" as const }, "state folder fail: /data/state-folder: its file system does not answer"],
  ])("%j", (changes, trouble) => {
    expect(troubles({ folders: [folderOf("state folder", changes)] })).toEqual([trouble]);
  });

  test("a home that is missing is told, a state folder is made when it is needed", () => {
    const folders = ["home folder", "state folder"].map((what) => folderOf(what, { state: "missing" }));
    expect(troubles({ folders })).toEqual(["home folder warn: /data/home-folder does not exist here"]);
  });
});

describe("GPU driver", () => {
  test.each([
    [driver({ smi: "missing" }), "GPU driver fail: 2 NVIDIA GPUs are on the bus, but nvidia-smi is missing"],
    [driver({ smi: "missing", onBus: 0 }), "GPU driver fail: driver 550.54 is loaded, but nvidia-smi is missing"],
    [
      driver({ smi: "failed", problem: "Failed to initialize NVML: Driver/library version mismatch" }),
      "GPU driver fail: nvidia-smi: Failed to initialize NVML: Driver/library version mismatch",
    ],
    [driver({ module: "535.1" }), "GPU driver fail: kernel module 535.1, library 550.54"],
    [driver({ gpus: 1 }), "GPU driver fail: 2 NVIDIA GPUs are on the bus, nvidia-smi lists 1"],
    [driver({ denied: ["/dev/nvidia0"] }), "GPU files fail: no right to open /dev/nvidia0"],
    [
      driver({ withoutPersistence: 2 }),
      "persistence warn: persistence mode is off: the first program after a pause waits seconds for the driver",
    ],
  ])("%#", (changes, trouble) => {
    expect(troubles(changes)).toEqual([trouble]);
  });

  test("none is needed without hardware, or where GPUs are pretended", () => {
    expect(troubles(driver({ smi: "missing", onBus: 0, module: "" }))).toEqual([]);
    expect(troubles(driver({ smi: "missing" }), { fakeGpus: true })).toEqual([]);
  });
});

test("low limits; locked memory matters with InfiniBand only", () => {
  const limits = {
    NOFILE: { soft: 1024, hard: 1024 },
    NPROC: { soft: 100, hard: 100 },
    MEMLOCK: { soft: 65536, hard: -1 },
  };
  const two = ["open files warn: at most 1024 in one process", "processes warn: at most 100 of one user"];
  expect(troubles({ limits })).toEqual(two);
  const memory = "locked memory warn: 0 MiB: programs that use the InfiniBand hardware here need more";
  expect(troubles({ limits, hasRdma: true })).toEqual([...two, memory]);
});

test("a locale without UTF-8 is told of the user's machine, not of a node", () => {
  expect(troubles({ locale: "C" })).toEqual(["locale warn: C: names beyond ASCII come out garbled in programs"]);
  expect(troubles({ locale: "" }, { isNode: true })).toEqual([]);
});

test("what control groups mean for memory limits is said either way", () => {
  const cgroupsOf = (changes: Partial<MachineFacts["cgroup"]>, isNode = false) => {
    const cgroup = { ...factsOf().cgroup, ...changes };
    return machineFindings(factsOf({ cgroup }), { ...view, isNode }).find(({ what }) => what === "cgroups");
  };
  const watch = "the kernel stops no job at its limit; mgpu looks at the memory of jobs itself, once a second";
  expect(cgroupsOf({})?.text).toBe(`version 2 (/user.slice is not delegated): ${watch}`);
  expect(cgroupsOf({ version: 1 })?.text).toBe(`version 1: ${watch}`);
  const poll = { folder: "", problem: "node.memory_enforcement is poll" };
  expect(cgroupsOf({ memory: poll })?.text).toBe(`version 2 (node.memory_enforcement is poll): ${watch}`);
  const kernel = { folder: "/sys/fs/cgroup/mgpu/n1", problem: "" };
  const kept = "jobs within their memory, in /sys/fs/cgroup/mgpu/n1";
  expect(cgroupsOf({ memory: kernel }, true)?.text).toBe(`version 2: the kernel keeps ${kept}`);
  expect(cgroupsOf({ memory: kernel })?.text).toBe(
    `version 2: a daemon that is started here lets the kernel keep ${kept}`,
  );
  const required = { folder: "", problem: "no rights", isRequired: true };
  expect(cgroupsOf({ memory: required }, true)).toMatchObject({
    verdict: "fail",
    text: "version 2: no job with a memory limit can start here: no rights",
  });
});
