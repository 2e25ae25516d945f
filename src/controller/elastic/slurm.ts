/** Slurm as a lender of machines: its own commands, run with as little around them as they need. */

import type { ManagerPlace } from "../../core/elastic/records.ts";
import type { BatchPrograms } from "../../platform/batch-programs.ts";
import {
  type BatchManager,
  type Completed,
  type Draft,
  ManagerAway,
  type Order,
  type OuterJob,
  type Submission,
} from "./manager.ts";
import {
  allocationFiles,
  isAway,
  parseSinfo,
  parseSqueue,
  type ScriptFacts,
  SINFO_FORMAT,
  SQUEUE_FORMAT,
  shareOf,
  slurmArgProblems,
  slurmProblem,
  slurmScript,
} from "./slurm-text.ts";

export interface SlurmPorts {
  readonly programs: BatchPrograms;
  /** Whether an address of a node is this machine. */
  isHere(address: string): boolean;
  facts(): ScriptFacts;
  /** Writes a file that only its user can read, and its folder. */
  write(path: string, text: string): Promise<void>;
  remove(path: string): Promise<void>;
}

type Wish = Parameters<BatchManager["complete"]>[0];

type Ended = { readonly code: number; readonly stdout: string; readonly stderr: string };

/** Nothing is run before it is asked for something. */
export class SlurmManager implements BatchManager {
  readonly title = "Slurm";
  readonly argProblems = slurmArgProblems;
  readonly #ports: SlurmPorts;

  constructor(ports: SlurmPorts) {
    this.#ports = ports;
  }

  problem(place: ManagerPlace): string {
    const { programs } = this.#ports;
    return programs.find("sbatch", place.path) === null ? missing("sbatch", programs, place) : "";
  }

  draft(order: Order): Draft {
    const { programs, facts } = this.#ports;
    const { place, args } = order.queue;
    const { script: path } = allocationFiles(facts().folder, order.node);
    const sbatch = programs.find("sbatch", place.path) ?? "sbatch";
    return { script: slurmScript(order, facts()), argv: [sbatch, "--parsable", ...args, path] };
  }

  async complete({ cpus, memoryMiB, gpus, timeS }: Wish, place: ManagerPlace): Promise<Completed> {
    const nodes = parseSinfo(await this.#ask("sinfo", ["-h", "-o", SINFO_FORMAT], place));
    const share = shareOf(nodes, gpus);
    if (share === null) {
      const all = nodes.flatMap((node) =>
        node.gpus.map(({ type, count }) => `${type === "" ? "" : `${type}:`}${count}`),
      );
      const found = [...new Set(all)].join(", ");
      throw new Error(
        `no node of Slurm has --gpus ${gpus}${found === "" ? ": none has GPUs" : `; nodes have ${found}`}`,
      );
    }
    const shape = { cpus: cpus ?? share.cpus, memoryMiB: memoryMiB ?? share.memoryMiB, gpus: share.gpus, timeS };
    return { shape, isFar: nodes.some(({ address }) => !this.#ports.isHere(address)) };
  }

  async test(order: Order): Promise<{ readonly isTaken: boolean; readonly text: string }> {
    const { remove, facts } = this.#ports;
    try {
      const ended = await this.#run("sbatch", ["--test-only", ...(await this.#prepare(order))], order.queue.place);
      const text = slurmProblem("sbatch", ended).replace(/^sbatch: /, "");
      if (ended.code !== 0 && isAway(text)) throw new ManagerAway(text);
      return { isTaken: ended.code === 0, text };
    } finally {
      await remove(allocationFiles(facts().folder, order.node).script);
    }
  }

  async submit(order: Order): Promise<Submission> {
    try {
      const ended = await this.#run("sbatch", await this.#prepare(order), order.queue.place);
      const id = /^(\d+)(?:;.*)?$/m.exec(ended.stdout.trim())?.[1];
      if (ended.code === 0 && id !== undefined) return { type: "submitted", id };
      const problem = slurmProblem("sbatch", ended);
      return { type: ended.code !== 0 && !isAway(problem) ? "refused" : "unsure", problem };
    } catch (error) {
      return { type: "unsure", problem: (error as Error).message };
    }
  }

  async list(place: ManagerPlace): Promise<readonly OuterJob[]> {
    const text = await this.#ask("squeue", ["-h", "-a", "--me", "-t", "all", "-o", SQUEUE_FORMAT], place);
    return parseSqueue(text, this.#ports.facts().mark);
  }

  async cancel(id: string, place: ManagerPlace): Promise<void> {
    await this.#run("scancel", ["--quiet", id], place).catch(() => {});
  }

  /** Puts the script in its place; the arguments of sbatch. */
  async #prepare(order: Order): Promise<readonly string[]> {
    const { script, argv } = this.draft(order);
    await this.#ports.write(allocationFiles(this.#ports.facts().folder, order.node).script, script);
    return argv.slice(1);
  }

  /** @throws ManagerAway unless it succeeds */
  async #ask(name: string, args: readonly string[], place: ManagerPlace): Promise<string> {
    const ended = await this.#run(name, args, place);
    if (ended.code === 0) return ended.stdout;
    throw new ManagerAway(slurmProblem(name, ended));
  }

  /** @throws ManagerAway where it can't be run, or does not end in time */
  async #run(name: string, args: readonly string[], place: ManagerPlace): Promise<Ended> {
    const { programs } = this.#ports;
    const path = programs.find(name, place.path);
    if (path === null) throw new ManagerAway(missing(name, programs, place));
    const result = await programs.run(path, args, { ...place.variables, TZ: "UTC" });
    if (result.outcome === "ended") return result;
    throw new ManagerAway(result.outcome === "missing" ? missing(name, programs, place) : result.problem);
  }
}

function missing(name: string, programs: BatchPrograms, { path }: ManagerPlace): string {
  const where = path === undefined ? "the controller's PATH" : "your PATH, nor on the controller's";
  return `there is no ${name} of Slurm's on ${where} (${path ?? programs.path}): put its folder there`;
}
