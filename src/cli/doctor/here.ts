/** This machine and its daemons, whether any runs or not. */

import type { Joined } from "../../config/joined.ts";
import { SOCKET_PATH_BYTES_MAX } from "../../config/places.ts";
import type { MachineFacts } from "../../protocol/doctor-procedures.ts";
import { errnoText } from "../../util/errno.ts";
import { readJoined } from "../commands/mgpu-join.ts";
import { type CommandContext, type DoctorPorts, UserError } from "../context.ts";
import { type Finding, type Notes, notesOf } from "./finding.ts";
import { machineFindings } from "./machine.ts";

const HERE = "this machine";

/** `/controller.sock`, or a holder's name of at most 21 bytes. */
const SOCKET_NAME_BYTES = 24;

/** Looks at the machine. */
export async function examineHere(context: CommandContext, ports: DoctorPorts): Promise<readonly Finding[]> {
  const { places, environment } = context;
  const facts = await ports.examine([{ what: "state folder", path: places.home }]);
  const notes = notesOf(HERE);
  await noteConfiguration(context, notes);
  noteSockets(context, notes);
  noteFirewalls(facts, notes);
  noteOrphans(ports, notes);
  await noteNodeDaemon(context, notes);
  const fakeGpus = (environment.MGPU_FAKE_GPUS ?? "") !== "";
  return [...machineFindings(facts, { where: HERE, fakeGpus, isNode: false }), ...notes.all];
}

/** The same as `mgpu config check`. */
async function noteConfiguration({ environment, files, hostname }: CommandContext, notes: Notes): Promise<void> {
  const { loadConfig } = await import("../../config/load.ts");
  const what = "configuration";
  const found = loadConfig(environment, files, { name: environment.MGPU_NODE_ID ?? "", hostname });
  if ("problems" in found) {
    for (const problem of found.problems) notes.fail(what, problem, "mgpu config check says when it is right");
    return;
  }
  const count = Object.keys(found.file.texts).length;
  notes.ok(what, found.path === null ? "no file, defaults hold" : `${found.path}: ${count} settings`);
}

function noteSockets({ places, files, environment }: CommandContext, notes: Notes): void {
  const what = "sockets";
  const trap = files.trustProblem(places.runtime);
  if (trap !== "") return notes.fail(what, trap, "set XDG_RUNTIME_DIR to a folder of your own");
  const bytes = new TextEncoder().encode(places.runtime).length + SOCKET_NAME_BYTES;
  const given = environment.XDG_RUNTIME_DIR ?? "";
  if (given !== "" && !places.runtime.startsWith(`${given}/`)) {
    const text = `in ${places.runtime}: XDG_RUNTIME_DIR (${given}) is too long, missing or not ours`;
    return notes.warn(what, text, `unset XDG_RUNTIME_DIR, or set it to a short path of your own`);
  }
  notes.ok(what, `in ${places.runtime}, paths of ${bytes} bytes at most (${SOCKET_PATH_BYTES_MAX} are possible)`);
}

function noteFirewalls({ firewalls }: MachineFacts, notes: Notes): void {
  for (const name of firewalls) {
    const allow =
      name === "ufw" ? "ufw allow 7411/tcp" : "firewall-cmd --add-port=7411/tcp --permanent; firewall-cmd --reload";
    notes.warn("firewall", `${name} is switched on here`, `if other machines are to reach a controller here: ${allow}`);
  }
  if (firewalls.length === 0) notes.ok("firewall", "neither ufw nor firewalld is switched on here");
}

function noteOrphans({ orphanedDaemons }: DoctorPorts, notes: Notes): void {
  for (const { pid, program, file } of orphanedDaemons()) {
    const fix = `kill ${pid}; the next start takes over what runs`;
    notes.warn("stale daemon", `${program}, pid ${pid}, was started from ${file}, which is gone`, fix);
  }
}

/** A machine that joined a cluster has a node daemon. */
async function noteNodeDaemon(context: CommandContext, notes: Notes): Promise<void> {
  const joined = joinedOf(context, notes);
  if (joined === null) return;
  const what = "node daemon";
  const found = await (await context.machine()).findNode(joined.node);
  const of = `node ${joined.node} of ${joined.cluster} at ${joined.target}`;
  if (found === null)
    return notes.fail(what, `${of}: mgpud does not run`, "mgpu join starts it, mgpu systemd makes it start by itself");
  if (found.pid === null)
    return notes.fail(
      what,
      `${of}: mgpud does not answer`,
      "it may be stopped: kill -CONT its process, or end it and run mgpu join",
    );
  notes.ok(what, `${of}: mgpud, pid ${found.pid}`);
}

/** What `mgpu join` left here; `null` for nothing. What is wrong with it is noted. */
export function joinedOf(context: CommandContext, notes: Notes | null): Joined | null {
  try {
    return readJoined(context);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    notes?.fail("node daemon", error.message, error.hint ?? `${errnoText(error)}: join again`);
    return null;
  }
}
