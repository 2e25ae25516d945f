/** Accounts and QOS as a script of sacctmgr's and the file that it loads: Slurm keeps them in its database. */

import type { Qos, StoredPolicy, Tres } from "../../core/policy/records.ts";
import { formatLimit, formatTres, type LimitWord, QOS_LIMITS } from "../../core/policy/words.ts";
import { shellWord } from "../../util/shell-word.ts";

/** The file that the script loads. */
export const ACCOUNTS_FILE = "accounts.cfg";

/** Slurm counts whole GPUs. */
function whole(tres: Tres): Tres {
  return Object.fromEntries(Object.entries(tres).map(([name, amount]) => [name, Math.ceil(amount)]));
}

/** Slurm's database knows GPUs from the first start of slurmctld on; partitions want their QOS before it. */
const KNOWS_GPUS = `"$sacctmgr" -nP list tres | grep -q '^gres|gpu' || {
  echo 'Cluster and QOS are there: start slurmctld, then run this again for limits, accounts and users.'
  exit 0
}`;

/**
 * The script. It may be run again; with SACCTMGR=mgpu-sacctmgr it puts the same into a cluster of mgpu's.
 * @param accounts the text of the file that it loads
 * @param limits of the configuration, as limits of the QOS that every job has: `GrpJobs=4`
 */
export function policyScript(
  { qos }: StoredPolicy,
  {
    cluster,
    accounts,
    limits,
  }: { readonly cluster: string; readonly accounts: string; readonly limits: readonly string[] },
): string {
  const sorted = [...qos].sort((a, b) => a.id - b.id);
  const run = (...words: readonly string[]): string => `"$sacctmgr" -i ${words.map(shellWord).join(" ")}`;
  const isThere = (what: string, name: string): string =>
    `"$sacctmgr" -nP list ${what} format=${what === "qos" ? "name" : what} | grep -qxF ${shellWord(name)}`;
  const later = [
    ...sorted.map((one) => run("modify", "qos", one.name, "set", ...qosWords(one))),
    ...(limits.length > 0 ? [run("modify", "qos", "normal", "set", ...limits)] : []),
  ];
  return [
    "#!/bin/sh",
    `# QOS, accounts and users of ${cluster}, by mgpu export slurm. Run it when slurmdbd answers, and again when slurmctld`,
    "# has started for the first time.",
    "set -e",
    'cd "$(dirname "$0")"',
    "sacctmgr=${SACCTMGR:-sacctmgr}",
    `[ "$sacctmgr" != sacctmgr ] || ${isThere("cluster", cluster)} || ${run("add", "cluster", cluster)}`,
    ...sorted
      .map(({ name }) => name)
      .filter((name) => name !== "normal")
      .map((name) => `${isThere("qos", name)} || ${run("add", "qos", name)}`),
    ...([...later, accounts].some((text) => text.includes("gres/")) ? [KNOWS_GPUS] : []),
    ...later,
    `${run("load", `file=${ACCOUNTS_FILE}`)} || :`,
    "",
  ].join("\n");
}

function qosWords({ limits, ...qos }: Qos): string[] {
  return [
    `Description=${qos.description}`,
    `Priority=${qos.priority}`,
    `GraceTime=${qos.graceTimeS}`,
    `PreemptMode=${qos.preemptMode}`,
    `UsageFactor=${qos.usageFactor}`,
    ...(qos.preempt.length > 0 ? [`Preempt=${qos.preempt.join(",")}`] : []),
    ...(qos.flags.length > 0 ? [`Flags=${qos.flags.join(",")}`] : []),
    ...QOS_LIMITS.flatMap((word) => limitWord(word, limits[word.limit])),
  ];
}

function limitWord({ kind, names }: LimitWord, value: number | Tres | undefined): string[] {
  const text = kind === "tres" && typeof value === "object" ? formatTres(whole(value)) : formatLimit(kind, value);
  return text === "" ? [] : [`${names[0]}=${text}`];
}

/** Whether limits name parts of GPUs, which Slurm has not. */
export function hasParts({ qos, associations }: StoredPolicy): boolean {
  const all = [...qos, ...associations].flatMap(({ limits }) => Object.values(limits));
  return all.some((one) => typeof one === "object" && Object.values(one).some((amount) => !Number.isInteger(amount)));
}
