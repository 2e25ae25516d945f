/** A machine in good health, and what may be wrong with one. */

import type { MachineFacts, NodeExamination } from "../../../../src/protocol/doctor-procedures.ts";

/** Deep parts are replaced whole. */
export function factsOf(changes: Partial<MachineFacts> = {}): MachineFacts {
  return {
    hostname: "n1",
    now: 1_000_000,
    uid: 1000,
    limits: {
      NOFILE: { soft: 1_048_576, hard: 1_048_576 },
      NPROC: { soft: 60_000, hard: 60_000 },
      MEMLOCK: { soft: 8 * 2 ** 20, hard: 8 * 2 ** 20 },
    },
    folders: [folderOf("state folder", {}), folderOf("working folder", { inode: 7 })],
    driver: {
      onBus: 2,
      module: "550.54",
      smi: "works",
      problem: "",
      version: "550.54",
      gpus: 2,
      withoutPersistence: 0,
      denied: [],
    },
    cgroup: { version: 2, path: "/user.slice", delegated: [] },
    python: { path: "/usr/bin/python3", version: "3.11.2", torch: "2.5.1", cuda: "12.1", problem: "" },
    locale: "C.UTF-8",
    zone: { name: "UTC", offsetMin: 0 },
    firewalls: [],
    addresses: ["10.0.0.1"],
    hasRdma: false,
    ...changes,
  };
}

type Folder = MachineFacts["folders"][number];

/** A folder with room. */
export function folderOf(what: string, changes: Partial<Folder>): Folder {
  const usual = { state: "there" as const, problem: "", freeMiB: 50_000, freeInodes: 1e6, kind: "ext2/ext3", inode: 5 };
  return { what, path: `/data/${what.replace(" ", "-")}`, ...usual, ...changes };
}

/** A node in good health. */
export function nodeOf(node: string, changes: Partial<NodeExamination> = {}): NodeExamination {
  const usual = { problem: "", facts: factsOf(), version: "0.1.0", fakeGpus: false, offsetMs: 0, rings: [] };
  return { node, ...usual, ...changes };
}
