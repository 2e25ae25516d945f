/** Where this machine's CPUs lie: cores, sockets and locality domains, as the kernel tells them in /sys. */

import { namesIn, textOf } from "./kernel-text.ts";

/** A logical CPU, by the kernel's number. */
export interface HostCpu {
  readonly id: number;
  /** Core and socket together name a core: cores are counted socket by socket. */
  readonly core: number;
  readonly socket: number;
  /** NUMA node; the socket where the kernel has none. */
  readonly domain: number;
}

/** Highest number of a CPU that is looked at: more than the kernel can be built for. */
const CPU_MAX = 65_535;

const CPUS = "/sys/devices/system/cpu";
const DOMAINS = "/sys/devices/system/node";

/** A launch reads three files for each CPU otherwise; a CPU that is switched on is known that much later. */
const KEPT_MS = 60_000;

let kept = { list: "", cpus: [] as readonly HostCpu[], until: 0 };

/** The CPUs that this process may use, neighbours beside one another; empty where the kernel does not tell. */
export function readCpuTopology(): readonly HostCpu[] {
  const list = /^Cpus_allowed_list:\s*(\S+)$/m.exec(textOf("/proc/self/status"))?.[1] ?? "";
  const now = performance.now();
  if (list !== kept.list || now >= kept.until)
    kept = { list, cpus: readCpus(parseCpuList(list)), until: now + KEPT_MS };
  return kept.cpus;
}

function readCpus(allowed: readonly number[]): readonly HostCpu[] {
  const domains = new Map<number, number>();
  for (const name of namesIn(DOMAINS)) {
    const domain = Number(/^node(\d+)$/.exec(name)?.[1]);
    if (Number.isNaN(domain)) continue;
    for (const id of parseCpuList(textOf(`${DOMAINS}/${name}/cpulist`).trim())) domains.set(id, domain);
  }
  const cpus = allowed.map((id): HostCpu => {
    const at = (file: string, otherwise: number): number => {
      const text = textOf(`${CPUS}/cpu${id}/topology/${file}`).trim();
      return /^\d+$/.test(text) ? Number(text) : otherwise;
    };
    const socket = at("physical_package_id", 0);
    return { id, core: at("core_id", id), socket, domain: domains.get(id) ?? socket };
  });
  return cpus.sort((a, b) => a.socket - b.socket || a.core - b.core || a.id - b.id);
}

/** The numbers of a list as the kernel writes it: `0-3,8`. What is no such list has none. */
export function parseCpuList(text: string): readonly number[] {
  const ids: number[] = [];
  for (const part of text.split(",")) {
    const [, first, last = first] = /^(\d{1,6})(?:-(\d{1,6}))?$/.exec(part) ?? [];
    if (first === undefined) continue;
    for (let id = Number(first); id <= Math.min(Number(last), CPU_MAX); id++) ids.push(id);
  }
  return ids;
}
