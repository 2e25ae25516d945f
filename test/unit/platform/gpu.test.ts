import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Clock } from "../../../src/platform/clock.ts";
import { chooseGpuProvider, type GpuProvider } from "../../../src/platform/gpu.ts";
import { type ProgramResult, programRunner, type RunProgram } from "../../../src/platform/gpu-run.ts";

const H100 = "0, GPU-a, 81559, 3, 1024, 35, 71.20, Disabled, NVIDIA H100 80GB HBM3\n";
const A100_MIG = "1, GPU-b, 40960, [N/A], 0, 30, 50.00, Enabled, NVIDIA A100-SXM4-40GB\n";
const MIG_LIST = "GPU 1: NVIDIA A100-SXM4-40GB (UUID: GPU-b)\n  MIG 3g.20gb     Device  0: (UUID: MIG-c)\n";

/** A clock that stands still until told. */
function handClock(): Clock & { time: number } {
  return {
    time: 0,
    now: () => 0,
    monotonic() {
      return this.time;
    },
    after: () => () => {},
  };
}

function ended(stdout: string, code = 0, stderr = ""): ProgramResult {
  return { outcome: "ended", code, stdout, stderr };
}

/** Answers by the first argument's beginning. */
function scripted(answers: Record<string, ProgramResult>): RunProgram & { calls: string[] } {
  const calls: string[] = [];
  const run: RunProgram = async (_program, args) => {
    calls.push(args[0] ?? "");
    const found = Object.entries(answers).find(([start]) => args[0]?.startsWith(start));
    return found?.[1] ?? ended("");
  };
  return Object.assign(run, { calls });
}

function real(run: RunProgram, clock: Clock = handClock()): GpuProvider {
  const choice = chooseGpuProvider({ fakeGpus: "", hostname: "h", clock, run });
  if ("problem" in choice) throw new Error(choice.problem);
  return choice.provider;
}

describe("the NVIDIA provider", () => {
  it("finds GPUs, their load and the processes on them", async () => {
    const provider = real(scripted({ "--query-gpu": ended(H100), "--query-compute": ended("GPU-a, 77, 512\n") }));
    expect(await provider.inventory()).toEqual({
      provider: "nvidia",
      gpus: [{ index: 0, uuid: "GPU-a", model: "NVIDIA H100 80GB HBM3", type: "h100", memoryMiB: 81_559 }],
      problem: null,
    });
    expect(await provider.load()).toEqual([
      {
        index: 0,
        utilisationPercent: 3,
        memoryUsedMiB: 1024,
        temperatureC: 35,
        powerW: 71.2,
        processes: [{ pid: 77, memoryMiB: 512 }],
      },
    ]);
  });

  it("tells each process's part of the load where the driver knows it, and asks for it only where there are any", async () => {
    const processes = "GPU-a, 77, 512\nGPU-a, 78, 512\n";
    const pmon = ended(
      "# gpu pid type sm mem enc dec command\n# Idx # C/G % % % % name\n 0 77 C 60 1 - - a\n 0 78 C - - - - b\n",
    );
    const answers = { "--query-gpu": ended(H100), "--query-compute": ended(processes), pmon };
    const [load] = await real(scripted(answers)).load();
    expect(load?.processes).toEqual([
      { pid: 77, memoryMiB: 512, utilisationPercent: 60 },
      { pid: 78, memoryMiB: 512 },
    ]);
    const idle = scripted({ "--query-gpu": ended(H100) });
    await real(idle).load();
    expect(idle.calls).not.toContain("pmon");
    const [old] = await real(scripted({ ...answers, pmon: ended("Not supported", 3) })).load();
    expect(old?.processes).toEqual([
      { pid: 77, memoryMiB: 512 },
      { pid: 78, memoryMiB: 512 },
    ]);
  });

  it("asks once for everybody, and again after five seconds", async () => {
    const run = scripted({ "--query-gpu": ended(H100) });
    const clock = handClock();
    const provider = real(run, clock);
    await Promise.all([provider.inventory(), provider.load(), provider.inventory()]);
    clock.time = 4999;
    await provider.load();
    expect(run.calls.length).toBe(2);
    clock.time = 5000;
    await Promise.all([provider.load(), provider.inventory()]);
    expect(run.calls.length).toBe(4);
  });

  it("is none where there is no nvidia-smi, and that is no problem", async () => {
    const provider = real(async () => ({ outcome: "missing" }));
    expect(await provider.inventory()).toEqual({ provider: "none", gpus: [], problem: null });
    expect(await provider.load()).toEqual([]);
  });

  it.each<[string, ProgramResult, string]>([
    [
      "a driver mismatch",
      ended("Failed to initialize NVML: Driver/library version mismatch\nNVML library version: 535.183\n", 18),
      "nvidia-smi: Failed to initialize NVML: Driver/library version mismatch NVML library version: 535.183",
    ],
    [
      "no driver",
      ended("", 9, "NVIDIA-SMI has failed because it couldn't\ncommunicate with the NVIDIA driver.\n"),
      "nvidia-smi: NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver.",
    ],
    ["a silent failure", ended("", 12), "nvidia-smi ended with code 12 and said nothing"],
    ["no GPU", ended("No devices were found\n", 6), "nvidia-smi: No devices were found"],
    ["nothing at all", ended(""), "nvidia-smi lists no GPU"],
    [
      "a hang",
      { outcome: "failed", problem: "nvidia-smi did not answer within 10 s" },
      "nvidia-smi did not answer within 10 s",
    ],
  ])("tells of %s", async (_name, result, problem) => {
    const provider = real(scripted({ "--query-gpu": result }));
    expect(await provider.inventory()).toEqual({ provider: "nvidia", gpus: [], problem });
    expect(await provider.load()).toEqual([]);
  });

  it("keeps the GPUs that can be read when one is lost", async () => {
    const lost = "Unable to determine the device handle for GPU 0000:3B:00.0: GPU is lost.";
    const { gpus, problem } = await real(scripted({ "--query-gpu": ended(`${H100}${lost}\n`, 15) })).inventory();
    expect(gpus.map((gpu) => gpu.index)).toEqual([0]);
    expect(problem).toBe(`nvidia-smi: ${lost}`);
  });

  it("lists the instances of a divided GPU instead of it", async () => {
    const run = scripted({ "--query-gpu": ended(H100 + A100_MIG), "-L": ended(MIG_LIST) });
    const { gpus, problem } = await real(run).inventory();
    expect(gpus.map((gpu) => [gpu.index, gpu.uuid, gpu.type])).toEqual([
      [0, "GPU-a", "h100"],
      [200, "MIG-c", "a100_3g.20gb"],
    ]);
    expect(problem).toBeNull();
  });

  it("tells of a divided GPU without instances", async () => {
    const { gpus, problem } = await real(scripted({ "--query-gpu": ended(A100_MIG) })).inventory();
    expect(gpus).toEqual([]);
    expect(problem).toBe("GPU 1: MIG is on but there is no MIG instance; make one with nvidia-smi mig -cgi");
  });

  it("asks an old driver without the column that it does not know", async () => {
    const refusal = ended('Field "mig.mode.current" is not a valid field to query.\n', 2);
    const run: RunProgram = async (_program, [query = ""]) => {
      if (query.includes("mig.mode")) return refusal;
      return query.startsWith("--query-gpu") ? ended("0, GPU-k, 11441, 0, 0, 40, 60.1, Tesla K80\n") : ended("");
    };
    const { gpus, problem } = await real(run).inventory();
    expect(gpus).toEqual([{ index: 0, uuid: "GPU-k", model: "Tesla K80", type: "k80", memoryMiB: 11_441 }]);
    expect(problem).toBeNull();
  });
});

describe("running a program", () => {
  let folder = "";
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "mgpu-gpu-"));
    for (const [name, body] of Object.entries({
      good: "echo out; echo err >&2; exit 3",
      hang: "exec sleep 60",
    })) {
      writeFileSync(join(folder, name), `#!/bin/sh\n${body}\n`);
      chmodSync(join(folder, name), 0o755);
    }
    writeFileSync(join(folder, "plain"), "no program");
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it("gives its output and code", async () => {
    expect(await programRunner()(join(folder, "good"), [])).toEqual(ended("out\n", 3, "err\n"));
  });

  it("tells a missing program from one that can't be run", async () => {
    expect(await programRunner(5000)("/bin/cat", [])).toEqual(ended("", 0, ""));
    expect(await programRunner()(join(folder, "nowhere"), [])).toEqual({ outcome: "missing" });
    expect(await programRunner()(join(folder, "plain"), [])).toMatchObject({ outcome: "failed" });
  });

  it("gives up on one that hangs", async () => {
    const result = await programRunner(50)(join(folder, "hang"), []);
    expect(result).toEqual({ outcome: "failed", problem: `${join(folder, "hang")} did not answer within 0.05 s` });
  });
});
