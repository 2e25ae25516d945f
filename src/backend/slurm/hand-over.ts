/** Commands that Slurm has itself: its own run in their place, with our terminal, after what only mgpu has was translated. */

import type { SlurmPlace, SlurmPorts } from "./ports.ts";
import { Slurm } from "./slurm.ts";

/** An option as far as its words are to be told apart. */
export interface OptionShape {
  readonly long: string;
  readonly short?: string;
  readonly aliases?: readonly string[];
  readonly argument: "none" | "required" | "optional";
}

/** A command as it was typed. */
export interface Order {
  /** Slurm's name of it: `srun`. */
  readonly name: string;
  readonly argv: readonly string[];
  readonly options: readonly OptionShape[];
  /** Whether the first operand ends the options. */
  readonly stops: boolean;
  /** The cluster's profile, whose -M is not for Slurm; empty where there is none. */
  readonly profile: string;
}

/** What is to be run instead. */
export interface Replacement {
  readonly argv: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
}

/** Works out what to run. @throws Refusal for what can't be said in Slurm, all of it at once */
export async function handOver(ports: SlurmPorts, place: SlurmPlace, order: Order): Promise<Replacement> {
  const slurm = new Slurm(ports, place);
  const file = slurm.command(order.name);
  const argv = [file, ...withoutProfile(order)];
  return { argv: withHangup(argv, slurm.environment), environment: usersEnvironment(slurm.environment) };
}

/** What nohup made ignored stays so: a shell between us and the command has to say it again. */
function withHangup(argv: readonly string[], { MGPU_HANGUP_IGNORED }: Variables): readonly string[] {
  return MGPU_HANGUP_IGNORED === undefined ? argv : ["/bin/sh", "-c", 'trap \'\' HUP; exec "$0" "$@"', ...argv];
}

type Variables = Readonly<Record<string, string | undefined>>;

/** What our launchers set, which is nothing of the user's. */
const LAUNCHERS: ReadonlySet<string> = new Set([
  ...["MGPU_PROGRAM", "MGPU_NODE_EXTRA_CA_CERTS", "MGPU_HANGUP_IGNORED", "MGPU_ODD_VARIABLES"],
]);

/** The environment as the user's shell had it: the launchers' changes undone, exported functions put back. */
function usersEnvironment(environment: Variables): Record<string, string> {
  const own = Object.entries(environment).filter(([name]) => !LAUNCHERS.has(name));
  const { MGPU_NODE_EXTRA_CA_CERTS: certificates, MGPU_ODD_VARIABLES: odd } = environment;
  if (certificates) own.push(["NODE_EXTRA_CA_CERTS", certificates]);
  const bytes = Uint8Array.from(atob(odd ?? ""), (letter) => letter.charCodeAt(0));
  for (const pair of new TextDecoder().decode(bytes).split("\0")) {
    const equals = pair.indexOf("=");
    if (equals > 0) own.push([pair.slice(0, equals), pair.slice(equals + 1)]);
  }
  return Object.fromEntries(own.filter((pair): pair is [string, string] => pair[1] !== undefined));
}

/** The words without those that name a profile of ours. */
function withoutProfile({ argv, profile }: Order): string[] {
  if (profile === "") return [...argv];
  const words: string[] = [];
  for (let at = 0; at < argv.length; at++) {
    const word = argv[at] ?? "";
    const isSplit = /^(-M|--clusters?)$/.test(word) && argv[at + 1] === profile;
    if (isSplit) at += 1;
    else if (word !== `-M${profile}` && !/^--clusters?=/.test(word)) words.push(word);
    else if (!word.endsWith(profile)) words.push(word);
  }
  return words;
}
