/** `scontrol show config`, and the words for what a cluster of mgpu has not. */

import { formatTimestamp } from "../../../core/time.ts";
import { ping } from "./others.ts";
import type { Scope } from "./scope.ts";

/** Width of the longest keys of Slurm but a few. */
const KEY_WIDTH = 23;

/** All keys, or those that begin like the word. */
export async function showConfig(words: readonly string[], scope: Scope): Promise<number> {
  const { stdio, utcOffsetMinutes } = scope.context;
  const wanted = words[0]?.toLowerCase() ?? "";
  const peer = await scope.peer("slurm_load_ctl_conf error");
  const { values, now } = await peer.call("config.show", {});
  const lines = values
    .filter(({ key }) => key.toLowerCase().startsWith(wanted))
    .map(({ key, value }) => `${key.padEnd(KEY_WIDTH)} = ${value}\n`);
  stdio.out(`Configuration data as of ${formatTimestamp(now, utcOffsetMinutes)}\n${lines.join("")}\n`);
  return ping([], scope);
}

/** Which daemons of Slurm's should run on this machine. */
export async function showDaemons(_words: readonly string[], scope: Scope): Promise<number> {
  const { context } = scope;
  // Slurm reads its configuration file; here the controller alone knows, and without it there is no answer.
  const peer = await scope.peer("slurm_load_ctl_conf error");
  const { daemons } = await peer.call("controller.status", {});
  const { nodes } = await peer.call("nodes.list", {});
  const isHere = nodes.some(({ inventory }) => inventory.hostname === context.hostname);
  const names = ["slurmctld", ...(isHere || daemons.some(({ daemon }) => daemon === "mgpud") ? ["slurmd"] : [])];
  context.stdio.out(`${names.join(" ")}\n`);
  return 0;
}

/** The same list that it was given: node names are the machines' names here. */
export async function showAliases(words: readonly string[], { context }: Scope): Promise<number> {
  if (words[0] !== undefined) context.stdio.out(`${words[0]}\n`);
  return 0;
}

/** What a cluster of mgpu never has, told with Slurm's exit code. */
export function showNothing(
  complaint: string,
  text: string,
  isError = false,
): (words: readonly string[], scope: Scope) => Promise<number> {
  return async (_words, scope) => {
    await scope.peer(complaint);
    if (isError) scope.error(text);
    else if (text !== "" && !scope.show.quiet) scope.context.stdio.out(`${text}\n`);
    return 0;
  };
}
