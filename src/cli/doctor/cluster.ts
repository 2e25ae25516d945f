/** What is to be said of a cluster whose nodes were looked at: pure, from the answer of cluster.examine. */

import type { NodeExamination } from "../../protocol/doctor-procedures.ts";
import type { NodeRow, Result } from "../../protocol/procedures.ts";
import { adviceFor } from "../advice.ts";
import { type Finding, type Notes, notesOf } from "./finding.ts";
import { machineFindings, offsetText } from "./machine.ts";
import type { Comparison } from "./report.ts";

type Examined = Result<"cluster.examine">;

export const NODES = "nodes";

/** Clocks further apart than this confuse people; mgpu itself goes on. */
const SKEW_MS_MAX = 2000;

/** Of a value that differs, so many nodes are named. */
const NAMED_MAX = 8;

/** What of the machines is compared: a column of the table, and what to do about a difference. */
interface Aspect {
  readonly title: string;
  readonly fix: string;
  /** Empty where nothing can be compared. */
  of(node: NodeExamination): string;
  /** How bad it is. */
  readonly verdict: "warn" | "fail";
}

const ASPECTS: readonly Aspect[] = [
  {
    title: "mgpu",
    fix: "install the same version on all machines, then restart mgpud there (mgpu leave --keep-key; mgpu join)",
    verdict: "warn",
    of: ({ version }) => version,
  },
  {
    title: "python",
    fix: "install the same one on all nodes, or work in an environment on a shared file system",
    verdict: "warn",
    of: ({ facts }) => (facts ? facts.python.version || (facts.python.path === "" ? "none" : "broken") : ""),
  },
  {
    title: "torch",
    fix: "install the same one on all nodes, or work in an environment on a shared file system",
    verdict: "fail",
    of: ({ facts }) => (facts ? facts.python.torch || "none" : ""),
  },
  {
    title: "driver",
    fix: "install the same driver on all nodes that have GPUs",
    verdict: "warn",
    of: ({ facts, fakeGpus }) => (facts === null ? "" : fakeGpus ? "fake" : facts.driver.version || "none"),
  },
  {
    title: "zone",
    fix: "timedatectl set-timezone ZONE on each: times of logs can't be compared otherwise",
    verdict: "warn",
    of: ({ facts }) => (facts ? offsetText(facts.zone.offsetMin) : ""),
  },
];

/** Findings about listening, about each node, and about what differs between them. */
export function clusterFindings(examined: Examined, rows: readonly NodeRow[], now: number | null): readonly Finding[] {
  const controller = notesOf("the controller");
  noteListening(examined, rows, controller);
  if (now !== null) noteClock("clock", "the controller's clock", examined.now - now, controller);
  const notes = notesOf(NODES);
  noteAbsent(rows, examined, notes);
  for (const node of examined.nodes) noteNode(node, notes);
  noteMemory(examined.nodes, notes);
  noteRings("the controller", examined.rings, notes);
  for (const { node, rings } of examined.nodes) noteRings(node, rings, notes);
  for (const aspect of ASPECTS) noteDifferences(aspect, examined.nodes, notes);
  for (const what of ["working folder", "home folder"]) noteSharing(what, examined.nodes, notes);
  const reached = examined.nodes.reduce((sum, { rings }) => sum + rings.filter(({ code }) => code === "").length, 0);
  const isWell = notes.all.every(({ verdict }) => verdict === "ok");
  const ways = reached + examined.rings.filter(({ code }) => code === "").length;
  if (isWell && examined.nodes.length > 0) {
    const count = examined.nodes.length === 1 ? "1 node" : `${examined.nodes.length} nodes`;
    notes.ok("all", `${count} looked at${ways > 0 ? `, ${ways} ways between machines tried` : ""}`);
  }
  return [...controller.all, ...notes.all];
}

/** The nodes beside each other; `null` where there are fewer than two. */
export function compare({ nodes }: Examined): Comparison | null {
  if (nodes.length < 2) return null;
  const header = ["NODE", ...ASPECTS.map(({ title }) => title.toUpperCase()), "CLOCK", "OPEN FILES", "FREE"];
  const rows = nodes.map((node) => {
    const { facts, offsetMs } = node;
    const state = facts?.folders.find(({ what }) => what === "state folder");
    return [
      node.node,
      ...ASPECTS.map(({ of }) => of(node) || "-"),
      offsetMs === null ? "-" : secondsText(offsetMs),
      facts?.limits.NOFILE ? `${facts.limits.NOFILE.hard}` : "-",
      state && state.freeMiB >= 0 ? `${state.freeMiB} MiB` : "-",
    ];
  });
  return { header, rows };
}

function noteListening({ listen, target, addresses }: Examined, rows: readonly NodeRow[], notes: Notes): void {
  const what = "listening";
  if (listen === null) {
    return notes.ok(what, "for programs of this machine only; mgpu up --listen 0.0.0.0:7411 lets other machines in");
  }
  if (target === null) {
    return notes.fail(
      what,
      `at ${listen}: that failed`,
      "mgpuctld.log says why; mgpu up --listen 0.0.0.0:7411 chooses another address or port",
    );
  }
  const host = listen.slice(0, listen.lastIndexOf(":")).replace(/^\[(.*)\]$/, "$1");
  const port = listen.slice(listen.lastIndexOf(":") + 1);
  if (/^(127\.|::1$|localhost$)/.test(host)) {
    const text = `at ${listen}, which only programs of that machine reach`;
    return notes.warn(what, text, `for other machines: mgpu up --listen 0.0.0.0:${port}`);
  }
  if (/^[0-9.]+$/.test(host) && host !== "0.0.0.0" && !addresses.includes(host)) {
    const text = `at ${listen}, an address that the machine does not have any more (it has ${addresses.join(", ")})`;
    return notes.fail(what, text, `mgpu up --listen 0.0.0.0:${port} listens at all that it has`);
  }
  notes.ok(what, `at ${listen}; others find it at ${target}${rows.length === 0 ? "; no node has registered yet" : ""}`);
}

function noteClock(what: string, whose: string, offsetMs: number, notes: Notes): void {
  if (Math.abs(offsetMs) <= SKEW_MS_MAX) return notes.ok(what, `${whose} agrees`);
  const text = `${whose} is ${secondsText(Math.abs(offsetMs))} ${offsetMs > 0 ? "ahead" : "behind"}`;
  notes.warn(what, text, "timedatectl set-ntp true on both machines; mgpu goes by the controller's clock meanwhile");
}

/** Nodes that the controller knows and could not ask, and those that it does not use. */
function noteAbsent(rows: readonly NodeRow[], { nodes }: Examined, notes: Notes): void {
  for (const { name, connected, state, reason } of rows) {
    const why = reason ? ` (${reason})` : "";
    if (!connected && !nodes.some(({ node }) => node === name)) {
      notes.fail(
        name,
        `not connected${why}`,
        `on ${name}: mgpu doctor looks at its side; mgpu join starts its node daemon`,
      );
    } else if (state === "DOWN") {
      notes.fail(name, `down${why}`, `mgpu-scontrol update nodename=${name} state=resume`);
    }
  }
}

function noteNode(node: NodeExamination, notes: Notes): void {
  const { node: name, problem, facts, offsetMs } = node;
  if (facts === null)
    return notes.fail(name, problem, `on ${name}: mgpu doctor looks at its side, mgpud.log may tell more`);
  const found = machineFindings(facts, { where: NODES, fakeGpus: node.fakeGpus, isNode: true });
  for (const { what, verdict, text, fix } of found) {
    if (verdict !== "ok") notes[verdict](name, `${what}: ${text}`, fix);
  }
  if (offsetMs !== null && Math.abs(offsetMs) > SKEW_MS_MAX) noteClock(name, "its clock", offsetMs, notes);
}

/** Who keeps jobs within their memory, node by node: it differs in how soon a job is stopped. */
function noteMemory(nodes: readonly NodeExamination[], notes: Notes): void {
  const ways = new Map<string, string[]>();
  for (const { node, facts } of nodes) {
    const memory = facts?.cgroup.memory;
    if (!memory || (memory.isRequired && memory.folder === "")) continue;
    const way = memory.folder !== "" ? "kept by the kernel" : `looked at once a second (${memory.problem})`;
    ways.set(way, [...(ways.get(way) ?? []), node]);
  }
  if (ways.size === 0) return;
  notes.ok("memory of jobs", [...ways].map(([way, names]) => `${way}: ${names.join(", ")}`).join("; "));
}

/** Ways between machines that did not work. */
function noteRings(from: string, rings: NodeExamination["rings"], notes: Notes): void {
  for (const { to, code } of rings) {
    if (code === "") continue;
    const isBack = to === "controller";
    const other = isBack ? "the controller" : to;
    const problem = adviceFor({ code }, "there:0")?.problem ?? code;
    const fix = isBack
      ? `on ${from}: mgpu doctor looks at every step of the way`
      : `let ${from} open any port of ${to}: tasks of one job over both talk to each other (torch.distributed, MPI)`;
    const words = isBack
      ? `a new connection to ${other} fails: ${problem}`
      : `${other} can't be reached from there: ${problem}`;
    notes[isBack ? "fail" : "warn"](from, words, fix);
  }
}

/** What most have is right; the others are named. */
function noteDifferences({ title, fix, of, verdict }: Aspect, nodes: readonly NodeExamination[], notes: Notes): void {
  const groups = new Map<string, string[]>();
  for (const node of nodes) {
    const value = of(node);
    if (value) groups.set(value, [...(groups.get(value) ?? []), node.node]);
  }
  if (groups.size < 2) return;
  const [usual, ...others] = [...groups].sort(([, one], [, two]) => two.length - one.length);
  if (!usual) return;
  const odd = others.map(([value, names]) => `${named(names)} ${names.length === 1 ? "has" : "have"} ${value}`);
  const isMissing = others.some(([value]) => value === "none") || usual[0] === "none";
  notes[isMissing ? verdict : "warn"](title, `${odd.join("; ")}; ${named(usual[1])} ${usual[0]}`, fix);
}

/** The same path on several machines may be one folder or several. */
function noteSharing(what: string, nodes: readonly NodeExamination[], notes: Notes): void {
  const there = nodes.flatMap(({ node, facts }) => {
    const folder = facts?.folders.find((one) => one.what === what);
    return folder?.state === "there" && folder.inode > 0 ? [{ node, ...folder }] : [];
  });
  if (new Set(there.map(({ inode }) => inode)).size < 2) return;
  const text = `${there[0]?.path} is a folder of its own on each node: what a job writes on one is not seen on the others`;
  notes.warn(what, text, "work on a shared file system, or send files with mgpu-srun --bcast and mgpu-sbcast");
}

function named(names: readonly string[]): string {
  const shown = names.slice(0, NAMED_MAX).join(", ");
  return names.length > NAMED_MAX ? `${shown} and ${names.length - NAMED_MAX} more` : shown;
}

/** `+0.0 s`, `-3602.1 s` */
function secondsText(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}
