/**
 * How the GPUs of a machine are linked, and which CPUs are near: the matrix of `nvidia-smi topo -m`, read. Pure; the
 * samples in test/unit/platform/gpu-topology.test.ts show what it prints.
 */

/** What the matrix says of one GPU. */
export interface GpuPlace {
  /** To each GPU in their order: `NV12` (NVLinks), `PIX`, `PXB`, `PHB`, `NODE`, `SYS`; `X` to itself. */
  readonly links: readonly string[];
  /** CPUs near it, such as `0-15,32-47`; absent where the driver does not say. */
  readonly cpuAffinity?: string;
}

const UNDERLINES = /\[[0-9;]*m/g;

/** Places by the GPUs' positions; empty where the text has no matrix. */
export function parseTopology(text: string): ReadonlyMap<number, GpuPlace> {
  const lines = text.split(/\r?\n/).map((line) =>
    line
      .replaceAll(String.fromCharCode(27), "")
      .replace(UNDERLINES, "")
      .split("\t")
      .map((cell) => cell.trim()),
  );
  const header = lines.find((cells) => cells[0] === "" && cells.includes("GPU0"));
  const places = new Map<number, GpuPlace>();
  if (!header) return places;
  const columns = header.flatMap((name, at) => (/^GPU\d+$/.test(name) ? [at] : []));
  const affinityAt = header.indexOf("CPU Affinity");
  for (const cells of lines) {
    const [, number] = /^GPU(\d+)$/.exec(cells[0] ?? "") ?? [];
    if (number === undefined) continue;
    const cpuAffinity = cells[affinityAt] ?? "";
    const isKnown = affinityAt >= 0 && /^[\d,-]+$/.test(cpuAffinity);
    places.set(Number(number), {
      links: columns.map((at) => cells[at] ?? ""),
      ...(isKnown ? { cpuAffinity } : {}),
    });
  }
  return places;
}
