/** mgpu completion SHELL: prints the script. mgpu __complete KIND: what the scripts ask, fast or not at all. */

import type { Peer } from "../../rpc/types.ts";
import { LIVE_STATES } from "../../view/job-states.ts";
import { printable } from "../../view/printf.ts";
import { type Command, type CommandContext, UserError } from "../context.ts";
import { jobFilter } from "../filters.ts";

const EXIT_USAGE = 2;

/** How long somebody who pressed Tab is kept waiting, in milliseconds. */
const DEADLINE_MS = 400;

/** More are no help. */
const VALUES_MAX = 500;

export const command: Command = {
  name: "mgpu completion",
  summary: "Print the completion script for a shell, or install it where shells look for completions",
  synopsis: "[OPTIONS...] bash|zsh|fish | install [bash] [zsh] [fish]",
  options: [
    { long: "system", argument: "none", help: "install for all users of this machine, under /usr/local/share" },
    {
      long: "slurm-names",
      argument: "none",
      help: "install for srun, sbatch ... too, where those are links to mgpu's",
    },
    { long: "remove", argument: "none", help: "remove what install made, instead of installing" },
  ],
  operands: "permute",
  examples: ["mgpu completion install", 'eval "$(mgpu completion bash)"', "mgpu completion install --remove"],
  async run(parsed, context) {
    const [word = "", ...more] = parsed.operands;
    if (word === "install") {
      const { installCompletions } = await import("./completion/install.ts");
      return installCompletions(more, (long) => parsed.values.has(long), context);
    }
    const { scriptPath } = await import("./completion/install.ts");
    const script = scriptPath(word, context);
    if (script === undefined || more.length > 0) {
      throw new UserError("expected the name of a shell, or install", "bash, zsh or fish", EXIT_USAGE);
    }
    const given = [...parsed.values.keys()];
    if (given.length > 0) {
      throw new UserError(`--${given[0]} goes with install`, "mgpu completion install", EXIT_USAGE);
    }
    context.stdio.out(context.files.read(script));
    return 0;
  },
};

/** Prints values and what they are, a tab between, a value a line. Whatever goes wrong, nothing is printed. */
export async function printCandidates(kind: string, context: CommandContext): Promise<number> {
  const late = new Promise<null>((resolve) => void context.clock.after(DEADLINE_MS, () => resolve(null)));
  const work = candidates(kind, context).catch(() => null);
  const found = (await Promise.race([work, late])) ?? [];
  const lines = found.slice(0, VALUES_MAX).map(([value, about]) => `${value}\t${printable(about)}\n`);
  context.stdio.out(lines.join(""));
  return 0;
}

type Candidate = readonly [value: string, about: string];

async function candidates(kind: string, context: CommandContext): Promise<readonly Candidate[]> {
  const { peer } = await context.connect({ start: false });
  try {
    if (kind === "jobs" || kind === "users") return await jobsOf(peer, kind, context.user.uid);
    const { nodes } = await peer.call("nodes.list", {});
    if (kind === "nodes") return nodes.map(({ name, state }) => [name, state]);
    if (kind !== "partitions") return [];
    return [...new Set(nodes.flatMap(({ partitions }) => partitions))].map((name) => [name, "partition"]);
  } finally {
    peer.close();
  }
}

/** One's own jobs first. */
async function jobsOf(peer: Peer, kind: "jobs" | "users", uid: number): Promise<readonly Candidate[]> {
  const fields = ["id", "arrayJobId", "name", "user", "uid", "state"] as const;
  const jobs = new Map<string, { about: string; isOwn: boolean }>();
  const users = new Map<string, string>();
  const filter = jobFilter({ states: [...LIVE_STATES] });
  await peer.stream("jobs.list", { filter, fields: [...fields] }, ({ rows }) => {
    for (const [id, array, name, user, owner, state] of rows) {
      users.set(String(user), "has jobs in the queue");
      jobs.set(String(array || id), { about: `${state} ${name} (${user})`, isOwn: owner === uid });
    }
  });
  if (kind === "users") return [...users];
  const sorted = [...jobs].sort(([, a], [, b]) => Number(b.isOwn) - Number(a.isOwn));
  return sorted.map(([id, { about }]) => [id, about]);
}
