/** GPUs that do not exist: from a count (`4`, `a100:4,t4:1`) or from a JSON file, the same ones at each start. */

import { shortHash } from "../util/hash.ts";
import type { DetectedGpu, GpuLoad, GpuProcess, GpuProvider } from "./gpu.ts";
import { shortGpuType } from "./gpu-parse.ts";
import { readSmallFile } from "./small-file.ts";

/** Four times the largest real machine. */
const FAKE_GPUS_MAX = 256;

/** Of one GPU. */
const FAKE_PROCESSES_MAX = 1000;

const FAKE_MODEL = "Fake GPU";
const FAKE_TYPE = "fake";
const FAKE_MEMORY_MIB = 16_384;

/** One with its show of being busy, where the file says so. */
interface FakeGpu extends DetectedGpu {
  readonly utilisationPercent?: number;
  readonly memoryUsedMiB?: number;
  readonly processes?: readonly GpuProcess[];
}

type FakeGpus = { readonly gpus: readonly FakeGpu[] } | { readonly problem: string };

/**
 * Reads the setting: a count, counts of types, or the path of a file with a list of `{model, type?, memoryMiB?, uuid?}`,
 * with `utilisationPercent?`, `memoryUsedMiB?` and `processes?` (`{pid, memoryMiB?, utilisationPercent?}`) for how busy
 * each seems, and `links?` (to each GPU of the list) and `cpuAffinity?` as in {@link DetectedGpu}.
 * @returns the GPUs, or one sentence on what is wrong
 */
export function readFakeGpus(setting: string, hostname: string): FakeGpus {
  const fail = (problem: string): FakeGpus => ({ problem: `MGPU_FAKE_GPUS: ${problem}` });
  if (/^[+-]?\d+(\.\d*)?$/.test(setting)) {
    const count = Number(setting);
    if (!Number.isInteger(count) || count < 0 || count > FAKE_GPUS_MAX) {
      return fail(`expected a count from 0 to ${FAKE_GPUS_MAX} or the path of a JSON file, got "${setting}"`);
    }
    const one = { model: FAKE_MODEL, type: FAKE_TYPE };
    return { gpus: Array.from({ length: count }, (_, index) => fakeGpu(one, index, hostname)) };
  }
  if (TYPED_COUNTS.test(setting)) return typedGpus(setting, hostname, fail);
  const read = readSmallFile(setting);
  if ("problem" in read) {
    return fail(`can't read the file "${setting}": ${read.problem} (a count, or the path of a JSON file)`);
  }
  const parsed = parseFakeGpus(read.text, hostname);
  return typeof parsed === "string" ? fail(`${setting}: ${parsed}`) : { gpus: parsed };
}

/** `a100:4,t4:1`, as Slurm's Gres= counts them. */
const TYPED_COUNTS = /^[A-Za-z0-9][\w.-]*:\d{1,4}(?:,[A-Za-z0-9][\w.-]*:\d{1,4})*$/;

function typedGpus(setting: string, hostname: string, fail: (problem: string) => FakeGpus): FakeGpus {
  const types = setting.split(",").flatMap((word) => {
    const [type = "", count] = word.split(":");
    return Array.from({ length: Number(count) }, () => type.toLowerCase());
  });
  if (types.length > FAKE_GPUS_MAX) return fail(`${types.length} GPUs; at most ${FAKE_GPUS_MAX} are allowed`);
  return { gpus: types.map((type, index) => fakeGpu({ model: `Fake ${type}`, type }, index, hostname)) };
}

/** The GPUs that a file's text lists, or what is wrong with it in words. */
export function parseFakeGpus(text: string, hostname: string): FakeGpu[] | string {
  let list: unknown;
  try {
    list = JSON.parse(text);
  } catch (error) {
    return `not JSON: ${(error as Error).message}`;
  }
  if (!Array.isArray(list)) return "expected a list of {model, type?, memoryMiB?, uuid?}";
  if (list.length > FAKE_GPUS_MAX) return `lists ${list.length} GPUs; at most ${FAKE_GPUS_MAX} are allowed`;
  const gpus: FakeGpu[] = [];
  for (const [index, item] of list.entries()) {
    const problem = itemProblem(item);
    if (problem) return `GPU ${index}: ${problem}`;
    const gpu = fakeGpu(item as FakeItem, index, hostname);
    if (gpus.some((other) => other.uuid === gpu.uuid)) return `GPU ${index}: its uuid "${gpu.uuid}" is used twice`;
    gpus.push(gpu);
  }
  return gpus;
}

/**
 * A provider of GPUs that are idle unless they say otherwise. The GPUs are those of the start; how busy they are, a file
 * may say anew at any time.
 * @param reread the GPUs as they are described now; what can't be read changes nothing
 */
export function fakeProvider(gpus: readonly FakeGpu[], reread: () => FakeGpus = () => ({ gpus })): GpuProvider {
  let latest = gpus;
  return {
    inventory: async () => ({ provider: "fake", gpus, problem: null }),
    async load() {
      const read = reread();
      if ("gpus" in read) latest = read.gpus;
      return gpus.map(({ index }) => loadOf(latest[index], index));
    },
  };
}

function loadOf({ utilisationPercent, memoryUsedMiB, processes = [] }: Partial<FakeGpu> = {}, index: number): GpuLoad {
  const used = processes.reduce((sum, { memoryMiB }) => sum + memoryMiB, 0);
  const busy = processes.reduce((sum, one) => sum + (one.utilisationPercent ?? 0), 0);
  return {
    index,
    utilisationPercent: utilisationPercent ?? Math.min(100, busy),
    memoryUsedMiB: memoryUsedMiB ?? used,
    temperatureC: 30,
    powerW: 0,
    processes,
  };
}

interface FakeProcess {
  readonly pid: number;
  readonly memoryMiB?: number;
  readonly utilisationPercent?: number;
}

interface FakeItem {
  readonly model: string;
  readonly type?: string;
  readonly memoryMiB?: number;
  readonly uuid?: string;
  readonly utilisationPercent?: number;
  readonly memoryUsedMiB?: number;
  readonly processes?: readonly FakeProcess[];
  readonly links?: readonly string[];
  readonly cpuAffinity?: string;
}

function fakeGpu(item: FakeItem, index: number, hostname: string): FakeGpu {
  const { utilisationPercent, memoryUsedMiB, processes } = item;
  return {
    index,
    uuid: item.uuid ?? `GPU-fake-${shortHash(hostname)}-${index}`,
    model: item.model,
    type: item.type?.toLowerCase() ?? shortGpuType(item.model),
    memoryMiB: item.memoryMiB ?? FAKE_MEMORY_MIB,
    ...(item.links ? { links: item.links } : {}),
    ...(item.cpuAffinity ? { cpuAffinity: item.cpuAffinity } : {}),
    ...(utilisationPercent === undefined ? {} : { utilisationPercent }),
    ...(memoryUsedMiB === undefined ? {} : { memoryUsedMiB }),
    ...(processes ? { processes: processes.map((one) => ({ memoryMiB: 0, ...one })) } : {}),
  };
}

function itemProblem(item: unknown): string {
  if (typeof item !== "object" || item === null || Array.isArray(item)) return "expected {model, ...}";
  const { model, type, memoryMiB, uuid, utilisationPercent, memoryUsedMiB, ...rest } = item as Record<string, unknown>;
  const { links, cpuAffinity, processes, ...others } = rest;
  const unknown = Object.keys(others);
  if (unknown.length > 0) return `unknown key "${unknown[0]}"`;
  if (!isWord(model)) return "model must be a text that is not empty";
  if (type !== undefined && !isWord(type)) return "type must be a text that is not empty";
  if (uuid !== undefined && !isWord(uuid)) return "uuid must be a text that is not empty";
  if (!isCount(memoryMiB)) return "memoryMiB must be a count of MiB";
  if (!isCount(memoryUsedMiB)) return "memoryUsedMiB must be a count of MiB";
  if (processes !== undefined && !isProcesses(processes))
    return "processes must be a list of {pid, memoryMiB?, utilisationPercent?}";
  if (links !== undefined && !isLinks(links))
    return "links must be a list of X, NV12, PIX, PXB, PHB, NODE or SYS, one a GPU";
  if (cpuAffinity !== undefined && !/^\d[\d,-]*$/.test(String(cpuAffinity)))
    return "cpuAffinity must be CPUs such as 0-15";
  return isCount(utilisationPercent, 100) ? "" : "utilisationPercent must be a number from 0 to 100";
}

function isCount(value: unknown, max = Number.MAX_SAFE_INTEGER): boolean {
  return value === undefined || (Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) <= max);
}

function isProcesses(value: unknown): boolean {
  return Array.isArray(value) && value.length <= FAKE_PROCESSES_MAX && value.every(isProcess);
}

function isProcess(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  const { pid, memoryMiB, utilisationPercent, ...others } = value as Record<string, unknown>;
  const isPid = Number.isSafeInteger(pid) && (pid as number) > 0;
  return isPid && isCount(memoryMiB) && isCount(utilisationPercent, 100) && Object.keys(others).length === 0;
}

function isLinks(value: unknown): boolean {
  return Array.isArray(value) && value.every((one) => /^(X|NV\d+|PIX|PXB|PHB|NODE|SYS)$/.test(String(one)));
}

/** As long as the wire's names may be. */
function isWord(value: unknown): boolean {
  return typeof value === "string" && value.trim() !== "" && value.length <= 256;
}
