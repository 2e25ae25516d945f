/** sshare: shares and usage of accounts and users. */

import { chainOf, policyFrom } from "../../core/policy/state.ts";
import { inTreeOrder } from "../../core/policy/tree.ts";
import type { Result } from "../../protocol/procedures.ts";
import { accountTable, columnsOf, type TableStyle } from "../../view/account-table.ts";
import { FLAT_ACCOUNT, SHARE_COLUMNS, SHARE_NAMES, type Share, shareFormat } from "../../view/share-columns.ts";
import { checkClusters } from "../clusters.ts";
import { connectAsSlurm } from "../connect.ts";
import { type Command, type CommandContext, UserError } from "../context.ts";
import type { Option, ParsedOptions } from "../option.ts";
import { fieldHint } from "../usage.ts";

const flag = (long: string, short: string, help: string): Option => ({ long, short, argument: "none", help });
const list = (long: string, short: string, metavar: string, help: string): Option => {
  return { long, short, argument: "required", metavar, help };
};

const OPTIONS: readonly Option[] = [
  list("accounts", "A", "names", "only these accounts"),
  flag("all", "a", "show all users"),
  flag("helpformat", "e", "show the names of the columns"),
  list("format", "o", "names", "the columns to print, such as account%20,user,fairshare"),
  flag("long", "l", "print more columns"),
  list("clusters", "M", "name", "this cluster's name: there is one"),
  flag("partition", "m", "print the partitions of associations"),
  { ...flag("noheader", "n", "print no line of column names"), aliases: ["noheaders"] },
  flag("parsable", "p", "print columns with | between them and at the end"),
  flag("parsable2", "P", "print columns with | between them"),
  flag("Users", "U", "show users only"),
  list("users", "u", "names", "only these users"),
  flag("verbose", "v", "no effect: errors say all there is to say"),
];

export const command: Command = {
  name: "sshare",
  summary: "Show shares and usage of accounts and users",
  synopsis: "[OPTIONS...]",
  options: OPTIONS,
  operands: "permute",
  examples: ["mgpu-sshare -a", "mgpu-sshare -l -A vision", "mgpu-sshare -U --format=account%256 --noheader"],
  run,
};

async function run(parsed: ParsedOptions, context: CommandContext): Promise<number> {
  const isGiven = (long: string): boolean => parsed.values.has(long);
  const lists = (long: string): string[] | undefined =>
    parsed.values.get(long)?.flatMap((text) => text.split(",").filter((one) => one !== ""));
  if (isGiven("helpformat")) {
    context.stdio.out(namesText());
    return 0;
  }
  const format = lists("format") ?? shareFormat(isGiven("long"), isGiven("partition"));
  const isFlat = isGiven("Users");
  const found = columnsOf(format, isFlat ? { ...SHARE_COLUMNS, account: FLAT_ACCOUNT } : SHARE_COLUMNS);
  if ("unknown" in found) {
    const names = Object.keys(SHARE_COLUMNS).map((name) => ({ name }));
    throw new UserError(`Invalid field requested: "${found.unknown}"`, fieldHint([found.unknown], names));
  }
  const connected = await connectAsSlurm(context, "Couldn't get shares from controller");
  if (connected === null) return 1;
  try {
    await checkClusters(connected.peer, parsed.values.get("clusters")?.at(-1));
    const users = isGiven("all") ? null : (lists("users") ?? [context.user.name]);
    const accounts = lists("accounts")?.map((name) => name.toLowerCase()) ?? null;
    const rows = sharesOf(await connected.peer.call("shares.list", {})).filter(
      ({ association: { user, account } }) =>
        (accounts === null || accounts.includes(account)) &&
        (user === "" ? !isFlat : users === null || users.includes(user)),
    );
    const style: TableStyle = isGiven("parsable2") ? "parsable2" : isGiven("parsable") ? "parsable" : "table";
    context.stdio.out(accountTable(found.columns, rows, { style, hasHeader: !isGiven("noheader") }));
    return 0;
  } finally {
    connected.peer.close();
  }
}

function sharesOf({ clusterName, policy: stored, shares }: Result<"shares.list">): Share[] {
  const policy = policyFrom(stored);
  const byId = new Map(shares.map((share) => [share.id, share]));
  return inTreeOrder(policy).flatMap((association) => {
    const share = byId.get(association.id);
    return share ? [{ association, share, depth: chainOf(policy, association).length - 1, cluster: clusterName }] : [];
  });
}

/** Four names a line, as Slurm shows them. */
function namesText(): string {
  const lines: string[] = [];
  for (let at = 0; at < SHARE_NAMES.length; at += 4) {
    lines.push(
      `${SHARE_NAMES.slice(at, at + 4)
        .map((name) => name.padEnd(17))
        .join(" ")
        .trimEnd()}\n`,
    );
  }
  return lines.join("");
}
