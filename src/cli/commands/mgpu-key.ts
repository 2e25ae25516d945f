/** mgpu key: keys for people and machines: given out, listed, replaced, made void. */

import { formatTimestamp } from "../../core/time.ts";
import { formatInvitation } from "../../protocol/identity.ts";
import type { Peer } from "../../rpc/types.ts";
import { textTable } from "../../view/text-table.ts";
import { type Command, type CommandContext, UserError } from "../context.ts";
import { lastValue } from "../getopt.ts";
import type { ParsedOptions } from "../option.ts";
import { didYouMean, EXIT_USAGE, refuseWords } from "../usage.ts";

const ROLES = ["user", "operator", "administrator", "node"] as const;

type Role = (typeof ROLES)[number];

const UNITS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 };

/** A token is meant for the machines that somebody walks to now. */
const TTL_S = 3600;

export const command: Command = {
  name: "mgpu key",
  summary: "Keys of people and machines: make a join token, issue, list, rotate, revoke",
  synopsis: "[OPTIONS...] token|issue|list|rotate|revoke [NAME]",
  options: [
    {
      long: "uses",
      argument: "required",
      metavar: "count",
      help: "token: so many machines may join with it; 1 otherwise",
    },
    { long: "ttl", argument: "required", metavar: "time", help: "token: good for 90s, 30m, 12h or 2d; 1h otherwise" },
    { long: "role", argument: "required", metavar: "role", help: `issue: ${ROLES.join(", ")}; user otherwise` },
    {
      long: "user",
      argument: "required",
      metavar: "name",
      help: "issue: as whom the bearer's jobs run; NAME otherwise",
    },
    { long: "all", short: "a", argument: "none", help: "list: also those that are void" },
    { long: "json", argument: "none", help: "list: print JSON" },
  ],
  operands: "permute",
  examples: ["mgpu key token --uses 8 --ttl 30m", "mgpu key issue ada", "mgpu key list", "mgpu key revoke ada"],
  async run(parsed, context) {
    const [verb = "", name, ...more] = parsed.operands;
    const act = Object.hasOwn(VERBS, verb) ? VERBS[verb] : undefined;
    if (!act) {
      const hint = didYouMean([verb], Object.keys(VERBS));
      throw new UserError(`expected token, issue, list, rotate or revoke, got "${verb}"`, hint, EXIT_USAGE);
    }
    refuseWords(more);
    const prepared = act(parsed, name, context);
    const { peer } = await context.connect({ start: false });
    try {
      return await prepared(peer);
    } finally {
      peer.close();
    }
  },
};

type Verb = (
  parsed: ParsedOptions,
  name: string | undefined,
  context: CommandContext,
) => (peer: Peer) => Promise<number>;

const VERBS: Readonly<Record<string, Verb>> = {
  token(parsed, name, context) {
    refuseName(name);
    const wish = readWish(parsed);
    return async (peer) => {
      const made = await peer.call("key.token", wish);
      context.stdio.out(joinText({ ...made, target: reachable(made.target) }, wish));
      return 0;
    };
  },
  issue(parsed, name, context) {
    const wish = { name: needName(name, "issue"), role: readRole(parsed) ?? "user" };
    const user = lastValue(parsed, "user");
    return async (peer) => {
      const made = await peer.call("key.issue", { ...wish, ...(user === undefined ? {} : { user }) });
      context.stdio.out(keyText(context, made, wish.role));
      return 0;
    };
  },
  rotate(parsed, name, context) {
    const role = readRole(parsed);
    const wanted = needName(name, "rotate");
    return async (peer) => {
      const { keys } = await peer.call("key.list", {});
      const found = keys.filter((key) => key.name === wanted && key.revokedAt === null && (!role || key.role === role));
      const [one, ...others] = found;
      if (!one || one.role === "join")
        throw new UserError(`no good key is called "${wanted}"`, "mgpu key list shows them");
      if (others.length > 0) throw new UserError(`several keys are called "${wanted}"`, "say --role");
      const made = await peer.call("key.issue", { name: wanted, role: one.role, ...userOf(one) });
      const many = one.connections === 1 ? "1 connection was" : `${one.connections} connections were`;
      context.stdio.out(`# ${one.identity} is void from now on; ${many} cut\n`);
      context.stdio.out(keyText(context, made, one.role));
      return 0;
    };
  },
  revoke(parsed, name, context) {
    const role = readRole(parsed);
    const wanted = needName(name, "revoke");
    return async (peer) => {
      const { revoked, cut } = await peer.call("key.revoke", { name: wanted, ...(role ? { role } : {}) });
      const connections = cut === 1 ? "1 connection was" : `${cut} connections were`;
      context.stdio.out(`void from now on: ${revoked.join(", ")}; ${connections} cut\n`);
      return 0;
    };
  },
  list(parsed, name, context) {
    refuseName(name);
    return async (peer) => {
      const { keys } = await peer.call("key.list", {});
      const shown = parsed.values.has("all") ? keys : keys.filter(({ revokedAt }) => revokedAt === null);
      const text = parsed.values.has("json")
        ? `${JSON.stringify({ keys: shown }, null, 2)}\n`
        : tableText(shown, context);
      context.stdio.out(text);
      return 0;
    };
  },
};

/** What to type on a machine that is to join. */
export function joinText(
  token: { readonly target: string; readonly identity: string; readonly key: string },
  { uses, ttlS }: { readonly uses: number; readonly ttlS: number },
): string {
  const machines = uses === 1 ? "one machine" : `${uses} machines`;
  return `# on each machine that is to join (good for ${machines}, ${durationText(ttlS)}):\nmgpu join ${formatInvitation(token)}\n`;
}

/** Where machines find the controller. @throws UserError if it listens for none */
export function reachable(target: string | null): string {
  if (target !== null) return target;
  throw new UserError("mgpu listens for no other machines", "mgpu up --listen 0.0.0.0:7411 changes that");
}

function keyText(
  { program }: CommandContext,
  made: { target: string | null; identity: string; key: string; user: string; clusterName: string },
  role: Role,
): string {
  const target = made.target ?? "HOST:7411";
  const line = formatInvitation({ ...made, target });
  const note =
    made.target === null ? `# ${program}: mgpu up --listen HOST:PORT first: nobody is listened for yet\n` : "";
  if (role === "node") return `${note}# on that machine (what runs there goes on):\nmgpu join ${line}\n`;
  return `${note}# where ${made.user} works (the line is a secret):\nmgpu login ${made.clusterName}=${line}\n`;
}

function tableText(
  keys: readonly {
    role: string;
    name: string;
    identity: string;
    user: string;
    issuedAt: number;
    revokedAt: number | null;
    connections: number;
  }[],
  { utcOffsetMinutes }: CommandContext,
): string {
  if (keys.length === 0)
    return "no keys: mgpu key issue NAME makes one for somebody, mgpu key token one for machines\n";
  const time = (atMs: number): string => formatTimestamp(atMs, utcOffsetMinutes);
  const rows = keys.map((key) => [
    ...[key.name, key.role, key.user, time(key.issuedAt)],
    ...[key.revokedAt === null ? "good" : `void since ${time(key.revokedAt)}`, String(key.connections)],
  ]);
  return textTable(["NAME", "ROLE", "USER", "ISSUED", "STATE", "CONNECTIONS"], rows);
}

function userOf({ role, user }: { readonly role: string; readonly user: string }): { user?: string } {
  return role === "node" ? {} : { user };
}

function readWish(parsed: ParsedOptions): { uses: number; ttlS: number } {
  const uses = lastValue(parsed, "uses") ?? "1";
  const ttl = lastValue(parsed, "ttl");
  const [, count, unit = "s"] = /^(\d{1,6})([smhd]?)$/.exec(ttl ?? "") ?? [];
  const ttlS = ttl === undefined ? TTL_S : Number(count) * (UNITS[unit || "s"] ?? 1);
  const problems: string[] = [];
  if (!/^[1-9]\d{0,4}$/.test(uses)) problems.push(`--uses: expected a count, at least 1, got "${uses}"`);
  if (!(ttlS > 0)) problems.push(`--ttl: expected a time such as 90s, 30m, 12h or 2d, got "${ttl}"`);
  if (problems.length > 0) throw new UserError(problems, undefined, EXIT_USAGE);
  return { uses: Number(uses), ttlS };
}

function readRole(parsed: ParsedOptions): Role | undefined {
  const text = lastValue(parsed, "role");
  const role = ROLES.find((one) => one === text || (one === "administrator" && text === "admin"));
  if (text === undefined || role) return role;
  throw new UserError(`--role: expected ${ROLES.join(", ")}, got "${text}"`, undefined, EXIT_USAGE);
}

function needName(name: string | undefined, verb: string): string {
  if (name) return name;
  throw new UserError(`${verb} needs a name`, `for example: mgpu key ${verb} ada`, EXIT_USAGE);
}

function refuseName(name: string | undefined): void {
  if (name !== undefined) refuseWords([name]);
}

function durationText(seconds: number): string {
  for (const [unit, word] of [
    [86_400, "day"],
    [3600, "hour"],
    [60, "minute"],
  ] as const) {
    if (seconds % unit === 0) return seconds === unit ? `one ${word}` : `${seconds / unit} ${word}s`;
  }
  return `${seconds} seconds`;
}
