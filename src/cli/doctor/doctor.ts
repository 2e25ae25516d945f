/** Puts the parts of `mgpu doctor` together: what is asked in which order, and what is printed. */

import { isSlurmProfile, type KeyProfile } from "../../config/profiles.ts";
import { parseTarget } from "../../protocol/identity.ts";
import type { Result } from "../../protocol/procedures.ts";
import type { Connected } from "../../rpc/types.ts";
import { type CommandContext, type DoctorPorts, UserError } from "../context.ts";
import { NoController } from "../dial.ts";
import { readProfiles, type Target } from "../target.ts";
import { EXIT_USAGE } from "../usage.ts";
import { clusterFindings, compare, NODES } from "./cluster.ts";
import { type Finding, notesOf } from "./finding.ts";
import { examineHere, joinedOf } from "./here.ts";
import { reportText } from "./report.ts";
import { type Destination, goTo, noteVersions } from "./way.ts";

const EXIT_ILL = 1;

/** What was found, and the machines that were looked at, if any were. */
interface Outcome {
  readonly findings: readonly Finding[];
  readonly examined: Result<"cluster.examine"> | null;
}

/**
 * Looks at everything and prints the report.
 * @param host as the user typed it; `null` for the controller that commands speak to
 * @returns the exit code: 1 if something does not work
 */
export async function examineAll(context: CommandContext, host: string | null, isJson: boolean): Promise<number> {
  const ports = await context.doctor();
  const destination = host === null ? null : destinationOf(context, ports, host);
  // At once: what hangs on one side does not hold up the other.
  const [here, there] = await Promise.all([
    examineHere(context, ports),
    destination === null ? examineUsual(context, ports) : examineFar(context, ports, destination),
  ]);
  const findings = [...here, ...there.findings];
  context.stdio.out(isJson ? jsonText(findings, there.examined) : textOf(context, findings, there.examined));
  return findings.some(({ verdict }) => verdict === "fail") ? EXIT_ILL : 0;
}

function textOf({ stdio, environment }: CommandContext, findings: readonly Finding[], examined: Outcome["examined"]) {
  const hasColours = stdio.stdoutIsTerminal && (environment.NO_COLOR ?? "") === "" && environment.TERM !== "dumb";
  return reportText(findings, examined && compare(examined), hasColours);
}

function jsonText(findings: readonly Finding[], examined: Outcome["examined"]): string {
  const worst = (["fail", "warn"] as const).find((verdict) => findings.some((one) => one.verdict === verdict)) ?? "ok";
  return `${JSON.stringify({ verdict: worst, findings, nodes: examined?.nodes ?? [] }, null, 2)}\n`;
}

/** A name of a machine, with the port and the key of a profile, of `mgpu join`, or the usual port. */
function destinationOf(context: CommandContext, ports: DoctorPorts, text: string): Destination {
  const profiles = Object.entries(readProfiles(context).clusters).flatMap(([name, one]): [string, KeyProfile][] =>
    isSlurmProfile(one) ? [] : [[name, one]],
  );
  const joined = joinedOf(context, null);
  const usual = usualTarget(ports);
  const known = [
    ...(!(usual instanceof UserError) && usual.kind === "remote" ? [usual.remote] : []),
    ...profiles.map(([name, profile]) => ({ ...profile, source: `the profile ${name}` })),
    ...(joined ? [{ ...joined, source: "mgpu join" }] : []),
  ];
  const byName = profiles.find(([name]) => name === text)?.[1];
  const hasPort = /:\d+$/.test(text);
  const sameHost = known.find(({ target }) => target.slice(0, target.lastIndexOf(":")) === text);
  const target = byName?.target ?? (hasPort ? null : sameHost?.target) ?? parseTarget(text);
  if (target === null) {
    const hint = "HOST, HOST:PORT or the name of a profile: mgpu doctor gpu0:7411; an IPv6 number needs brackets";
    throw new UserError(`"${text}" names no machine`, hint, EXIT_USAGE);
  }
  return { target, key: known.find((one) => one.target === target) ?? null };
}

/** The controller that commands speak to, and the one that this machine is a node of. */
async function examineUsual(context: CommandContext, ports: DoctorPorts): Promise<Outcome> {
  const own = await examineTarget(context, ports);
  const joined = joinedOf(context, null);
  if (joined === null || own.findings.some(({ where }) => where === `the way to ${joined.target}`)) return own;
  const way = await goTo(ports, { target: joined.target, key: { ...joined, source: "mgpu join" } }, context.version);
  const findings = [...way.findings];
  if (way.connected) {
    const { peer } = way.connected;
    const { connected } = await peer.call("node.check", {}).finally(() => peer.close());
    const notes = notesOf(`the way to ${joined.target}`);
    if (connected) notes.ok("node", `the controller is connected to node ${joined.node}`);
    else
      notes.fail(
        "node",
        `the controller has no connection to node ${joined.node}`,
        "mgpu join starts mgpud here; mgpud.log says what it meets",
      );
    findings.push(...notes.all);
  }
  // Nothing runs here because it runs there: that is no trouble.
  const others = own.examined ? own.findings : [];
  return { findings: [...others, ...findings], examined: own.examined };
}

/** Where commands go, or why they go nowhere. */
function usualTarget({ target }: DoctorPorts): Target | UserError {
  try {
    return target();
  } catch (error) {
    if (error instanceof UserError) return error;
    throw error;
  }
}

async function examineTarget(context: CommandContext, ports: DoctorPorts): Promise<Outcome> {
  const target = usualTarget(ports);
  if (target instanceof UserError) {
    const notes = notesOf("the controller");
    notes.fail("which one", target.message, target.hint ?? "unset MGPU_CONTROLLER");
    return { findings: notes.all, examined: null };
  }
  if (target.kind === "remote") {
    const { remote } = target;
    return examineFar(context, ports, { target: remote.target, key: { ...remote, source: remote.source } });
  }
  if (target.kind === "slurm") return examineSlurm(context, target.place.source);
  return examineNear(context, ports, target.kind === "here");
}

/** Slurm's own controller: whether it answers, and what Slurm itself says of its nodes. */
async function examineSlurm(context: CommandContext, source: string): Promise<Outcome> {
  const notes = notesOf("Slurm");
  try {
    const { peer } = await context.connect({ start: false });
    const { clusterName, problems = [], daemons } = await peer.call("controller.status", {});
    notes.ok("controller", `slurmctld of ${clusterName} answers (Slurm ${daemons[0]?.version ?? "?"}; ${source})`);
    for (const problem of problems) notes.fail("nodes", problem, "mgpu-sinfo -R says why, where Slurm knows it");
  } catch (error) {
    const hint = (error as { readonly hint?: string }).hint ?? "scontrol ping asks it; its log says more";
    notes.fail("controller", error instanceof Error ? error.message : String(error), hint);
  }
  return { findings: notes.all, examined: null };
}

/** A controller of this machine. */
async function examineNear(context: CommandContext, ports: DoctorPorts, isHere: boolean): Promise<Outcome> {
  const notes = notesOf("the controller");
  let connected: Connected;
  try {
    connected = await context.connect({ start: false });
  } catch (error) {
    await noteNoController(error, context, ports, isHere, notes);
    return { findings: notes.all, examined: null };
  }
  notes.ok("running", `mgpuctld, pid ${connected.answer.pid}, on this machine`);
  noteVersions(connected.answer, context.version, notes);
  const outcome = await examineCluster(connected, context, false);
  return { ...outcome, findings: [...notes.all, ...outcome.findings] };
}

async function noteNoController(
  error: unknown,
  context: CommandContext,
  ports: DoctorPorts,
  isHere: boolean,
  notes: ReturnType<typeof notesOf>,
): Promise<void> {
  const message = error instanceof Error ? error.message : String(error);
  const hint = (error as { readonly hint?: string }).hint ?? "";
  const fix = hint.replace(/(; )?mgpu doctor looks closer$/, "");
  const isNobody = error instanceof NoController && error.isNobodyThere;
  if (!isNobody || !isHere) return notes.fail("running", message, fix || "mgpuctld.log may say why");
  const holder = await ports.findController();
  if (holder) return notes.fail("running", message, `kill ${holder.pid ?? "its process"}, then mgpu up`);
  if (!wasLeftRunning(context)) {
    return notes.ok(
      "running",
      "none runs on this machine; the first command that needs one starts it, and so does mgpu up",
    );
  }
  const log = `${context.places.logFolder}/mgpuctld.log`;
  notes.fail(
    "running",
    "the controller that ran on this machine has ended, and not by mgpu down",
    `mgpu up starts it again, jobs run on; ${log} may say why`,
  );
}

/** `mgpu down` forgets the settings of the controller that it ends. */
function wasLeftRunning({ files, places }: CommandContext): boolean {
  try {
    return files.read(places.settingsFile).length > 0;
  } catch {
    return false;
  }
}

async function examineFar(context: CommandContext, ports: DoctorPorts, destination: Destination): Promise<Outcome> {
  const { findings, connected } = await goTo(ports, destination, context.version);
  if (connected === null) return { findings, examined: null };
  // The key of a node may only ask how the controller sees it.
  if (destination.key?.identity.startsWith("node/")) {
    connected.peer.close();
    return { findings, examined: null };
  }
  const outcome = await examineCluster(connected, context, true);
  return { ...outcome, findings: [...findings, ...outcome.findings] };
}

/** @param isFar the controller's clock is another one than this machine's */
async function examineCluster({ peer }: Connected, context: CommandContext, isFar: boolean): Promise<Outcome> {
  const { environment, cwd, clock } = context;
  const asking = { home: environment.HOME ?? "/", cwd, path: environment.PATH ?? "" };
  try {
    const sentAt = clock.now();
    const { now: theirs } = await peer.call("ping", {});
    // Half of the time that the question took was the answer's way.
    const now = isFar ? (sentAt + clock.now()) / 2 : null;
    const [examined, { nodes }, status] = await Promise.all([
      peer.call("cluster.examine", asking),
      peer.call("nodes.list", {}),
      peer.call("controller.status", {}),
    ]);
    const notes = notesOf("the controller");
    const problems = status.problems ?? [status.problem].filter(Boolean);
    for (const problem of problems) notes.fail("state", problem, "mgpu status shows it; mgpuctld.log tells more");
    const found = clusterFindings({ ...examined, now: theirs }, nodes, now);
    return { findings: [...notes.all, ...found], examined };
  } catch (error) {
    const notes = notesOf(NODES);
    const message = error instanceof Error ? error.message : String(error);
    notes.fail(
      "all",
      `the controller can't tell of them: ${message}`,
      "restart it: mgpu down, then mgpu up; jobs run on",
    );
    return { findings: notes.all, examined: null };
  } finally {
    peer.close();
  }
}
