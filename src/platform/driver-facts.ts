/** The NVIDIA driver of a machine: the hardware, the kernel's module, the program, the device files. */

import { accessSync, constants } from "node:fs";
import { programRunner } from "./gpu-run.ts";
import { namesIn, textOf } from "./kernel-text.ts";

export interface DriverFacts {
  /** NVIDIA GPUs on the PCI bus, whether a driver knows them or not. */
  readonly onBus: number;
  /** Version of the loaded kernel module; empty without one. */
  readonly module: string;
  /** What became of nvidia-smi. */
  readonly smi: "missing" | "failed" | "works";
  /** What it complained of; empty if it works or is missing. */
  readonly problem: string;
  /** Version that nvidia-smi tells. */
  readonly version: string;
  /** GPUs that it lists. */
  readonly gpus: number;
  /** Of those, with persistence mode off. */
  readonly withoutPersistence: number;
  /** Device files that are there and not open to us. */
  readonly denied: string[];
}

const SMI_MS = 6000;

/** PCI's number of NVIDIA, and its class of displays and 3D controllers. */
const VENDOR = "0x10de";
const DISPLAY_CLASS = /^0x03/;

const PCI = "/sys/bus/pci/devices";

/** Never rejects. A driver that hangs is a problem like others. */
export async function examineDriver(): Promise<DriverFacts> {
  const query = ["--query-gpu=driver_version,persistence_mode", "--format=csv,noheader"];
  const result = await programRunner(SMI_MS)("nvidia-smi", query);
  const own = { onBus: countOnBus(), module: parseModule(textOf("/proc/driver/nvidia/version")), denied: denied() };
  const none = { ...own, version: "", gpus: 0, withoutPersistence: 0 };
  if (result.outcome === "missing") return { ...none, smi: "missing", problem: "" };
  if (result.outcome === "failed") return { ...none, smi: "failed", problem: result.problem };
  const rows = parseDriverRows(result.stdout);
  if (result.code === 0 && rows.length > 0) {
    const withoutPersistence = rows.filter(({ persistence }) => persistence === "Disabled").length;
    return {
      ...own,
      smi: "works",
      problem: "",
      version: rows[0]?.version ?? "",
      gpus: rows.length,
      withoutPersistence,
    };
  }
  const words = `${result.stdout} ${result.stderr}`.replace(/\s+/g, " ").trim();
  return { ...none, smi: "failed", problem: words.slice(0, 300) || `it ended with code ${result.code}` };
}

/** `535.104.05, Enabled`, one line a GPU; complaints have no such shape. */
export function parseDriverRows(text: string): { readonly version: string; readonly persistence: string }[] {
  return text.split("\n").flatMap((line) => {
    const [, version, persistence] = /^(\d+\.[\d.]+), (\S.*)$/.exec(line.trim()) ?? [];
    return version === undefined || persistence === undefined ? [] : [{ version, persistence }];
  });
}

/** `NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.104.05  Sat Aug 19 ...`; the open module says so before "for". */
export function parseModule(text: string): string {
  return /^NVRM version:.*?\s(\d+\.[\d.]+)\s/m.exec(text)?.[1] ?? "";
}

function countOnBus(): number {
  return namesIn(PCI).filter(
    (name) => textOf(`${PCI}/${name}/vendor`).trim() === VENDOR && DISPLAY_CLASS.test(textOf(`${PCI}/${name}/class`)),
  ).length;
}

function denied(): string[] {
  return namesIn("/dev")
    .filter((name) => /^nvidia(\d+|ctl|-uvm)$/.test(name))
    .map((name) => `/dev/${name}`)
    .filter((path) => !canOpen(path));
}

function canOpen(path: string): boolean {
  try {
    accessSync(path, constants.R_OK | constants.W_OK);
    return true;
  } catch {
    return false;
  }
}
