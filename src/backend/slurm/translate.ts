/**
 * What only mgpu has, said in Slurm's words: parts of GPUs as shards or MPS, GPUs by model, Python's environments, starting
 * again, notices. What Slurm can't say is refused with the reason, all of it at once. Pure.
 */

import type { Activation } from "../../core/activation.ts";
import { parseNodeGpuIds } from "../../core/gpu-bind.ts";
import { parseGpuWishes } from "../../core/gres.ts";
import { fold } from "../../core/hostlist.ts";
import { type ModelTable, needOf } from "../../core/models.ts";
import { type NoticeTarget, noticeTarget, parseNotify } from "../../core/notice.ts";
import { parseMemory } from "../../core/parse.ts";
import { WHOLE_GPU } from "../../core/resources.ts";
import { nodeGres } from "./gres.ts";
import type { Token } from "./words.ts";

/** What a cluster gives parts of GPUs as: so many of a kind for each GPU. */
export interface Shares {
  readonly kind: "shard" | "mps";
  readonly perGpu: number;
}

/** What of the cluster and the configuration a translation may need. */
export interface Facts {
  /** `null` where the cluster gives whole GPUs only. */
  readonly shares: Shares | null;
  readonly models: ModelTable;
  /** MiB of each GPU, as MGPU_SLURM_GPU_MEMORY says; 0 where it says nothing. */
  readonly gpuMemoryMiB: number;
}

/** What is to be put around the program or script. */
export interface Plan {
  readonly retries: number;
  readonly notices: readonly NoticeTarget[];
  readonly activation: Activation | null;
}

export interface Translated {
  readonly words: readonly string[];
  readonly plan: Plan;
  readonly problems: readonly string[];
  /** What is said of it on stderr. */
  readonly notes: readonly string[];
}

/** Slurm starts a requeued job again after that many seconds; measured with 22.05 (its credentials must expire). */
const REQUEUE_WAIT_S = 120;

const COUNTED = "Slurm counts shares for each node";
const SAY_TASKS = "--ntasks-per-node says how many";

/** Options that only mgpu has and Slurm has nothing for. */
const REFUSED: Readonly<Record<string, string>> = {
  "allowed-gpus": "Slurm chooses the GPUs of a node by itself",
  "detach-keys": "it is for mgpu-srun --pty from a terminal, which can be left and come back to",
  "session-timeout": "--time is Slurm's limit of a session",
  "connection-timeout": "srun keeps to MessageTimeout of slurm.conf",
  "max-wait-time": "srun says nothing of a silent job",
  "max-consecutive-timeouts": "srun says nothing of a silent job",
  "exit-on-silence": "srun says nothing of a silent job",
  "inactivity-timeout": "it is for mgpu-srun --pty from a terminal; --time limits any job",
  each: "sbatch takes one script: call mgpu-sbatch once for each",
  progress: "sbatch can't follow a job: mgpu logs -f JOB does",
};

/** Options whose value may be a part of a GPU, and where its GRES goes: all on one node, or on each. */
const GPU_OPTIONS: ReadonlySet<string> = new Set(["gpus", "gpus-per-node", "gpus-per-task", "gpus-per-socket", "gres"]);

/** Whether a translation needs to know of the cluster's shares. */
export function needsShares(tokens: readonly Token[]): boolean {
  return (
    tokens.some(({ long, value }) => long === "gpu-mem" || (GPU_OPTIONS.has(long) && /\d*\.\d/.test(value))) ||
    needsModels(tokens)
  );
}

/** Whether it needs the configuration's models. */
export function needsModels(tokens: readonly Token[]): boolean {
  return tokens.some(({ long }) => long === "model");
}

/** What a cluster's nodes (`scontrol show node -o`) give parts of GPUs as; the least of them where they differ. */
export function sharesOf(lines: readonly string[]): Shares | null {
  for (const kind of ["shard", "mps"] as const) {
    const perGpu = lines.flatMap((line) => {
      const gres = nodeGres(/\bGres=(\S+)/.exec(line)?.[1] ?? "");
      const sum = (of: string): number => gres.reduce((total, one) => (one.kind === of ? total + one.count : total), 0);
      return sum(kind) > 0 && sum("gpu") > 0 ? [Math.floor(sum(kind) / sum("gpu"))] : [];
    });
    if (perGpu.length > 0) return { kind, perGpu: Math.min(...perGpu) };
  }
  return null;
}

/**
 * Translates the options of a submitting command.
 * @param beside options that Slurm reads for itself: those of variables, then those of the script
 */
export function translate(
  name: string,
  tokens: readonly Token[],
  facts: Facts,
  beside: readonly Token[] = [],
): Translated {
  const translation = new Translation(name, tokens, facts, beside);
  for (const token of tokens) translation.take(token);
  return translation.end();
}

class Translation {
  readonly #name: string;
  readonly #facts: Facts;
  /** What was typed stands above what stands beside it. */
  readonly #all: readonly Token[];
  readonly #words: string[] = [];
  readonly #problems: string[] = [];
  readonly #notes: string[] = [];
  #retries = 0;
  #notices: readonly NoticeTarget[] = [];
  #activation: Activation | null = null;

  constructor(name: string, tokens: readonly Token[], facts: Facts, beside: readonly Token[]) {
    this.#name = name;
    this.#all = [...beside, ...tokens];
    this.#facts = facts;
  }

  take(token: Token): void {
    const { long, value, words } = token;
    const refused = REFUSED[long];
    if (refused !== undefined) this.#refuse(long, refused);
    else if (GPU_OPTIONS.has(long)) this.#gpus(token);
    else if (this.#takeOwn(long, value)) return;
    else this.#words.push(...words);
  }

  end(): Translated {
    const plan = { retries: this.#retries, notices: this.#notices, activation: this.#activation };
    return { words: this.#words, plan, problems: this.#problems, notes: this.#notes };
  }

  /** @returns false for options that Slurm has too */
  #takeOwn(long: string, value: string): boolean {
    switch (long) {
      case "no-pty":
        return true;
      case "pty":
        if (this.#name !== "sbatch") return false;
        this.#refuse(long, "a batch job of Slurm's has no terminal: srun --pty within an allocation has");
        return true;
      case "on-disconnect":
        if (value !== "kill")
          this.#refuse(long, "Slurm ends a job whose srun is gone; mgpu-srun --pty from a terminal keeps it");
        return true;
      case "model":
        this.#model(value);
        return true;
      case "gpu-mem":
        this.#gpuMemory(value);
        return true;
      case "node-gpu-ids":
        this.#nodeGpus(value);
        return true;
      case "conda-env":
      case "venv":
        this.#activate(long, value);
        return true;
      case "retries":
      case "retry-wait":
        this.#retry(long, value);
        return true;
      case "notify":
        this.#notify(value);
        return true;
      default:
        return false;
    }
  }

  #refuse(long: string, why: string): void {
    this.#problems.push(`--${long} can't be said to Slurm: ${why}`);
  }

  #has(...names: readonly string[]): boolean {
    return this.#all.some(({ long }) => names.includes(long));
  }

  /** The number that an option was given; `null` for none, or for a range. */
  #count(name: string): number | null {
    const value = this.#all.findLast(({ long }) => long === name)?.value ?? "";
    return /^\d+$/.test(value) ? Number(value) : null;
  }

  /** Tasks of each node; `null` where Slurm may put more on one node than on another. */
  #tasksPerNode(): number | null {
    if (this.#has("ntasks-per-node")) return this.#count("ntasks-per-node");
    if (this.#has("ntasks-per-gpu", "ntasks-per-socket", "ntasks-per-core")) return null;
    if (!this.#has("ntasks")) return 1;
    const tasks = this.#count("ntasks");
    const nodes = this.#has("nodes") ? this.#count("nodes") : null;
    return tasks === 1 || nodes === 1 ? tasks : nodes !== null && nodes === tasks ? 1 : null;
  }

  /** Whole GPUs as they are; a part of one as shards or MPS of a job on one node. */
  #gpus({ long, value, words }: Token): void {
    const text = long === "gres" ? value.replace(/^(gres[:/])?gpu:?/, "") : value;
    if (!/\d*\.\d/.test(text)) {
      this.#words.push(...words);
      return;
    }
    const wishes = parseGpuWishes(text);
    if ("problem" in wishes) {
      this.#problems.push(`--${long}: ${wishes.problem}`);
      return;
    }
    const [wish, ...others] = wishes.value;
    if (!wish || others.length > 0) this.#refuse(long, "only one kind of GPU can be shared in a job");
    else if (wish.type !== null)
      this.#refuse(long, "shares have no type there; --constraint may name the nodes that have it");
    else this.#share(long, wish.thousandths);
  }

  #share(long: string, thousandths: number): void {
    const { shares } = this.#facts;
    if (shares === null) {
      this.#refuse(long, "this cluster gives whole GPUs only: its nodes have neither shards nor MPS (GresTypes)");
    } else if (thousandths > WHOLE_GPU) {
      this.#refuse(long, "a job there has whole GPUs, or a part of one, and never both");
    } else {
      const tasks = long === "gpus-per-task" ? this.#tasksPerNode() : 1;
      if (tasks === null) this.#refuse(long, `${COUNTED} where it is known how many tasks each has: ${SAY_TASKS}`);
      else if (tasks * thousandths > WHOLE_GPU) {
        this.#refuse(
          long,
          `${COUNTED}, and those of a job lie on one GPU there: ${tasks} tasks want more. ${SAY_TASKS}`,
        );
      } else this.#pushShares(long, shares, tasks, thousandths);
    }
  }

  #pushShares(long: string, { kind, perGpu }: Shares, tasks: number, thousandths: number): void {
    const count = tasks * Math.max(1, Math.ceil((thousandths * perGpu) / WHOLE_GPU));
    const ofAll = tasks > 1 ? `, for the ${tasks} tasks of each node` : "";
    this.#words.push(`--gres=${kind}:${count}`);
    this.#notes.push(`--${long}: ${count} of the ${perGpu} shares (${kind}) of a GPU${ofAll}`);
  }

  /** Without GPUs asked for, the part of one that has the memory. */
  #gpuMemory(value: string): void {
    const memory = parseMemory(value);
    const { gpuMemoryMiB } = this.#facts;
    if ("problem" in memory) {
      this.#problems.push(`--gpu-mem: ${memory.problem}`);
    } else if (gpuMemoryMiB === 0) {
      this.#refuse("gpu-mem", "Slurm does not know what memory its GPUs have; set MGPU_SLURM_GPU_MEMORY=80G to say it");
    } else if (memory.value > gpuMemoryMiB) {
      this.#refuse("gpu-mem", `its GPUs have ${gpuMemoryMiB} MiB (MGPU_SLURM_GPU_MEMORY)`);
    } else if (!this.#has(...GPU_OPTIONS, "model")) {
      this.#share("gpu-mem", Math.ceil((memory.value * WHOLE_GPU) / gpuMemoryMiB));
    }
  }

  #model(model: string): void {
    if (this.#has(...GPU_OPTIONS)) {
      this.#notes.push(`the options for GPUs go above --model ${model}`);
      return;
    }
    const need = needOf(this.#facts.models, model);
    if (need === null) {
      const known = Object.keys(this.#facts.models.models).join(", ");
      const which = known === "" ? "models: of mgpu's configuration is empty here" : `known are ${known}`;
      this.#problems.push(`--model: nobody knows how many GPUs ${model} needs; ${which}`);
      return;
    }
    this.#notes.push(`model ${model} gets --gpus=${need.gpus}`);
    this.#gpus({ long: "gpus", value: need.gpus, words: [`--gpus=${need.gpus}`] });
  }

  #nodeGpus(value: string): void {
    const parsed = parseNodeGpuIds(value);
    if ("problem" in parsed) {
      this.#problems.push(`--node-gpu-ids: ${parsed.problem}`);
      return;
    }
    const counts = new Set(parsed.value.map(({ indices }) => indices.length));
    const [count] = counts;
    if (counts.size !== 1 || count === undefined) {
      this.#refuse("node-gpu-ids", "a job of Slurm's has as many GPUs on each of its nodes");
      return;
    }
    const nodes = parsed.value.map(({ node }) => node);
    this.#words.push(`--nodelist=${fold(nodes)}`, `--nodes=${nodes.length}`, `--gres=gpu:${count}`);
    this.#notes.push(`--node-gpu-ids: ${count} GPUs on each of ${fold(nodes)}; which of them they are, Slurm chooses`);
  }

  #activate(long: "conda-env" | "venv", value: string): void {
    if (this.#name === "salloc") this.#refuse(long, "salloc's shell runs here: activate it there");
    else if (long === "venv" && !value.startsWith("/"))
      this.#refuse(long, `an absolute path is wanted, got "${value}"`);
    else this.#activation = { kind: long === "venv" ? "venv" : "conda", name: value };
  }

  #retry(long: string, value: string): void {
    if (!/^\d{1,6}$/.test(value)) this.#problems.push(`--${long}: expected a whole number, got "${value}"`);
    else if (long === "retries") this.#retries = Number(value);
    else if (Number(value) > REQUEUE_WAIT_S) {
      this.#refuse(long, `Slurm itself starts a requeued job again after ${REQUEUE_WAIT_S} s`);
    }
  }

  #notify(value: string): void {
    const parsed = parseNotify(value);
    if ("problem" in parsed) this.#problems.push(`--notify: ${parsed.problem}`);
    else if (this.#name !== "sbatch")
      this.#refuse("notify", "it goes around a batch script; --mail-user is for all jobs");
    else if (parsed.value.includes("desktop")) this.#refuse("notify", "desktop: nobody waits here for the job's end");
    else this.#notices = parsed.value.flatMap((one) => noticeTarget(one) ?? []);
  }
}
