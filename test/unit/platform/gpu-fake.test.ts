import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { realClock } from "../../../src/platform/clock.ts";
import { chooseGpuProvider } from "../../../src/platform/gpu.ts";
import { parseFakeGpus, readFakeGpus } from "../../../src/platform/gpu-fake.ts";

function problemOf(setting: string): string {
  const read = readFakeGpus(setting, "h");
  return "problem" in read ? read.problem : "";
}

describe("fake GPUs from a count", () => {
  it("are the same at each start and differ from machine to machine", async () => {
    const choose = async (hostname: string) => {
      const choice = chooseGpuProvider({ fakeGpus: "2", hostname, clock: realClock() });
      return "provider" in choice ? choice.provider.inventory() : undefined;
    };
    const first = await choose("one");
    expect(first).toEqual(await choose("one"));
    expect(first?.provider).toBe("fake");
    expect(first?.gpus.map((gpu) => gpu.index)).toEqual([0, 1]);
    expect(first?.gpus[1]?.uuid).toMatch(/^GPU-fake-[0-9a-f]{8}-1$/);
    expect((await choose("two"))?.gpus[0]?.uuid).not.toBe(first?.gpus[0]?.uuid);
  });

  it("may be none", () => {
    expect(readFakeGpus("0", "h")).toEqual({ gpus: [] });
  });

  it("may be of types, as Slurm's Gres= counts them", () => {
    const read = readFakeGpus("A100:2,1g.10gb:1", "h");
    const gpus = "gpus" in read ? read.gpus : [];
    expect(gpus.map(({ index, type }) => [index, type])).toEqual([
      [0, "a100"],
      [1, "a100"],
      [2, "1g.10gb"],
    ]);
    expect(problemOf("a100:200,t4:57")).toBe("MGPU_FAKE_GPUS: 257 GPUs; at most 256 are allowed");
  });

  it("are idle", async () => {
    const choice = chooseGpuProvider({ fakeGpus: "1", hostname: "h", clock: realClock() });
    const load = "provider" in choice ? await choice.provider.load() : [];
    expect(load).toMatchObject([{ index: 0, utilisationPercent: 0, processes: [] }]);
  });

  it.each(["-1", "257", "99999999999999999999", "1.5", "+-"])("refuses %s in one sentence", (setting) => {
    expect(problemOf(setting)).toMatch(/^MGPU_FAKE_GPUS: (expected a count from 0 to 256|can't read the file)/);
  });
});

describe("fake GPUs from a file", () => {
  let folder = "";
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "mgpu-fake-"));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it("are what it lists", () => {
    const file = join(folder, "gpus.json");
    writeFileSync(file, '[{"model":"NVIDIA A100-SXM4-80GB"},{"model":"X","type":"Big","memoryMiB":5,"uuid":"GPU-x"}]');
    expect(readFakeGpus(file, "h")).toEqual({
      gpus: [
        {
          index: 0,
          uuid: expect.stringMatching(/^GPU-fake-[0-9a-f]{8}-0$/),
          model: "NVIDIA A100-SXM4-80GB",
          type: "a100",
          memoryMiB: 16_384,
        },
        { index: 1, uuid: "GPU-x", model: "X", type: "big", memoryMiB: 5 },
      ],
    });
  });

  it("are as busy as it says at any time, and as before while it can't be read", async () => {
    const file = join(folder, "busy.json");
    const say = (processes: unknown): void => writeFileSync(file, JSON.stringify([{ model: "X", processes }]));
    say([]);
    const choice = chooseGpuProvider({ fakeGpus: file, hostname: "h", clock: realClock() });
    const look = async () => ("provider" in choice ? (await choice.provider.load())[0] : undefined);
    expect(await look()).toMatchObject({ utilisationPercent: 0, memoryUsedMiB: 0, processes: [] });
    say([{ pid: 7, memoryMiB: 900, utilisationPercent: 80 }, { pid: 8 }]);
    const busy = { utilisationPercent: 80, memoryUsedMiB: 900 };
    expect(await look()).toMatchObject({
      ...busy,
      processes: [
        { pid: 7, memoryMiB: 900 },
        { pid: 8, memoryMiB: 0 },
      ],
    });
    writeFileSync(file, "[");
    expect(await look()).toMatchObject(busy);
    say([]);
    expect(await look()).toMatchObject({ utilisationPercent: 0, memoryUsedMiB: 0 });
  });

  it("are asked once in the interval", async () => {
    const file = join(folder, "cached.json");
    writeFileSync(file, '[{"model":"X","memoryUsedMiB":1}]');
    let now = 0;
    const clock = { ...realClock(), monotonic: () => now };
    const choice = chooseGpuProvider({ fakeGpus: file, hostname: "h", clock, cacheMs: 5000 });
    const used = async () => ("provider" in choice ? (await choice.provider.load())[0]?.memoryUsedMiB : undefined);
    expect(await used()).toBe(1);
    writeFileSync(file, '[{"model":"X","memoryUsedMiB":2}]');
    now = 4999;
    expect(await used()).toBe(1);
    now = 5000;
    expect(await used()).toBe(2);
  });

  it("names the file that can't be read", () => {
    for (const [path, words] of [
      ["/nowhere/gpus.json", "No such file or directory"],
      [folder, "Is a directory"],
    ] as const) {
      expect(problemOf(path)).toBe(
        `MGPU_FAKE_GPUS: can't read the file "${path}": ${words} (a count, or the path of a JSON file)`,
      );
    }
  });

  it("names the file with bad content", () => {
    const file = join(folder, "bad.json");
    writeFileSync(file, "{}");
    expect(problemOf(file)).toBe(`MGPU_FAKE_GPUS: ${file}: expected a list of {model, type?, memoryMiB?, uuid?}`);
  });

  it.each([
    ["[", /^not JSON: /],
    ["{}", /^expected a list/],
    [JSON.stringify(Array(300).fill({ model: "x" })), /^lists 300 GPUs; at most 256 are allowed/],
    ["[3]", /^GPU 0: expected \{model/],
    ['[{"model":""}]', /^GPU 0: model must be/],
    ['[{"model":"a"},{"model":"a","type":7}]', /^GPU 1: type must be/],
    ['[{"model":"a","memoryMiB":-1}]', /^GPU 0: memoryMiB must be/],
    ['[{"model":"a","utilisationPercent":101}]', /^GPU 0: utilisationPercent must be/],
    ['[{"model":"a","processes":[{"pid":0}]}]', /^GPU 0: processes must be a list of/],
    ['[{"model":"a","processes":[{"pid":5,"name":"x"}]}]', /^GPU 0: processes must be a list of/],
    ['[{"model":"a","memory":1}]', /^GPU 0: unknown key "memory"/],
    ['[{"model":"a","uuid":"u"},{"model":"a","uuid":"u"}]', /^GPU 1: its uuid "u" is used twice/],
  ])("%s is refused", (text, problem) => {
    expect(parseFakeGpus(text, "h")).toMatch(problem);
  });
});
