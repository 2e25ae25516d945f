/**
 * NVIDIA GPUs through nvidia-smi. A query costs a tenth of a second of driver time, so everybody shares one: callers
 * at the same time wait for the same run, and its answer holds for some seconds.
 */

import type { Clock } from "./clock.ts";
import type { DetectedGpu, GpuLoad, GpuProvider } from "./gpu.ts";
import {
  GPU_COLUMNS,
  type GpuRow,
  type GpuTable,
  PROCESS_COLUMNS,
  parseGpuTable,
  parseMigInstances,
  parseProcesses,
  parseProcessLoads,
} from "./gpu-parse.ts";
import type { ProgramResult, RunProgram } from "./gpu-run.ts";
import { parseTopology } from "./gpu-topology.ts";

/** As the setting gpu.query_interval has it where nobody says otherwise: a query more often would itself be load. */
const CACHE_MS = 5000;

const PROGRAM = "nvidia-smi";
const FORMAT = "--format=csv,noheader,nounits";

interface Sample {
  readonly provider: "nvidia" | "none";
  readonly gpus: readonly DetectedGpu[];
  readonly loads: readonly GpuLoad[];
  readonly problem: string | null;
}

const NOTHING: Sample = { provider: "none", gpus: [], loads: [], problem: null };

/** A provider that runs nvidia-smi when asked; without that program there are no GPUs, and that is no problem. */
export function nvidiaProvider(run: RunProgram, clock: Clock, cacheMs = CACHE_MS): GpuProvider {
  const withPlaces = createPlaces(run);
  let cached: { readonly sample: Promise<Sample>; doneAt: number } | undefined;

  const sample = (): Promise<Sample> => {
    if (cached && clock.monotonic() - cached.doneAt < cacheMs) return cached.sample;
    // Counts as fresh while it runs: whoever comes meanwhile waits for it.
    const entry = { sample: querySample(run), doneAt: Number.POSITIVE_INFINITY };
    cached = entry;
    void entry.sample.then(() => {
      entry.doneAt = clock.monotonic();
    });
    return entry.sample;
  };

  return {
    async inventory() {
      const { provider, gpus, problem } = await sample();
      return { provider, gpus: await withPlaces(gpus), problem };
    },
    load: async () => [...(await sample()).loads],
  };
}

/** Adds to GPUs how they are linked. That never changes, and to ask takes a second: it is asked once for the same GPUs. */
function createPlaces(run: RunProgram): (gpus: readonly DetectedGpu[]) => Promise<readonly DetectedGpu[]> {
  let known: { readonly of: string; readonly places: ReturnType<typeof parseTopology> } | null = null;
  return async (gpus) => {
    const whole = gpus.filter(({ uuid }) => !uuid.startsWith("MIG-"));
    if (whole.length < 2) return gpus;
    const of = whole.map(({ uuid }) => uuid).join();
    if (known?.of !== of) {
      const result = await run(PROGRAM, ["topo", "-m"]);
      known = { of, places: parseTopology(result.outcome === "ended" && result.code === 0 ? result.stdout : "") };
    }
    const { places } = known;
    return gpus.map((gpu) => ({ ...gpu, ...places.get(gpu.index) }));
  };
}

async function querySample(run: RunProgram): Promise<Sample> {
  const result = await queryGpus(run);
  if (result.outcome === "missing") return NOTHING;
  if (result.outcome === "failed") return { ...NOTHING, provider: "nvidia", problem: result.problem };
  const table = parseGpuTable(result.stdout);
  const processes = table.rows.length > 0 ? await queryProcesses(run) : parseProcesses("");
  const { gpus, problem } = await usableGpus(run, table, problemOf(result, table));
  const parts = processes.size > 0 ? await queryProcessLoads(run) : new Map<string, number>();
  const loads = table.rows.map(({ gpu, load }) => ({
    ...load,
    processes: (processes.get(gpu.uuid) ?? []).map((one) => {
      const utilisationPercent = parts.get(`${gpu.index} ${one.pid}`);
      return utilisationPercent === undefined ? one : { ...one, utilisationPercent };
    }),
  }));
  return { provider: "nvidia", gpus, loads, problem };
}

/** An old driver that does not know MIG refuses the whole query: then it is asked without. */
async function queryGpus(run: RunProgram): Promise<ProgramResult> {
  const result = await run(PROGRAM, [`--query-gpu=${GPU_COLUMNS.join(",")}`, FORMAT]);
  const refused = result.outcome === "ended" && result.code !== 0 && /not a valid field/i.test(textOf(result));
  if (!refused) return result;
  const columns = GPU_COLUMNS.filter((column) => column !== "mig.mode.current");
  const old = await run(PROGRAM, [`--query-gpu=${columns.join(",")}`, FORMAT]);
  if (old.outcome !== "ended") return old;
  const stdout = old.stdout.replace(/^((?:[^,\n]*,){7})/gm, "$1 [N/A],");
  return { ...old, stdout };
}

async function queryProcesses(run: RunProgram): Promise<ReturnType<typeof parseProcesses>> {
  const result = await run(PROGRAM, [`--query-compute-apps=${PROCESS_COLUMNS.join(",")}`, FORMAT]);
  return parseProcesses(result.outcome === "ended" ? result.stdout : "");
}

/** How busy each process keeps its GPU. Old drivers and some GPUs can't tell: then only whole GPUs are known. */
async function queryProcessLoads(run: RunProgram): Promise<ReadonlyMap<string, number>> {
  const result = await run(PROGRAM, ["pmon", "-c", "1", "-s", "u"]);
  return parseProcessLoads(result.outcome === "ended" && result.code === 0 ? result.stdout : "");
}

/** The GPUs that programs can use: whole ones, and the instances of those that are divided. */
async function usableGpus(
  run: RunProgram,
  table: GpuTable,
  problem: string | null,
): Promise<{ gpus: readonly DetectedGpu[]; problem: string | null }> {
  const whole = table.rows.filter((row) => !row.mig).map((row) => row.gpu);
  const divided = table.rows.filter((row) => row.mig);
  if (divided.length === 0) return { gpus: whole, problem };
  const list = await run(PROGRAM, ["-L"]);
  const instances = list.outcome === "ended" ? parseMigInstances(list.stdout) : [];
  const empty = divided.filter((row) => !instances.some((instance) => parentOf(instance) === row.gpu.index));
  return { gpus: [...whole, ...instances], problem: problem ?? emptyProblem(empty) };
}

function parentOf(instance: DetectedGpu): number {
  return Math.floor(instance.index / 100) - 1;
}

function emptyProblem(rows: readonly GpuRow[]): string | null {
  if (rows.length === 0) return null;
  const indices = rows.map((row) => row.gpu.index).join(", ");
  return `GPU ${indices}: MIG is on but there is no MIG instance; make one with nvidia-smi mig -cgi`;
}

/** What nvidia-smi complained of. GPUs that it could read stay usable: one may have fallen off the bus. */
function problemOf(result: ProgramResult & { outcome: "ended" }, table: GpuTable): string | null {
  const words = [table.complaint, ...(result.code === 0 ? [] : [oneLine(result.stderr)])].filter((text) => text !== "");
  if (words.length > 0) return `nvidia-smi: ${words.join(" ")}`;
  if (result.code !== 0) return `nvidia-smi ended with code ${result.code} and said nothing`;
  return table.rows.length === 0 ? "nvidia-smi lists no GPU" : null;
}

function textOf(result: ProgramResult & { outcome: "ended" }): string {
  return `${result.stdout}\n${result.stderr}`;
}

function oneLine(text: string): string {
  return text.trim().replace(/\s+/g, " ");
}
