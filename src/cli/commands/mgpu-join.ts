/** mgpu join, mgpu leave: this machine becomes a node of a cluster on another one, or is none any more. */

import { formatJoined, type Joined, joinFile, parseJoined } from "../../config/joined.ts";
import { givenSettings } from "../../config/settings.ts";
import { sleep } from "../../platform/clock.ts";
import { type Invitation, parseIdentity, parseInvitation } from "../../protocol/identity.ts";
import type { Result } from "../../protocol/procedures.ts";
import { errnoText } from "../../util/errno.ts";
import { nodeTree } from "../../view/node-tree.ts";
import { type Command, type CommandContext, UserError } from "../context.ts";
import { lastValue } from "../getopt.ts";
import type { ParsedOptions } from "../option.ts";
import { EXIT_USAGE, refuseWords } from "../usage.ts";

/** A node daemon looks at its GPUs before it registers: that takes some seconds on a large machine. */
const REGISTER_MS = 30_000;
const END_MS = 10_000;
const POLL_MS = 100;

/** Of a daemon's log, when it did not start. */
const LOG_LINES = 5;

type Check = Result<"node.check">;

export const join: Command = {
  name: "mgpu join",
  summary: "Make this machine a node of a cluster; without a word, start the node daemon of one that joined before",
  synopsis: "[OPTIONS...] [host:port#token]",
  options: [
    {
      long: "node-id",
      argument: "required",
      metavar: "name",
      help: "name of this node; the short host name otherwise",
    },
    {
      long: "address",
      argument: "required",
      metavar: "host",
      help: "where other nodes reach this one; otherwise the address that the controller sees",
    },
    {
      long: "no-start",
      argument: "none",
      help: "keep the key, and start no node daemon: mgpu systemd gives a unit for it",
    },
  ],
  operands: "permute",
  notes: ["-  instead of the word reads it from standard input, where no list of processes shows it"],
  examples: ["mgpu join gpu0:7411#3f9a...", "mgpu join - <token", "mgpu join"],
  async run(parsed, context) {
    const [word, ...more] = parsed.operands;
    const line = word === "-" ? readInput(context) : word;
    refuseWords(more);
    const before = readJoined(context);
    const running = before && (await (await context.machine()).findNode(before.node));
    if (before && running && line !== undefined && isNewKey(readLine(line), before)) {
      return renew(readLine(line), before, context);
    }
    if (before && running) {
      const pid = running.pid === null ? "" : ` (mgpud, pid ${running.pid})`;
      const problem = `this machine is node ${before.node} of ${before.cluster} at ${before.target} already${pid}`;
      throw new UserError(problem, "mgpu leave ends that");
    }
    if (line === undefined && !before) {
      throw new UserError(
        "expected host:port#token",
        "mgpu key token on the controller's machine prints the line",
        EXIT_USAGE,
      );
    }
    const joined = line === undefined ? (before as Joined) : await enter(readLine(line), parsed, context);
    if (line !== undefined) keep(context, joined);
    if (parsed.values.has("no-start")) {
      context.stdio.out(`node ${joined.node} of ${joined.cluster}: the key is kept; mgpud starts it\n`);
      return 0;
    }
    const check = await start(joined, context);
    const { inventory } = check;
    context.stdio.out(`node ${joined.node} of ${joined.cluster} at ${joined.target}: connected\n`);
    if (inventory) context.stdio.out(`${nodeTree(joined.node, inventory).join("\n")}\n`);
    return 0;
  },
};

export const leave: Command = {
  name: "mgpu leave",
  summary: "End this machine's node daemon and forget the cluster that it joined",
  synopsis: "[OPTIONS...]",
  options: [
    {
      long: "force",
      short: "f",
      argument: "none",
      help: "also while jobs run here, or where the controller can't be asked",
    },
    { long: "keep-key", argument: "none", help: "end the daemon only: mgpu join without a word starts it again" },
  ],
  operands: "permute",
  examples: ["mgpu leave"],
  async run(parsed, context) {
    const joined = readJoined(context);
    if (!joined) {
      context.stdio.out("this machine joined no cluster\n");
      return 0;
    }
    if (!parsed.values.has("force")) await refuseBusy(joined, context);
    const ended = await endDaemon(joined, context);
    (await context.machine()).endHolders(joined.node);
    const keepsKey = parsed.values.has("keep-key");
    if (!keepsKey) context.files.remove(joinFile(context.places));
    const daemon = ended ? "its node daemon has ended" : "no node daemon ran";
    const key = keepsKey ? "the key is kept" : `the key is forgotten; mgpu nodes remove ${joined.node} makes it void`;
    context.stdio.out(`node ${joined.node} of ${joined.cluster}: ${daemon}; ${key}\n`);
    return 0;
  },
};

/** What an earlier join left; `null` if there is nothing. @throws UserError if it is damaged */
export function readJoined({ files, places }: Pick<CommandContext, "files" | "places">): Joined | null {
  const path = joinFile(places);
  let text: string;
  try {
    text = new TextDecoder().decode(files.read(path));
  } catch (error) {
    if ((error as { readonly code?: string }).code === "ENOENT") return null;
    throw new UserError(`${path}: ${errnoText(error)}`);
  }
  const joined = parseJoined(text);
  if (joined) return joined;
  throw new UserError(`${path} can't be understood`, "remove it, then join again");
}

/** A token has some 100 bytes. */
const INPUT_BYTES_MAX = 10_000;

function readInput({ files }: CommandContext): string {
  let bytes = 0;
  const data = files.readWhile(null, (piece) => {
    bytes += piece.length;
    return bytes <= INPUT_BYTES_MAX;
  });
  return new TextDecoder().decode(data).trim();
}

function readLine(line: string): Invitation {
  const invitation = parseInvitation(line);
  const hint = "paste the whole line that mgpu up --listen or mgpu key token printed: host:port#3f9a...";
  if (!invitation) throw new UserError("the token can't be read", hint, EXIT_USAGE);
  const kind = parseIdentity(invitation.identity)?.kind;
  if (kind === "join" || kind === "node") return invitation;
  throw new UserError("that key is a person's", "mgpu login stores it", EXIT_USAGE);
}

/** Exchanges a token for a key of this machine's own. A node's key is that already. */
async function enter(invitation: Invitation, parsed: ParsedOptions, context: CommandContext): Promise<Joined> {
  const { target, identity, key } = invitation;
  const parts = parseIdentity(identity);
  const { environment, hostname } = context;
  const address = lastValue(parsed, "address");
  const settings = { ...givenSettings(environment), ...(address === undefined ? {} : { MGPU_NODE_ADDRESS: address }) };
  const node =
    lastValue(parsed, "node-id") ?? environment.MGPU_NODE_ID ?? (parts?.kind === "node" ? parts.name : hostname);
  const { peer } = await context.remote(invitation);
  try {
    if (parts?.kind === "node") {
      if (parts.name !== node)
        throw new UserError(`the key is for a node called ${parts.name}`, `--node-id ${parts.name}`);
      const { clusterName } = await peer.call("node.check", {});
      return { cluster: clusterName, target, node, identity, key, settings };
    }
    const { clusterName, ...credential } = await peer.call("node.join", { node, hostname });
    return { cluster: clusterName, target, node, ...credential, settings };
  } finally {
    peer.close();
  }
}

/** Whether a line is another key for the node that this machine is. */
function isNewKey({ identity, key }: Invitation, before: Joined): boolean {
  const parts = parseIdentity(identity);
  return parts?.kind === "node" && parts.name === before.node && key !== before.key;
}

/** Its daemon, and what runs there, goes on with another key. */
async function renew(invitation: Invitation, before: Joined, context: CommandContext): Promise<number> {
  const { target, identity, key } = invitation;
  const { peer } = await context.remote(invitation);
  try {
    const { clusterName: cluster } = await peer.call("node.check", {});
    keep(context, { ...before, cluster, target, identity, key });
    const { clock, stdio } = context;
    const endMs = clock.monotonic() + REGISTER_MS;
    while (clock.monotonic() < endMs) {
      if ((await peer.call("node.check", {})).connected) {
        stdio.out(`node ${before.node} of ${cluster} at ${target}: connected with its new key\n`);
        return 0;
      }
      await sleep(clock, POLL_MS);
    }
  } finally {
    peer.close();
  }
  throw new UserError(`the controller has not heard of it for ${REGISTER_MS / 1000} s`, "the new key is kept");
}

function keep({ files, places }: CommandContext, joined: Joined): void {
  const path = joinFile(places);
  try {
    files.replace(path, new TextEncoder().encode(formatJoined(joined)));
  } catch (error) {
    throw new UserError(`${path} can't be written: ${errnoText(error)}`);
  }
}

/** Starts the daemon; resolves when the controller has it. */
async function start(joined: Joined, context: CommandContext): Promise<Check> {
  const { clock, files } = context;
  const daemon = await (await context.machine()).startNode(joined.settings ?? {});
  let isOver = false;
  void daemon.exited.then(() => {
    isOver = true;
  });
  const { peer } = await context.remote(joined);
  const endMs = clock.monotonic() + REGISTER_MS;
  try {
    while (clock.monotonic() < endMs && !isOver) {
      const check = await peer.call("node.check", {});
      if (check.connected) return check;
      await sleep(clock, POLL_MS);
    }
  } finally {
    peer.close();
  }
  const said = new TextDecoder().decode(files.read(daemon.logFile).subarray(daemon.logFrom));
  const lines = said.trimEnd().split("\n").slice(-LOG_LINES);
  const problem = isOver
    ? "the node daemon ended at once"
    : `the controller has not heard of it for ${REGISTER_MS / 1000} s`;
  throw new UserError([problem, ...lines], `its log is ${daemon.logFile}`);
}

async function refuseBusy(joined: Joined, context: CommandContext): Promise<void> {
  const { peer } = await context.remote(joined);
  const { jobs } = await peer.call("node.check", {}).finally(() => peer.close());
  if (jobs === 0) return;
  const what = jobs === 1 ? "1 job runs" : `${jobs} jobs run`;
  throw new UserError(`${what} on this node`, "wait for the end, or say --force: they go on unwatched then");
}

/** Whether there was one. @throws UserError if it does not end */
async function endDaemon({ node }: Joined, context: CommandContext): Promise<boolean> {
  const machine = await context.machine();
  const found = await machine.findNode(node);
  if (!found) return false;
  if (found.pid === null)
    throw new UserError("the node daemon does not say its pid", "it may be stopped: end mgpud by hand");
  machine.endProcess(found.pid);
  const endMs = context.clock.monotonic() + END_MS;
  while (await machine.findNode(node)) {
    if (context.clock.monotonic() >= endMs) throw new UserError(`mgpud, pid ${found.pid}, does not end`);
    await sleep(context.clock, POLL_MS);
  }
  return true;
}
