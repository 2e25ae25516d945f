/** What nvidia-smi prints, read. Pure; the samples in test/unit/platform/gpu*.test.ts show what it prints. */

import type { DetectedGpu, GpuLoad, GpuProcess } from "./gpu.ts";

/** Columns of the one query. The name stands last: it is the only one that might hold a comma. */
export const GPU_COLUMNS = [
  "index",
  "uuid",
  "memory.total",
  "utilization.gpu",
  "memory.used",
  "temperature.gpu",
  "power.draw",
  "mig.mode.current",
  "name",
] as const;

export const PROCESS_COLUMNS = ["gpu_uuid", "pid", "used_gpu_memory"] as const;

/** One physical GPU as the query shows it. */
export interface GpuRow {
  readonly gpu: DetectedGpu;
  readonly load: Omit<GpuLoad, "processes">;
  /** Divided into MIG instances: only those can be used. */
  readonly mig: boolean;
}

/** The rows that can be read, and the text that is none: nvidia-smi prints its complaints among them. */
export interface GpuTable {
  readonly rows: readonly GpuRow[];
  readonly complaint: string;
}

/** Reads the answer to the query of {@link GPU_COLUMNS}. */
export function parseGpuTable(text: string): GpuTable {
  const rows: GpuRow[] = [];
  const complaints: string[] = [];
  for (const line of linesOf(text)) {
    const row = parseGpuRow(line);
    if (row) rows.push(row);
    else complaints.push(line);
  }
  rows.sort((a, b) => a.gpu.index - b.gpu.index);
  return { rows, complaint: complaints.join(" ") };
}

/** Reads the answer to the query of {@link PROCESS_COLUMNS}: processes by their GPU's UUID. */
export function parseProcesses(text: string): Map<string, GpuProcess[]> {
  const processes = new Map<string, GpuProcess[]>();
  for (const line of linesOf(text)) {
    const [uuid = "", pidText = "", memory = ""] = fieldsOf(line);
    const pid = numberOf(pidText);
    if (pid === null || pid < 1 || uuid === "") continue;
    const known = processes.get(uuid);
    const process = { pid, memoryMiB: numberOf(memory) ?? 0 };
    if (known) known.push(process);
    else processes.set(uuid, [process]);
  }
  return processes;
}

/**
 * Reads the answer to `nvidia-smi pmon -c 1 -s u`: how busy each process keeps its GPU, by the GPU's index and its pid
 * (`0 4711`). Where the driver does not tell (a dash: not at all in the last moment, or an old GPU), there is nothing.
 */
export function parseProcessLoads(text: string): Map<string, number> {
  const loads = new Map<string, number>();
  let columns: readonly string[] = [];
  for (const line of linesOf(text)) {
    const words = line.replace(/^#/, "").trim().split(/\s+/);
    if (line.startsWith("#") && words[0] === "gpu") columns = words;
    if (line.startsWith("#") || columns.length === 0) continue;
    const [gpu, pid, busy] = ["gpu", "pid", "sm"].map((name) => words[columns.indexOf(name)] ?? "-");
    if (/^\d+$/.test(`${gpu}${pid}`) && /^\d+$/.test(busy ?? "")) loads.set(`${gpu} ${pid}`, Number(busy));
  }
  return loads;
}

/** Reads the MIG instances out of `nvidia-smi -L`, as GPUs of their own. */
export function parseMigInstances(text: string): DetectedGpu[] {
  const instances: DetectedGpu[] = [];
  let parent: { index: number; model: string } | undefined;
  for (const line of linesOf(text)) {
    const gpu = /^GPU (\d+): (.*) \(UUID: [^)]*\)/.exec(line);
    if (gpu) parent = { index: Number(gpu[1]), model: gpu[2] ?? "" };
    const mig = /^MIG (\S+)\s+Device\s+(\d+): \(UUID: (MIG-[^)]+)\)/.exec(line);
    if (!mig || !parent) continue;
    const [, profile = "", device = "0", uuid = ""] = mig;
    instances.push({
      index: 100 * (parent.index + 1) + Number(device),
      uuid,
      model: `${parent.model} MIG ${profile}`,
      type: `${shortGpuType(parent.model)}_${profile.toLowerCase()}`,
      memoryMiB: Number(/(\d+)gb/i.exec(profile)?.[1] ?? 0) * 1024,
    });
  }
  return instances;
}

/** `a100` of `NVIDIA A100-SXM4-80GB`: what people write after `--gpus`. */
export function shortGpuType(model: string): string {
  const words = model
    .toLowerCase()
    .replace(/\([^)]*\)/g, " ")
    .split(/[^a-z0-9]+/)
    .filter((word) => word !== "" && !isNoise(word));
  // `RTX A6000` is called a6000; `RTX 3090` and `RTX 6000 Ada` need the rtx to be told from other models.
  if (words[0] === "rtx" && /^a\d/.test(words[1] ?? "")) words.shift();
  return words.join("") || "gpu";
}

/** Words of a model's name that say nothing of the kind: maker, size of memory, form of the board. */
function isNoise(word: string): boolean {
  return /^(nvidia|tesla|geforce|quadro|grid|sxm\d*|pcie|nvl|hbm\w*|\d+gb?|gpu|laptop|generation|edition|server|workstation)$/.test(
    word,
  );
}

function parseGpuRow(line: string): GpuRow | undefined {
  const fields = fieldsOf(line);
  const [index = "", uuid = "", total, utilisation, used, temperature, power, mig] = fields;
  const model = fields.slice(GPU_COLUMNS.length - 1).join(", ");
  if (!/^\d{1,4}$/.test(index) || !uuid.startsWith("GPU-") || model === "" || isUnknown(model)) return undefined;
  const number = Number(index);
  const gpu = { index: number, uuid, model, type: shortGpuType(model), memoryMiB: numberOf(total) ?? 0 };
  const load = {
    index: number,
    utilisationPercent: numberOf(utilisation),
    memoryUsedMiB: numberOf(used),
    temperatureC: numberOf(temperature),
    powerW: numberOf(power),
  };
  return { gpu, load, mig: mig === "Enabled" };
}

/** The number of a field; `null` for `[N/A]`, `[Not Supported]`, `ERR!` and their like. */
function numberOf(field: string | undefined): number | null {
  return field !== undefined && /^-?\d+(\.\d+)?$/.test(field) ? Number(field) : null;
}

function isUnknown(field: string): boolean {
  return field.startsWith("[") || field === "ERR!" || field === "N/A";
}

function linesOf(text: string): string[] {
  return text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "");
}

function fieldsOf(line: string): string[] {
  return line.split(",").map((field) => field.trim());
}
