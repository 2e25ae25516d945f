/** mgpu alloc: machines that another batch system lends while jobs wait here. */

import { MANAGERS } from "../../core/elastic/records.ts";
import { type Command, UserError } from "../context.ts";
import { flagged, valued } from "../predecessors/verbs.ts";
import { EXIT_USAGE } from "../usage.ts";

export const command: Command = {
  name: "mgpu alloc",
  summary: "Borrow machines from Slurm while jobs wait: its jobs become nodes here, and leave when they are idle",
  synopsis:
    "[OPTIONS...] add slurm [-- SBATCH-OPTION...] | list | pause QUEUE | resume QUEUE | remove QUEUE | log QUEUE",
  options: [
    valued("gpus", "[type:]count", "add: GPUs of each allocation, which is one node; none otherwise"),
    valued("time", "time", "add: how long each may last: 4h, 90m, 1-12:00:00"),
    valued("max", "count", "add: allocations at once, waiting and running; 1 otherwise"),
    valued("backlog", "count", "add: of these, how many may wait there; 1 otherwise"),
    valued("every", "time", "add: least time between two submissions; none otherwise"),
    valued("idle", "time", "add: a node without a job for so long leaves; 5m otherwise"),
    valued("cpus", "count", "add: CPUs of each; otherwise the part of a node that its GPUs are of the node's GPUs"),
    valued("mem", "size", "add: memory of each, such as 64G; otherwise likewise"),
    flagged("dry-run", "add: show the script and the command, and what Slurm says of them; submit nothing"),
    flagged("force", "remove: end what runs there now; its jobs go back into the queue"),
    flagged("json", "list: print JSON"),
  ],
  operands: "permute",
  examples: [
    "mgpu alloc add slurm --gpus 8 --time 4h --max 4 -- --partition=gpu --account=lab",
    "mgpu alloc add slurm --gpus 2 --time 1h --dry-run",
    "mgpu alloc list",
    "mgpu alloc log slurm1",
    "mgpu alloc pause slurm1",
    "mgpu alloc remove slurm1",
  ],
  async run(parsed, context) {
    const [verb = "", ...words] = parsed.operands;
    if (verb === "add") return (await import("../alloc/add.ts")).addQueue(words, parsed, context);
    const others = OTHERS[verb];
    const stray = others?.find((long) => parsed.values.has(long));
    if (stray) throw new UserError(`--${stray} does not belong to ${verb}`, undefined, EXIT_USAGE);
    const manage = await import("../alloc/manage.ts");
    if (verb === "list") return manage.listQueues(words, parsed.values.has("json"), context);
    if (verb === "log") return manage.showLog(words, context);
    if (verb === "pause" || verb === "resume" || verb === "remove") {
      return manage.changeQueues(verb, words, parsed.values.has("force"), context);
    }
    const what = verb === "" ? "nothing" : `"${verb}"`;
    const hint = `mgpu alloc add ${MANAGERS[0]} --gpus 4 --time 4h`;
    throw new UserError(`expected add, list, pause, resume, remove or log, got ${what}`, hint, EXIT_USAGE);
  },
};

/** Options of add alone. */
const ADDS = ["gpus", "time", "max", "backlog", "every", "idle", "cpus", "mem", "dry-run"];

/** By verb: options that say nothing to it. */
const OTHERS: Readonly<Record<string, readonly string[]>> = {
  list: [...ADDS, "force"],
  log: [...ADDS, "force", "json"],
  pause: [...ADDS, "json"],
  resume: [...ADDS, "json"],
  remove: [...ADDS, "json"],
};
