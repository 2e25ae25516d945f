/** What can stand for the value of an option, or as an operand: completions ask the cluster, or have a list. */

import { LIVE_STATES } from "../../view/job-states.ts";
import type { Option } from "../option.ts";
import type { Entry } from "./catalogue.ts";

/** `jobs`, `nodes`, `partitions` and `users` are asked of `mgpu __complete`; lists are words apart by blanks. */
export type Kind =
  | { readonly ask: "jobs" | "nodes" | "partitions" | "users" }
  | { readonly words: string }
  | { readonly is: "file" | "folder" | "command" | "nothing" };

const JOBS: Kind = { ask: "jobs" };
const NODES: Kind = { ask: "nodes" };
const FILE: Kind = { is: "file" };
const NOTHING: Kind = { is: "nothing" };

const STATES = [...LIVE_STATES, "COMPLETED", "CANCELLED", "FAILED", "TIMEOUT", "NODE_FAIL", "OUT_OF_MEMORY", "all"];
const MAIL = "NONE BEGIN END FAIL REQUEUE ALL TIME_LIMIT TIME_LIMIT_50 TIME_LIMIT_80 TIME_LIMIT_90 ARRAY_TASKS";

/** By long name, for all commands alike. */
const BY_OPTION: Readonly<Record<string, Kind>> = {
  ...{ partition: { ask: "partitions" }, user: { ask: "users" }, users: { ask: "users" } },
  ...{ jobs: JOBS, job: JOBS, jobid: JOBS, nodelist: NODES, nodes: NOTHING, exclude: NODES, node: NODES },
  ...{ output: FILE, error: FILE, input: FILE, "export-file": FILE, nodefile: FILE },
  chdir: { is: "folder" },
  states: { words: STATES.join(" ") },
  state: { words: STATES.join(" ") },
  "open-mode": { words: "append truncate" },
  "mail-type": { words: MAIL },
  distribution: { words: "block cyclic plane arbitrary" },
  "kill-on-invalid-dep": { words: "yes no" },
  export: { words: "ALL NONE" },
  signal: { words: "INT TERM USR1 USR2 HUP KILL CONT STOP" },
  dependency: { words: "after: afterany: afterok: afternotok: aftercorr: singleton" },
};

/** What the value of an option may be. */
export function kindOf({ long, argument, metavar }: Option): Kind {
  if (metavar === "file") return FILE;
  return argument === "none" ? NOTHING : (BY_OPTION[long] ?? NOTHING);
}

const SCONTROL =
  "show update hold uhold release requeue requeuehold suspend resume top ping create delete reconfigure shutdown version";

/** What the words after the options may be. */
export function operandOf({ typed, command }: Entry): Kind {
  if (typed === "mgpu-srun" || typed === "mgpu-salloc") return { is: "command" };
  if (typed === "mgpu-sbatch" || typed === "mgpu-sbcast") return FILE;
  if (["mgpu-scancel", "mgpu-sattach", "mgpu why", "mgpu logs", "mgpu seff"].includes(typed)) return JOBS;
  if (typed === "mgpu-scontrol") return { words: SCONTROL };
  if (typed === "mgpu sim") return FILE;
  if (typed === "mgpu shims") return { is: "folder" };
  if (typed === "mgpu completion") return { words: "bash zsh fish" };
  return command.operands === "stop" ? FILE : NOTHING;
}
