/** mgpu login, logout, use: the clusters of other machines that this user has keys for. */

import { formatProfiles, isSlurmProfile, type Profile, type Profiles, profilesFile } from "../../config/profiles.ts";
import { type Invitation, parseInvitation } from "../../protocol/identity.ts";
import { errnoText } from "../../util/errno.ts";
import { textTable } from "../../view/text-table.ts";
import { type Command, type CommandContext, UserError } from "../context.ts";
import type { ParsedOptions } from "../option.ts";
import { readProfiles } from "../target.ts";
import { EXIT_USAGE, refuseWords } from "../usage.ts";

const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/;

export const login: Command = {
  name: "mgpu login",
  summary:
    "Store a key for a cluster on another machine, or a cluster of Slurm's; without a word, list the clusters that there are",
  synopsis: "[OPTIONS...] [NAME=host:port#key | NAME=slurm[:/path/slurm.conf]]",
  options: [
    { long: "no-default", argument: "none", help: "commands go on to speak to the cluster that they speak to now" },
    { long: "json", argument: "none", help: "print the list as JSON" },
  ],
  operands: "permute",
  examples: [
    "mgpu login lab=gpu0:7411#user/ada/1:5f0c...",
    "mgpu-squeue -M lab",
    "mgpu login",
    "mgpu login centre=slurm",
  ],
  async run(parsed, context) {
    const [line, ...more] = parsed.operands;
    refuseWords(more);
    if (line === undefined) return listProfiles(parsed, context);
    const before = readProfiles(context);
    const isDefault = !parsed.values.has("no-default");
    const slurm = slurmLine(line);
    if (slurm) return loginSlurm(slurm, before, isDefault, context);
    const { name, invitation } = readLine(line);
    const { peer } = await context.remote(invitation);
    const { clusterName } = await peer.call("controller.status", {}).finally(() => peer.close());
    const profile = name || clusterName;
    const { target, identity, key } = invitation;
    const clusters = { ...before.clusters, [profile]: { target, identity, key } };
    store(context, { default: isDefault ? profile : before.default, clusters });
    context.stdio.out(`${profile}: ${identity} at ${target}; ${meaningOf(profile, isDefault)}\n`);
    return 0;
  },
};

function meaningOf(profile: string, isDefault: boolean): string {
  return isDefault ? "commands speak to it from now on; mgpu use local goes back" : `commands take -M ${profile}`;
}

/** `centre=slurm`, `centre=slurm:/etc/slurm/slurm.conf`; `null` for a line of mgpu key issue's. */
function slurmLine(line: string): { readonly name: string; readonly profile: Profile } | null {
  const [, name, conf] = /^([^=#]+)=slurm(?::(.*))?$/s.exec(line) ?? [];
  if (name === undefined) return null;
  if (name === "local" || !NAME.test(name)) throw badName(name);
  if (conf !== undefined && !conf.startsWith("/")) {
    throw new UserError(`${line}: expected the absolute path of a slurm.conf, got "${conf}"`, undefined, EXIT_USAGE);
  }
  return { name, profile: conf === undefined ? { backend: "slurm" } : { backend: "slurm", conf } };
}

/** Keeps a cluster of Slurm's, once it has answered. */
async function loginSlurm(
  { name, profile }: { readonly name: string; readonly profile: Profile },
  before: Profiles,
  isDefault: boolean,
  context: CommandContext,
): Promise<number> {
  const clusters = { ...before.clusters, [name]: profile };
  store(context, { ...before, clusters });
  context.chooseCluster(name);
  try {
    const { peer } = await context.connect({ start: false });
    await peer.call("controller.status", {}).finally(() => peer.close());
  } catch (error) {
    store(context, before);
    throw error;
  }
  store(context, { default: isDefault ? name : before.default, clusters });
  context.stdio.out(`${name}: ${placeOf(profile)}; ${meaningOf(name, isDefault)}\n`);
  return 0;
}

function placeOf(profile: Profile): string {
  if (!isSlurmProfile(profile)) return profile.target;
  return profile.conf === undefined ? "Slurm" : `Slurm of ${profile.conf}`;
}

export const logout: Command = {
  name: "mgpu logout",
  summary: "Forget the key of a cluster",
  synopsis: "[OPTIONS...] NAME",
  options: [],
  operands: "permute",
  examples: ["mgpu logout lab"],
  async run({ operands }, context) {
    const name = oneName(operands, "mgpu logout lab");
    const { clusters, default: chosen } = known(context, name);
    const { [name]: _, ...others } = clusters;
    store(context, { default: chosen === name ? null : chosen, clusters: others });
    const gone = clusters[name];
    const key = gone && isSlurmProfile(gone) ? "" : "; mgpu key revoke on its controller's machine makes the key void";
    context.stdio.out(`${name} is forgotten here${key}\n`);
    return 0;
  },
};

export const use: Command = {
  name: "mgpu use",
  summary: "Choose the cluster that commands speak to: one of mgpu login, or local for mgpu on this machine",
  synopsis: "[OPTIONS...] NAME",
  options: [],
  operands: "permute",
  examples: ["mgpu use lab", "mgpu use local"],
  async run({ operands }, context) {
    const name = oneName(operands, "mgpu use lab");
    const profiles = name === "local" ? readProfiles(context) : known(context, name);
    store(context, { ...profiles, default: name === "local" ? null : name });
    const what = name === "local" ? "mgpu on this machine" : nameAndPlace(name, profiles);
    const variable = context.environment.MGPU_CONTROLLER ? "; MGPU_CONTROLLER is set here and comes first" : "";
    context.stdio.out(`commands speak to ${what}${variable}\n`);
    return 0;
  },
};

function listProfiles(parsed: ParsedOptions, context: CommandContext): number {
  const { clusters, default: chosen } = readProfiles(context);
  const entries = Object.entries(clusters);
  if (parsed.values.has("json")) {
    const rows = entries.map(([name, one]) => ({ name, ...withoutKey(one), default: name === chosen }));
    context.stdio.out(`${JSON.stringify({ clusters: rows }, null, 2)}\n`);
  } else if (entries.length === 0) {
    context.stdio.out(
      "no keys of other clusters here; mgpu key issue NAME on a controller's machine prints a line for mgpu login\n",
    );
  } else {
    const rows = entries.map(([name, one]) => [
      ...[name, placeOf(one), isSlurmProfile(one) ? "" : one.identity],
      name === chosen ? "yes" : "no",
    ]);
    context.stdio.out(textTable(["CLUSTER", "CONTROLLER", "KEY", "DEFAULT"], rows));
  }
  return 0;
}

function nameAndPlace(name: string, { clusters }: Profiles): string {
  const profile = clusters[name];
  return profile ? `${name} at ${placeOf(profile)}` : name;
}

/** What may be shown. */
function withoutKey(profile: Profile): Readonly<Record<string, string>> {
  if (isSlurmProfile(profile)) return { ...profile };
  return { target: profile.target, identity: profile.identity };
}

function badName(name: string): UserError {
  return new UserError(
    `a cluster can't be called "${name}"`,
    "letters, digits, '.', '_' and '-'; local is this machine",
    EXIT_USAGE,
  );
}

function readLine(line: string): { readonly name: string; readonly invitation: Invitation } {
  const [, name = "", rest = ""] = /^(?:([^=#]*)=)?(.*)$/s.exec(line) ?? [];
  const invitation = parseInvitation(rest);
  const hint = "paste the whole line that mgpu key issue printed: NAME=host:port#user/ada/1:...";
  if (!invitation) throw new UserError("the key can't be read", hint, EXIT_USAGE);
  if (name === "local" || (name !== "" && !NAME.test(name))) {
    throw badName(name);
  }
  if (invitation.identity.startsWith("join/") || invitation.identity.startsWith("node/")) {
    throw new UserError(
      "that key is for a machine that joins",
      `mgpu join ${rest.replace(/#.*/s, "#...")} is for it`,
      EXIT_USAGE,
    );
  }
  return { name, invitation };
}

function oneName(operands: readonly string[], example: string): string {
  const [name, ...more] = operands;
  if (name !== undefined && more.length === 0) return name;
  throw new UserError("expected the name of one cluster", `for example: ${example}`, EXIT_USAGE);
}

function known(context: CommandContext, name: string): Profiles {
  const profiles = readProfiles(context);
  if (Object.hasOwn(profiles.clusters, name)) return profiles;
  throw new UserError(`no cluster is called "${name}" here`, "mgpu login lists them");
}

function store({ files, environment }: CommandContext, profiles: Profiles): void {
  const { path } = profilesFile(environment);
  try {
    files.replace(path, new TextEncoder().encode(formatProfiles(profiles)));
  } catch (error) {
    throw new UserError(`${path} can't be written: ${errnoText(error)}`);
  }
}
