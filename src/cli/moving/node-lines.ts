/** The lines of slurm.conf about nodes, and those of gres.conf about GPUs. */

import { expand, fold } from "../../core/hostlist.ts";
import { nearest } from "../../util/nearest.ts";
import type { ConfLine, Pair } from "./conf-text.ts";
import type { Note, Notes } from "./notes.ts";

/** A node as mgpu's configuration has it, and what it should find there. */
export interface ImportedNode {
  readonly name: string;
  /** `nodes.NAME` of the configuration, by key. */
  readonly settings: Readonly<Record<string, string>>;
  readonly features: readonly string[];
  /** GPUs by type, in the order of the files; `""` for those without one. */
  readonly gpus: Readonly<Record<string, number>>;
  /** State of the file that keeps jobs away, with its reason. */
  readonly mark: { readonly state: "DRAIN" | "DOWN"; readonly reason: string } | null;
}

/** A key by its name in lower case. */
type Given = ReadonlyMap<string, Pair>;

const KNOWN = new Set(
  `nodename nodeaddr nodehostname bcastaddr boards corespeccount corespersocket cpubind cpus cpuspeclist feature features
   gres memspeclimit port procs realmemory reason sockets socketsperboard state threadspercore tmpdisk topology weight
   restrictedcorespergpu parameters`.split(/\s+/),
);

const COUNTS = ["boards", "corespeccount", "corespersocket", "cpus", "memspeclimit", "procs", "realmemory", "sockets"];
const ALL_COUNTS = [...COUNTS, "socketsperboard", "threadspercore", "tmpdisk", "weight"];

/** States in which a node is no machine that could start. */
const ABSENT = /^(future|cloud)/i;

const LEFT: Readonly<Record<string, readonly [kind: Note["kind"], why: string]>> = {
  bcastaddr: ["left out", "files are sent along the connections that there are"],
  cpubind: ["left out", "mgpu-srun --cpu-bind binds tasks"],
  parameters: ["left out", "nodes have no such parameters here"],
  port: ["not needed", "node daemons dial the controller"],
  restrictedcorespergpu: ["left out", "CPUs are not kept for GPUs"],
  tmpdisk: ["left out", "local disks are not counted"],
  topology: ["left out", "networks of nodes are not known here"],
};

/** Reads NodeName lines in their order: what NodeName=DEFAULT says holds for those after it. */
export function readNodes(lines: readonly ConfLine[], gres: readonly ConfLine[], notes: Notes): ImportedNode[] {
  const nodes = new Map<string, ImportedNode>();
  let defaults: Given = new Map();
  const files = readGres(gres, notes);
  for (const line of lines) {
    const own = givenBy(line, notes, KNOWN);
    if (/^default$/i.test(line[0].value)) {
      defaults = new Map([...defaults, ...own]);
      continue;
    }
    const given: Given = new Map([...defaults, ...own]);
    for (const node of readLine(line[0], own, given, files, notes)) {
      if (nodes.has(node.name)) notes.problems.push(`${line[0].place}: NodeName ${node.name} is named twice`);
      nodes.set(node.name, node);
    }
  }
  return [...nodes.values()];
}

/** The keys of a line; unknown ones are problems. */
export function givenBy(line: ConfLine, notes: Notes, known: ReadonlySet<string>): Map<string, Pair> {
  const given = new Map<string, Pair>();
  for (const pair of line) {
    const name = pair.key.toLowerCase();
    if (known.has(name)) given.set(name, pair);
    else {
      const guess = nearest(name, [...known]);
      if (guess === undefined) leave(notes, pair, "left out", `mgpu knows no such key of ${line[0].key}`);
      else notes.problems.push(`${pair.place}: ${pair.key}: ${line[0].key} has no such key; did you mean ${guess}?`);
    }
  }
  return given;
}

function leave(notes: Notes, { place, key, value }: Pair, kind: Note["kind"], why: string): void {
  notes.notes.push({ place, what: `${key}=${value}`, kind, why });
}

function readLine(first: Pair, own: Given, given: Given, files: GresFile, notes: Notes): ImportedNode[] {
  const names = expand(first.value);
  if (!names || names.length === 0) {
    notes.problems.push(`${first.place}: NodeName: expected node names such as n[01-10], got "${first.value}"`);
    return [];
  }
  const before = notes.problems.length;
  for (const key of ALL_COUNTS) {
    const pair = own.get(key);
    if (pair && !/^\d{1,12}$/.test(pair.value)) {
      notes.problems.push(`${pair.place}: ${pair.key}: expected a count, got "${pair.value}"`);
    }
  }
  for (const [key, pair] of own) {
    const left = LEFT[key];
    if (left) leave(notes, pair, ...left);
  }
  const state = given.get("state");
  if (state && ABSENT.test(state.value)) {
    leave(notes, first, "left out", `State=${state.value}: mgpu's nodes are those whose daemons have come`);
    return [];
  }
  const addresses = addressesOf(names, own, notes);
  hostnamesOf(names, own, notes);
  const common = settingsOf(given, notes);
  const mark = markOf(given, notes);
  if (notes.problems.length > before) return [];
  return names.map((name, at) => {
    const address = addresses?.[at];
    const settings = { ...common.settings, ...(address && address !== name ? { address } : {}) };
    return { name, settings, features: common.features, gpus: gpusOf(name, given, files, notes), mark };
  });
}

const count = (given: Given, key: string): number => Number(given.get(key)?.value ?? 0);

/** CPUs as Slurm reckons them where they are not said, less those that it keeps from jobs. */
function cpusOf(given: Given, notes: Notes): number {
  const sockets = count(given, "sockets") || (count(given, "boards") || 1) * (count(given, "socketsperboard") || 1);
  const threads = count(given, "threadspercore") || 1;
  const cpus =
    count(given, "cpus") || count(given, "procs") || sockets * (count(given, "corespersocket") || 1) * threads;
  const [list, cores] = [given.get("cpuspeclist"), given.get("corespeccount")];
  const kept = list ? (expand(`c[${list.value}]`)?.length ?? 0) : count(given, "corespeccount") * threads;
  const said = list ?? cores;
  if (said && kept > 0) leave(notes, said, "changed", `cpus: ${cpus - kept} of ${cpus} are offered to jobs`);
  return Math.max(1, cpus - kept);
}

function settingsOf(
  given: Given,
  notes: Notes,
): { readonly settings: Record<string, string>; readonly features: string[] } {
  const has = (...keys: string[]): boolean => keys.some((key) => given.has(key));
  const settings: Record<string, string> = {};
  if (has("cpus", "procs", "sockets", "corespersocket", "threadspercore", "boards", "socketsperboard")) {
    settings.cpus = String(cpusOf(given, notes));
  }
  const memory = count(given, "realmemory");
  const kept = given.get("memspeclimit");
  if (memory > 0) settings.memory = String(Math.max(1, memory - count(given, "memspeclimit")));
  if (kept && memory > 0)
    leave(notes, kept, "changed", `memory: ${settings.memory} of ${memory} MiB are offered to jobs`);
  const weight = count(given, "weight");
  if (given.has("weight") && weight !== 1) settings.weight = String(weight);
  const said = given.get("feature") ?? given.get("features");
  const features = (said?.value ?? "").split(",").filter(Boolean);
  if (features.length > 0) settings.features = features.join(",");
  return { settings, features };
}

/** One for all that has brackets like the names', or one for one node. */
function addressesOf(names: readonly string[], own: Given, notes: Notes): readonly string[] | null {
  const pair = own.get("nodeaddr");
  if (!pair) return null;
  const addresses = expand(pair.value);
  if (addresses?.length === names.length) return addresses;
  notes.problems.push(
    `${pair.place}: NodeAddr: expected ${names.length} addresses, as there are names, got "${pair.value}"`,
  );
  return null;
}

function hostnamesOf(names: readonly string[], own: Given, notes: Notes): void {
  const pair = own.get("nodehostname");
  if (!pair) return;
  const hosts = expand(pair.value);
  if (hosts?.length !== names.length) {
    notes.problems.push(`${pair.place}: NodeHostName: expected ${names.length} names, got "${pair.value}"`);
  } else if (hosts.some((host, at) => host !== names[at])) {
    leave(
      notes,
      pair,
      "left out",
      "a node is called as its host; MGPU_NODE_ID or mgpu join --name says otherwise there",
    );
  }
}

function markOf(given: Given, notes: Notes): ImportedNode["mark"] {
  const state = given.get("state");
  if (!state || /^(unknown|idle|)$/i.test(state.value)) return null;
  const reason = given.get("reason")?.value ?? "as in slurm.conf";
  if (/^(drain|fail)/i.test(state.value)) return { state: "DRAIN", reason };
  if (/^down$/i.test(state.value)) return { state: "DOWN", reason };
  notes.problems.push(
    `${state.place}: State: expected UNKNOWN, DOWN, DRAIN, FAIL, CLOUD or FUTURE, got "${state.value}"`,
  );
  return null;
}

/** GPUs of gres.conf, by node (`""` for all nodes) and type. */
type GresFile = ReadonlyMap<string, { readonly gpus: Record<string, number>; readonly place: string }>;

const GRES_KEYS = new Set(
  "autodetect cores cpus count file flags links multiplefiles name nodename type ignore uniqueid".split(" "),
);

function readGres(lines: readonly ConfLine[], notes: Notes): GresFile {
  const found = new Map<string, { gpus: Record<string, number>; place: string }>();
  for (const line of lines) {
    const given = givenBy(line, notes, GRES_KEYS);
    const [place, name] = [line[0].place, given.get("name")?.value ?? ""];
    const what = line.map(({ key, value }) => `${key}=${value}`).join(" ");
    const nodes = given.has("nodename") ? expand(given.get("nodename")?.value ?? "") : [""];
    if (!nodes) notes.problems.push(`${place}: NodeName: expected node names such as n[01-10]`);
    else if (name === "") {
      notes.notes.push({ place, what, kind: "not needed", why: "a node's daemon finds its GPUs by nvidia-smi" });
    } else if (!/^gpu$/i.test(name)) {
      const why = "mgpu has GPUs, whole ones and parts (--gpus=0.5, --gpu-mem=8G)";
      notes.notes.push({ place, what, kind: "left out", why });
    } else {
      notes.notes.push({ place, what, kind: "not needed", why: "a node's daemon finds its GPUs by nvidia-smi" });
      for (const node of nodes) addGpus(found, node, place, given);
    }
  }
  return found;
}

function addGpus(
  found: Map<string, { gpus: Record<string, number>; place: string }>,
  node: string,
  place: string,
  given: Given,
): void {
  const files = given.get("file") ?? given.get("multiplefiles");
  const amount = count(given, "count") || (files ? (expand(files.value)?.length ?? 1) : 1);
  const type = (given.get("type")?.value ?? "").toLowerCase();
  const entry = found.get(node) ?? { gpus: {}, place };
  found.set(node, entry);
  entry.gpus[type] = (entry.gpus[type] ?? 0) + amount;
}

/** `gpu:a100:4(S:0-1)`, `gpu:2`, `gpu:1g.10gb:7` as type and count; `null` for what is no GPU. */
function gresWord(word: string): { readonly type: string; readonly amount: number } | null {
  const [name = "", ...parts] = word.replace(/\(.*$/, "").split(":");
  if (!/^gpu$/i.test(name)) return null;
  const rest = parts.filter((part) => !/^no_consume$/i.test(part));
  const amount = /^\d+$/.test(rest.at(-1) ?? "") ? Number(rest.pop()) : 1;
  return { type: rest.join(":").toLowerCase(), amount };
}

const sumOf = (gpus: Readonly<Record<string, number>>): number =>
  Object.values(gpus).reduce((all, one) => all + one, 0);

/** What Gres= says counts, as in Slurm; gres.conf only says which they are, and must have as many. */
function gpusOf(name: string, given: Given, files: GresFile, notes: Notes): Record<string, number> {
  const pair = given.get("gres");
  const gpus: Record<string, number> = {};
  // Commas within (S:0,1) part nothing.
  for (const word of (pair?.value ?? "").match(/(?:[^,(]|\([^)]*\))+/g) ?? []) {
    const wish = gresWord(word);
    if (wish) gpus[wish.type] = (gpus[wish.type] ?? 0) + wish.amount;
    else if (pair) leaveGres(notes, pair, word);
  }
  const file = files.get(name) ?? files.get("");
  if (pair && file && sumOf(gpus) !== sumOf(file.gpus)) {
    const text = `${pair.place}: Gres=${pair.value}: ${sumOf(gpus)} GPUs, but ${sumOf(file.gpus)} in ${file.place}`;
    if (!notes.problems.includes(text)) notes.problems.push(text);
  }
  return gpus[""] === sumOf(gpus) && file && sumOf(gpus) > 0 ? file.gpus : gpus;
}

function leaveGres(notes: Notes, { place }: Pair, word: string): void {
  if (notes.notes.some((one) => one.place === place && one.what === `Gres=${word}`)) return;
  notes.notes.push({
    place,
    what: `Gres=${word}`,
    kind: "left out",
    why: "mgpu has GPUs, whole ones and parts of them",
  });
}

/** `n[01-04]` of nodes that share all that the configuration says, in the order of the file. */
export function groupNodes(nodes: readonly ImportedNode[]): { readonly names: string; readonly first: ImportedNode }[] {
  const groups = new Map<string, ImportedNode[]>();
  for (const node of nodes) {
    const { name: _, ...rest } = node;
    const key = JSON.stringify(rest);
    groups.set(key, [...(groups.get(key) ?? []), node]);
  }
  return [...groups.values()].flatMap((group) => {
    const [first] = group;
    return first ? [{ names: fold(group.map(({ name }) => name)), first }] : [];
  });
}
