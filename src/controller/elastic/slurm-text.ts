/** What is said to Slurm, and what it says: scripts, options, lists. Pure. */

import type { AllocationShape } from "../../core/elastic/records.ts";
import { civilMs } from "../../util/civil.ts";
import { shellWord } from "../../util/shell-word.ts";
import type { Order, OuterJob } from "./manager.ts";

/** What the script of an allocation needs to know of the controller's machine. */
export interface ScriptFacts {
  /** Marks this cluster's jobs among all others of the user. */
  readonly mark: string;
  readonly clusterName: string;
  /** Changes with each boot: a machine with the same one is this one. */
  readonly bootId: string;
  readonly controllerSocket: string;
  /** Where mgpu's launchers are, and the folder of the node program that runs them. */
  readonly binFolder: string;
  readonly nodeFolder: string;
  /** Where scripts, tokens and output of allocations are, seen by all machines. */
  readonly folder: string;
  /** For root's daemons: a folder of sockets that users can pass; else empty. */
  readonly runtime: string;
  /** Settings that the node daemons share with the controller. */
  readonly variables: Readonly<Record<string, string>>;
}

/** Seconds that the script waits for its token. */
const TOKEN_WAIT_S = 300;

/** Name of the job there. */
function outerName(mark: string, node: string): string {
  return `mgpu-${mark}-${node}`;
}

/** The files of one allocation. */
export function allocationFiles(folder: string, node: string) {
  return { script: `${folder}/${node}.sh`, token: `${folder}/${node}.join`, output: `${folder}/${node}.log` };
}

/** A value of a directive, as sbatch takes its line apart. */
function quoted(text: string): string {
  return /^[\w%+,./:@=-]+$/.test(text) ? text : `"${text.replaceAll(/["\\]/g, "\\$&")}"`;
}

/** The batch script of an allocation. */
export function slurmScript({ queue, node }: Order, facts: ScriptFacts): string {
  const { shape } = queue;
  const files = allocationFiles(facts.folder, node);
  const head = [
    `--job-name=${outerName(facts.mark, node)}`,
    `--comment="node ${node} of mgpu cluster ${facts.clusterName}"`,
    ...["--nodes=1", "--ntasks=1", `--cpus-per-task=${shape.cpus}`, `--mem=${shape.memoryMiB}M`],
    ...(shape.gpus === "" ? [] : [`--gres=gpu:${shape.gpus}`]),
    `--time=${Math.ceil(shape.timeS / 60)}`,
    // Slurm would start it again under the same number, without the controller's knowing.
    ...["--no-requeue", `--output=${quoted(files.output.replaceAll("%", "%%"))}`],
  ];
  const variables = {
    ...facts.variables,
    MGPU_NODE_ID: node,
    MGPU_FEATURES: `${queue.manager},${queue.manager}${queue.id}`,
    ...(facts.runtime === "" ? {} : { XDG_RUNTIME_DIR: facts.runtime }),
  };
  const exports = Object.entries(variables).map(([name, text]) => `export ${name}=${shellWord(text)}`);
  return `#!/bin/sh
${head.map((option) => `#SBATCH ${option}`).join("\n")}

# An allocation of mgpu: a node daemon that lives as long as this job.
PATH=${shellWord(facts.binFolder)}:${shellWord(facts.nodeFolder)}:$PATH
export PATH
unset XDG_RUNTIME_DIR MGPU_CONTROLLER_SOCKET
${exports.join("\n")}
if [ ! -x ${shellWord(`${facts.binFolder}/mgpud`)} ]; then
  echo ${shellWord(`mgpu is not at ${facts.binFolder} on`)} "$(hostname): install it in a folder that all machines see" >&2
  exit 1
fi
umask 077
MGPU_HOME=$(mktemp -d "\${TMPDIR:-/tmp}/mgpu-${node}-XXXXXX") || exit 1
export MGPU_HOME
if [ "$(cat /proc/sys/kernel/random/boot_id)" = ${shellWord(facts.bootId)} ] && [ -S ${shellWord(facts.controllerSocket)} ]; then
  # On the controller's own machine: its socket is open to its user alone.
  MGPU_CONTROLLER_SOCKET=${shellWord(facts.controllerSocket)}
  export MGPU_CONTROLLER_SOCKET
else
  # The controller writes the token as soon as it sees that this job runs.
  token=${shellWord(files.token)}
  waited=0
  until [ -r "$token" ]; do
    if [ "$waited" -ge ${TOKEN_WAIT_S} ]; then
      echo "no token at $token for ${TOKEN_WAIT_S} s: $(hostname) must see that folder, and mgpu listen (mgpu up --listen)" >&2
      rm -rf "$MGPU_HOME"
      exit 1
    fi
    sleep 1
    waited=$((waited + 1))
  done
  if ! mgpu join --no-start --node-id ${node} - <"$token"; then
    rm -rf "$MGPU_HOME"
    exit 1
  fi
fi
mgpud --allocation ${queue.manager} &
daemon=$!
trap 'kill -TERM $daemon 2>/dev/null' TERM INT HUP
wait $daemon
code=$?
# A signal ends the wait, not the daemon: it clears away first.
while kill -0 $daemon 2>/dev/null; do
  wait $daemon
  code=$?
done
rm -rf "$MGPU_HOME"
exit $code
`;
}

/** Options of sbatch that would break what an allocation is, with why. */
const REFUSED: readonly (readonly [RegExp, string])[] = [
  [/^(--array|-a)/, "each allocation is one job"],
  [/^(--nodes|-N)/, "each allocation is one node; --max asks for several"],
  [/^(--ntasks|-n)/, "one node daemon runs in each allocation"],
  [/^(--job-name|-J)/, "by the name mgpu finds its jobs again"],
  [/^(--clusters?(=|$)|-M)/, "the controller's Slurm alone is asked what became of it; SLURM_CONF names another one"],
  [/^(--uid|--gid)/, "allocations are of the user whose controller this is"],
  [/^--wrap/, "what runs is mgpu's own script"],
  [/^(--wait|-W)$/, "mgpu does not wait for its end"],
  [/^(--hold|-H)$/, "mgpu alloc pause keeps allocations from being submitted"],
  [/^(--requeue)/, "a node that is lost does not come back under its name"],
  [/^(--time|-t)/, "mgpu alloc add --time says it"],
  [/^(--gres|--gpus|-G$)/, "mgpu alloc add --gpus says it"],
  [/^(--cpus-per-task|-c)/, "mgpu alloc add --cpus says it"],
  [/^--mem/, "mgpu alloc add --mem says it"],
  [/^(--test-only|--parsable|--quiet|-Q|--help|-h|--version|-V)$/, "mgpu alloc add --dry-run shows what would be done"],
];

/** What is wrong with options for sbatch, a sentence each. */
export function slurmArgProblems(args: readonly string[]): string[] {
  return args.flatMap((arg) => {
    const why = REFUSED.find(([pattern]) => pattern.test(arg))?.[1];
    return why === undefined ? [] : [`sbatch option ${arg}: not possible here, ${why}`];
  });
}

/** What squeue is asked for: number, name, state, end, host, reason. */
export const SQUEUE_FORMAT = "%i|%j|%T|%e|%B|%r";

const WAITING = new Set([
  "PENDING",
  "CONFIGURING",
  "REQUEUED",
  "REQUEUE_HOLD",
  "REQUEUE_FED",
  "SPECIAL_EXIT",
  "RESV_DEL_HOLD",
]);
const RUNNING = new Set(["RUNNING", "COMPLETING", "SUSPENDED", "STOPPED", "SIGNALING", "STAGE_OUT", "RESIZING"]);

/** Our jobs in squeue's output, which is in UTC. */
export function parseSqueue(text: string, mark: string): OuterJob[] {
  const prefix = outerName(mark, "");
  return text.split("\n").flatMap((line): OuterJob[] => {
    const [id = "", name = "", state = "", end = "", host = "", ...rest] = line.trim().split("|");
    if (!name.startsWith(prefix) || !/^\d+$/.test(id)) return [];
    const node = name.slice(prefix.length);
    const reason = rest.join("|");
    const phase = WAITING.has(state) ? "waiting" : RUNNING.has(state) ? "running" : "over";
    return [
      {
        ...{ id, node, phase },
        why: phase === "waiting" ? reason || state : state,
        host: phase === "running" && host !== "n/a" ? host : "",
        endsAt: phase === "running" ? slurmTime(end) : null,
      },
    ];
  });
}

/** `2026-11-22T18:00:00` in UTC; `null` for `N/A` and for no limit. */
function slurmTime(text: string): number | null {
  const match = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)$/.exec(text);
  if (!match) return null;
  const [year = 0, month = 0, day = 0, hours = 0, minutes = 0, seconds = 0] = match.slice(1).map(Number);
  return civilMs({ year, month, day }) + ((hours * 60 + minutes) * 60 + seconds) * 1000;
}

/** What sinfo is asked for: CPUs, MiB, GRES, address. */
export const SINFO_FORMAT = "%c|%m|%G|%o";

interface SlurmNode {
  readonly cpus: number;
  readonly memoryMiB: number;
  readonly gpus: readonly { readonly type: string; readonly count: number }[];
  readonly address: string;
}

/** The kinds of nodes in sinfo's output. */
export function parseSinfo(text: string): SlurmNode[] {
  return text.split("\n").flatMap((line) => {
    const [cpus, memory, gres = "", address = ""] = line.trim().split("|");
    if (!cpus || !memory) return [];
    const gpus = [...gres.matchAll(/(?:^|,)gpu:(?:([^:,()]+):)?(\d+)/g)].map(([, type = "", count]) => {
      return { type: /^\d+$/.test(type) ? "" : type, count: Number(count) };
    });
    // More than one configuration: `8+` means at least.
    return [{ cpus: Number.parseInt(cpus, 10), memoryMiB: Number.parseInt(memory, 10), gpus, address }];
  });
}

/**
 * What an allocation gets that asks for some GPUs and says nothing else: the part of a node's CPUs and memory that these
 * GPUs are of its GPUs, on the smallest node that has them; `null` where none has.
 */
export function shareOf(
  nodes: readonly SlurmNode[],
  gpus: string,
): Pick<AllocationShape, "cpus" | "memoryMiB" | "gpus"> | null {
  const [, type = "", digits = "0"] = /^(?:([^:]+):)?(\d+)$/.exec(gpus) ?? [];
  const count = Number(digits);
  const shares = nodes.flatMap((node) => {
    if (count === 0) return [{ part: 1, node, gpus: "" }];
    const found = node.gpus.find((one) => (type === "" || one.type === type) && one.count >= count);
    const all = node.gpus.reduce((sum, one) => sum + one.count, 0);
    return found ? [{ part: count / all, node, gpus: found.type === "" ? digits : `${found.type}:${digits}` }] : [];
  });
  const sizes = shares.map(({ part, node, gpus: named }) => ({
    cpus: Math.max(1, Math.floor(part * node.cpus)),
    memoryMiB: Math.max(1, Math.floor(part * node.memoryMiB)),
    gpus: named,
  }));
  const [smallest] = sizes.sort((a, b) => a.cpus - b.cpus || a.memoryMiB - b.memoryMiB);
  if (!smallest) return null;
  // Where only one type has that many, it is what we get; where several do, which one stays open.
  const types = new Set(sizes.map((one) => one.gpus));
  return types.size === 1 ? smallest : { ...smallest, gpus };
}

/** Slurm's complaint as one line. */
export function slurmProblem(
  program: string,
  { code, stdout, stderr }: { code: number; stdout: string; stderr: string },
): string {
  const lines = `${stderr}\n${stdout}`.split("\n").map((line) => line.trim().replace(/^(\w+): (error|fatal): /, ""));
  const said = [...new Set(lines.filter((line) => line !== ""))].slice(0, 4).join("; ");
  return said === "" ? `${program} ended with code ${code}` : said;
}

/** Whether a complaint means that nobody answers, rather than no. */
export function isAway(problem: string): boolean {
  return /unable to contact slurm controller|connection refused|timed out|connection timed out|communication connection failure|socket timed out|zero bytes were transmitted|controller in standby|unable to establish|did not answer|unspecified error.*slurmctld/i.test(
    problem,
  );
}
