/** What can stand for the value of an option, or as an operand: names of the cluster, or a list of words. */

import { LIVE_STATES } from "../../view/job-states.ts";
import type { CandidateKind } from "../commands/completion/candidates.ts";
import type { Option } from "../option.ts";
import { GRAMMARS } from "./grammars.ts";

/**
 * `ask`: names of the cluster from the cache; `words`: apart by blanks, one that ends with `=` or `:` goes on; `grammar`:
 * what fits depends on the words before (grammars.ts).
 */
export type Kind =
  | { readonly ask: CandidateKind }
  | { readonly words: string }
  | { readonly grammar: string }
  | { readonly is: "file" | "folder" | "command" | "nothing" | "gres" | "dependency" };

const JOBS: Kind = { ask: "jobs" };
const PAST: Kind = { ask: "past" };
const NODES: Kind = { ask: "nodes" };
const FILE: Kind = { is: "file" };
const NOTHING: Kind = { is: "nothing" };
const GPUS: Kind = { ask: "gpus" };
const GRES: Kind = { is: "gres" };
const SIGNALS: Kind = { words: "INT TERM USR1 USR2 HUP KILL CONT STOP" };

const STATES = [...LIVE_STATES, "COMPLETED", "CANCELLED", "FAILED", "TIMEOUT", "NODE_FAIL", "OUT_OF_MEMORY", "all"];
export const MAIL =
  "NONE BEGIN END FAIL REQUEUE ALL TIME_LIMIT TIME_LIMIT_50 TIME_LIMIT_80 TIME_LIMIT_90 ARRAY_TASKS ALL_DONE";

/** By long name, for all commands alike. */
const BY_OPTION: Readonly<Record<string, Kind>> = {
  ...{ partition: { ask: "partitions" }, user: { ask: "users" }, users: { ask: "users" }, uid: { ask: "users" } },
  ...{ account: { ask: "accounts" }, accounts: { ask: "accounts" }, qos: { ask: "qos" } },
  ...{ reservation: { ask: "reservations" }, licenses: { ask: "licenses" }, constraint: { ask: "features" } },
  ...{ jobs: JOBS, job: JOBS, jobid: JOBS, nodelist: NODES, exclude: NODES, node: NODES, nodes: NOTHING },
  ...{ gpus: GPUS, "gpus-per-node": GPUS, "gpus-per-task": GPUS, "gpus-per-socket": GPUS, gres: GRES },
  ...{ "tres-per-task": { words: "cpu= gres/gpu:" }, step: { ask: "steps" }, steps: { ask: "steps" } },
  ...{ output: FILE, error: FILE, input: FILE, "export-file": FILE, nodefile: FILE, "multi-prog": NOTHING },
  chdir: { is: "folder" },
  states: { words: STATES.join(" ") },
  state: { words: STATES.join(" ") },
  "open-mode": { words: "append truncate" },
  "mail-type": { words: MAIL },
  distribution: { words: "block cyclic plane arbitrary" },
  "kill-on-invalid-dep": { words: "yes no" },
  export: { words: "ALL NONE" },
  signal: SIGNALS,
  dependency: { is: "dependency" },
  "on-disconnect": { words: "detach kill" },
  "detach-keys": { words: "ctrl-a ctrl-b ctrl-p ctrl-\\ none" },
  "gpu-bind": { words: "closest single: map: mask: none" },
  "cpu-bind": { words: "none cores threads sockets" },
  mpi: { words: "none pmi2 pmix" },
};

/** Where an option of a command means something else than elsewhere. */
const BY_COMMAND: Readonly<Record<string, Readonly<Record<string, Kind>>>> = {
  "mgpu-sacct": { jobs: PAST, job: PAST },
  "mgpu-sinfo": {
    states: { words: "idle alloc mix down drain drained draining fail resv unk all" },
    nodes: NODES,
  },
  "mgpu sim": {
    ...{ jobs: NOTHING, nodes: FILE, format: { words: "muri swf swf-csv openb philly mgpu" } },
    placement: { words: "pack best-fit spread fgd thrifty random first-fit" },
    policy: {
      words: "fifo easy easy-sjbf easy-predict conservative slowdown srtf srsf srsf-whole tiresias-l likely help",
    },
  },
  "mgpu-sreport": { tres: { words: "cpu mem gres/gpu billing node ALL" } },
};

/** What the value of an option may be. */
export function kindOf({ long, argument, metavar }: Option, typed: string): Kind {
  if (argument === "none") return NOTHING;
  const own = BY_COMMAND[typed]?.[long] ?? BY_OPTION[long];
  if (own !== undefined) return own;
  return metavar === "file" || metavar === "path" ? FILE : NOTHING;
}

const OPERANDS: Readonly<Record<string, Kind>> = {
  "mgpu-srun": { is: "command" },
  "mgpu-salloc": { is: "command" },
  "mgpu-sbatch": FILE,
  "mgpu-sbcast": FILE,
  "mgpu-scancel": { ask: "targets" },
  "mgpu-sattach": { ask: "sessions" },
  "mgpu why": PAST,
  "mgpu logs": PAST,
  "mgpu seff": PAST,
  "mgpu shims": { is: "folder" },
  "mgpu sim": FILE,
};

/** What the words after the options may be. */
export function operandOf(typed: string): Kind {
  if (Object.hasOwn(GRAMMARS, typed)) return { grammar: typed };
  return OPERANDS[typed] ?? NOTHING;
}
