/**
 * Slurm's own commands: where they are, what they say, and how often they may be asked. Answers are kept for a while, and
 * shared by all who ask in this process: no question reaches Slurm's controller more often than is polite.
 */

import { RpcError } from "../../protocol/errors.ts";
import type { NodeRow } from "../../protocol/procedures.ts";
import { errnoText } from "../../util/errno.ts";
import { jobsOf, type SlurmJob } from "./jobs.ts";
import { nodeRows } from "./nodes.ts";
import { Refusal, type SlurmPlace, type SlurmPorts } from "./ports.ts";
import { listOf, objectOf, textOf } from "./values.ts";

/** Slurm's commands give a controller that is busy 100 s before they give it up; this is after that. */
const COMMAND_LIMIT_MS = 150_000;

/** Between two questions, milliseconds: what sites ask of those who poll. */
const POLITE_MS = 5000;

/** After an action of one's own its effect is looked for sooner, so many times. */
const EAGER_MS = 1000;
const EAGER_LOOKS = 5;

/** An answer that took long comes from a busy controller: the pause is so many times that. */
const PAUSE_FACTOR = 20;
const PAUSE_MS_MAX = 120_000;

/** What Slurm's commands say where its controller is not to be reached, whichever way. */
const AWAY =
  /unable to contact slurm controller|connection refused|socket timed out|slurm_load_\w+ error: (zero bytes|transport|invalid protocol)|slurm controller connect failure|communication connection failure|controller not responding/i;

const UNCONFIGURED =
  /could not establish a configuration source|failed to fetch config|unable to open slurm\.conf|unable to process configuration file/i;

/** What sacct says where slurmdbd is not to be reached: the controller and its queue may be well. */
const NO_DATABASE = /slurm_persist_conn|PersistInit|talking to the database|slurmdbd/i;

const PING = "mgpu-scontrol ping asks whether slurmctld runs; jobs that run go on without it";

/** An answer and when it was asked for, milliseconds of the monotonic clock. */
interface Kept<T> {
  readonly at: number;
  readonly value: Promise<T>;
  /** Slurm has not answered yet. */
  isOpen: boolean;
}

export class Slurm {
  readonly ports: SlurmPorts;
  readonly place: SlurmPlace;
  #jobs: Kept<readonly SlurmJob[]> | null = null;
  #nodes: Kept<readonly NodeRow[]> | null = null;
  /** Milliseconds that the last two questions took: one slow answer alone says nothing, it may have waited for a restart. */
  #lastMs: readonly [number, number] = [0, 0];
  #eagerLooks = 0;

  constructor(ports: SlurmPorts, place: SlurmPlace) {
    this.ports = ports;
    this.place = place;
  }

  /** Variables for Slurm's commands: ours, and the configuration that is meant. */
  environmentOf(environment: SlurmPorts["environment"]): Readonly<Record<string, string | undefined>> {
    const { conf } = this.place;
    return conf === "" ? environment : { ...environment, SLURM_CONF: conf };
  }

  /** The path of one of Slurm's commands, never a link to mgpu's own. @throws Refusal if there is none */
  command(name: string): string {
    const { programs, environment, launcherFolder } = this.ports;
    this.#checkConf(this.place.conf || environment.SLURM_CONF || "");
    const path = this.place.bin || environment.PATH || "/usr/local/bin:/usr/bin:/bin";
    const found = programs.find(name, path, launcherFolder);
    if (found !== null) return found;
    const where = this.place.bin === "" ? "along PATH" : `in ${this.place.bin}`;
    throw new Refusal(
      `Slurm is the cluster that is meant (${this.place.source}), but its command ${name} is not there ${where}`,
      "put the folder of Slurm's commands into PATH (on many sites: module load slurm), or choose another cluster with -M or mgpu use",
    );
  }

  /** Slurm's commands wait a minute for a configuration that is not there. @throws Refusal */
  #checkConf(path: string): void {
    if (path === "") return;
    try {
      this.ports.files.stat(path);
    } catch (error) {
      const from = this.place.conf === "" ? "SLURM_CONF" : this.place.source;
      throw new Refusal(`${from}: Slurm's configuration ${path} can't be read: ${errnoText(error)}`);
    }
  }

  /**
   * Runs one of Slurm's commands for what it prints.
   * @throws RpcError LOST_CONTACT if its controller can't be reached, INTERNAL with its own words for another failure
   */
  async ask(name: string, args: readonly string[]): Promise<string> {
    const { code, stdout, stderr } = await this.attempt(name, args);
    if (code === 0) return stdout;
    throw problemOf(name, stderr || stdout, code);
  }

  /** The same, whatever comes of it. @throws RpcError LOST_CONTACT */
  async attempt(name: string, args: readonly string[]): Promise<{ code: number; stdout: string; stderr: string }> {
    const { programs, clock } = this.ports;
    const file = this.command(name);
    const environment = { ...this.environmentOf(this.ports.environment), ...PLAIN };
    const began = clock.monotonic();
    const ran = await programs.run({ file, args, environment, limitMs: COMMAND_LIMIT_MS });
    const isGone = ran.code !== 0 && isAway(ran.stderr);
    // How long one that is away was waited for says nothing of its load.
    this.#lastMs = isGone ? [0, 0] : [this.#lastMs[1], clock.monotonic() - began];
    if (isGone) throw problemOf(name, ran.stderr, ran.code);
    return ran;
  }

  /** Milliseconds until Slurm may be asked the same again. */
  get pauseMs(): number {
    const tookMs = Math.min(...this.#lastMs);
    if (this.#eagerLooks > 0) return Math.max(EAGER_MS, tookMs);
    return Math.min(PAUSE_MS_MAX, Math.max(POLITE_MS, tookMs * PAUSE_FACTOR));
  }

  /** Something was changed by us: what was known is old, and the next looks come sooner. */
  changed(): void {
    this.#eagerLooks = EAGER_LOOKS;
    this.#jobs = null;
    this.#nodes = null;
  }

  /** All jobs that Slurm's controller knows, those that ended some minutes ago among them. */
  jobs(): Promise<readonly SlurmJob[]> {
    this.#jobs = this.#fresh(this.#jobs, () => this.#loadJobs());
    return this.#jobs.value;
  }

  /** All nodes. */
  nodes(): Promise<readonly NodeRow[]> {
    this.#nodes = this.#fresh(this.#nodes, () => this.#loadNodes());
    return this.#nodes.value;
  }

  #fresh<T>(kept: Kept<T> | null, load: () => Promise<T>): Kept<T> {
    const now = this.ports.clock.monotonic();
    // One that does not answer is not asked a second time meanwhile.
    if (kept && (kept.isOpen || now - kept.at < this.pauseMs)) return kept;
    const fresh: Kept<T> = { at: now, value: load(), isOpen: true };
    const close = (): void => {
      fresh.isOpen = false;
    };
    fresh.value.then(close, close);
    return fresh;
  }

  async #loadJobs(): Promise<readonly SlurmJob[]> {
    this.#eagerLooks = Math.max(0, this.#eagerLooks - 1);
    // The commands of 22.05 show every job with --json, later ones heed --states.
    const document = parseJson("squeue", await this.ask("squeue", ["--json", "--states=all"]));
    if (listOf(objectOf(document).errors).length > 0) this.#lastMs = [0, 0];
    refuseErrors(document);
    const jobs = jobsOf(document);
    return jobs.sort((a, b) => a.job.id - b.job.id);
  }

  async #loadNodes(): Promise<readonly NodeRow[]> {
    const text = await this.ask("scontrol", ["show", "node", "-d", "-o"]);
    return nodeRows(text, this.ports.clock.now());
  }
}

/** `scontrol show config`, by Slurm's names. */
export async function settingsOf(slurm: Slurm): Promise<ReadonlyMap<string, string>> {
  const text = await slurm.ask("scontrol", ["show", "config"]);
  const pairs = text.split("\n").flatMap((line): [string, string][] => {
    const [, key, value] = /^(\S+)\s+= (.*)$/.exec(line) ?? [];
    return key === undefined ? [] : [[key, (value ?? "").trim()]];
  });
  return new Map(pairs);
}

/** What a user's variables must not change of what we read. Times are seconds since 1970. */
const PLAIN: Readonly<Record<string, string | undefined>> = {
  SLURM_TIME_FORMAT: "%s",
  // Longer lists of an array's tasks would end in "...", and be no lists.
  SLURM_BITSTR_LEN: "0",
  SQUEUE_FORMAT: undefined,
  SQUEUE_FORMAT2: undefined,
  SQUEUE_STATES: undefined,
  SQUEUE_USERS: undefined,
  SQUEUE_PARTITION: undefined,
  SQUEUE_ACCOUNT: undefined,
  SQUEUE_NAMES: undefined,
  SQUEUE_QOS: undefined,
  SACCT_FORMAT: undefined,
  SLURM_CLUSTERS: undefined,
  LC_ALL: "C.UTF-8",
};

/** A document of Slurm's. @throws RpcError for what is none: a Slurm without its JSON serializer */
function parseJson(command: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new RpcError(
      "BAD_RESULT",
      `${command} --json of this Slurm gave no JSON`,
      "mgpu reads Slurm 21.08 and later, built with its JSON serializer",
    );
  }
}

/** With --json squeue of 22.05 ends well without its controller: only the document tells. @throws RpcError LOST_CONTACT */
function refuseErrors(document: unknown): void {
  const [first] = listOf(objectOf(document).errors);
  if (first === undefined) return;
  const { description, error } = objectOf(first);
  const said = [textOf(description), textOf(error)].filter((text) => text !== "").join(": ");
  throw new RpcError("LOST_CONTACT", `Slurm's controller does not answer: ${said}`, PING);
}

/** Whether Slurm's words mean that its controller can't be reached. */
function isAway(words: string): boolean {
  return (AWAY.test(words) && !NO_DATABASE.test(words)) || UNCONFIGURED.test(words);
}

/** Whether Slurm's words mean that only its accounting can't be reached. */
export function isWithoutDatabase(words: string): boolean {
  return NO_DATABASE.test(words) && AWAY.test(words);
}

/** What a failed command of Slurm's said, as an error of ours. */
export function problemOf(name: string, words: string, code: number): RpcError {
  const lines = words.split("\n").filter((line) => line.trim() !== "");
  const said = lines.at(-1) ?? `it ended with exit code ${code}`;
  if (UNCONFIGURED.test(words)) {
    const hint = "SLURM_CONF names its slurm.conf; or is this machine a client of that cluster at all?";
    return new RpcError("LOST_CONTACT", `Slurm has no configuration here: ${said}`, hint);
  }
  if (isWithoutDatabase(words)) {
    const hint =
      "jobs of the queue are seen without it: mgpu-squeue; sacctmgr ping, on some sites, tells whether it runs";
    return new RpcError("LOST_CONTACT", `Slurm's accounting (slurmdbd) does not answer: ${said}`, hint);
  }
  if (isAway(words)) return new RpcError("LOST_CONTACT", `Slurm's controller does not answer: ${said}`, PING);
  return new RpcError("INTERNAL", `Slurm's ${name}: ${said}`);
}
