/** The way to a controller on another machine, step by step; the first step that fails says enough. */

import type { Credential } from "../../platform/secure.ts";
import { RpcError } from "../../protocol/errors.ts";
import type { Connected } from "../../rpc/types.ts";
import { adviceFor } from "../advice.ts";
import type { DoctorPorts } from "../context.ts";
import { type Finding, type Notes, notesOf } from "./finding.ts";

/** A controller to go to. */
export interface Destination {
  /** `host:port` */
  readonly target: string;
  /** What to prove, and where that was found; `null` if there is no key here. */
  readonly key: (Credential & { readonly source: string }) | null;
}

export interface Way {
  readonly findings: readonly Finding[];
  /** `null` where the way ends before. Close it. */
  readonly connected: Connected | null;
}

type Ports = Pick<DoctorPorts, "prober" | "addresses" | "connect">;

/** A port that hardly anything listens on: a host that lives refuses it. */
const IDLE_PORT = 1;

/** Far slower than this, typing in a session is no pleasure. */
const SLOW_MS = 300;

/** Goes as far as it can, within some twenty seconds. @param version of this program */
export async function goTo(ports: Ports, { target, key }: Destination, version: string): Promise<Way> {
  const notes = notesOf(`the way to ${target}`);
  const at = target.lastIndexOf(":");
  const host = target.slice(0, at).replace(/^\[(.*)\]$/, "$1");
  const port = Number(target.slice(at + 1));
  const end = (connected: Connected | null = null): Way => ({ findings: notes.all, connected });
  const address = await resolve(ports, host, target, notes);
  if (address === null || !(await hasRoute(ports, address, host, notes))) return end();
  if (!(await isOpen(ports, { target, host, address, port }, notes))) return end();
  return end(await shakeHands(ports, { target, key }, version, notes));
}

/** The first number of a name; `null` after a failure was noted. */
async function resolve({ prober, addresses }: Ports, host: string, target: string, notes: Notes) {
  const { code, addresses: found, ms } = await prober.name(host);
  const [first] = found;
  if (code !== "" || first === undefined) {
    const advice = adviceFor({ code: code === "ETIMEDOUT" ? "EAI_AGAIN" : code || "ENOTFOUND" }, target);
    const problem = code === "ETIMEDOUT" ? `no name server answers for ${host}` : (advice?.problem ?? code);
    notes.fail(
      "name",
      problem,
      `use its number in place of the name, or add it to /etc/hosts; getent hosts ${host} must answer`,
    );
    return null;
  }
  if (host === first) {
    notes.ok("name", `${host} is a number`);
    return first;
  }
  const isOurs = addresses.some((own) => found.includes(own)) || host === "localhost";
  if (/^(127\.|::1$)/.test(first) && !isOurs) {
    const text = `${host} is ${first}, which is every machine's own number`;
    notes.warn("name", text, `if ${host} is another machine, give it its own number in /etc/hosts`);
  } else if (ms > 1000) {
    notes.warn(
      "name",
      `${host} is ${found.join(", ")}, which took ${ms} ms to find out`,
      "add it to /etc/hosts, or mend the name server in /etc/resolv.conf",
    );
  } else notes.ok("name", `${host} is ${found.join(", ")}`);
  return first;
}

async function hasRoute({ prober }: Ports, address: string, host: string, notes: Notes): Promise<boolean> {
  const { code, from } = await prober.route(address);
  if (code === "") {
    notes.ok("route", `from ${from}`);
    return true;
  }
  notes.fail(
    "route",
    `this machine knows no way to ${address} (${code})`,
    `is the network or VPN up? ip route get ${address}; ip address shows what is connected; ${host} must be in the same network`,
  );
  return false;
}

interface Door {
  readonly target: string;
  readonly host: string;
  readonly address: string;
  readonly port: number;
}

async function isOpen({ prober, addresses }: Ports, door: Door, notes: Notes): Promise<boolean> {
  const { target, host, address, port } = door;
  const { code, ms } = await prober.port(address, port);
  if (code === "") {
    if (ms > SLOW_MS)
      notes.warn("port", `${port} is open, ${ms} ms away`, "a nearer controller makes sessions pleasant");
    else notes.ok("port", `${port} is open, ${ms} ms away`);
    return true;
  }
  if ((code === "ETIMEDOUT" || code === "EHOSTUNREACH") && prober.isMissed(address)) {
    const text = `no machine of this network has the number ${address}`;
    const fix = `is ${host} switched on, connected, and is that its number now? ip neigh show ${address} must not say FAILED`;
    notes.fail("host", text, fix);
    return false;
  }
  if (code === "ETIMEDOUT") {
    await noteSilence({ prober }, door, notes);
    return false;
  }
  if (code === "ECONNREFUSED" && (addresses.includes(address) || /^(127\.|::1$)/.test(address))) {
    const fix = `mgpu status shows whether mgpu runs here; mgpu up --listen 0.0.0.0:${port} lets it listen at all addresses`;
    notes.fail("port", `this machine is ${host}, and nothing listens at ${address}:${port}`, fix);
    return false;
  }
  const advice = adviceFor({ code }, target);
  notes.fail("port", advice?.problem ?? code, withoutDoctor(advice?.hint ?? `is ${target} right?`));
  return false;
}

/** Whether it is the machine or one port of it that is silent. */
async function noteSilence(
  { prober }: Pick<Ports, "prober">,
  { host, address, port }: Door,
  notes: Notes,
): Promise<void> {
  const other = await prober.port(address, IDLE_PORT);
  const open = `on ${host}: ufw allow ${port}/tcp, or firewall-cmd --add-port=${port}/tcp`;
  if (other.code === "EHOSTUNREACH" || other.code === "ENETUNREACH") {
    const text = `nobody answers at ${address}, and the network says that it can't be reached (${other.code})`;
    return notes.fail("host", text, `is ${host} switched on and in the same network or VPN? ip route get ${address}`);
  }
  if (other.code === "ETIMEDOUT") {
    const text = `no answer at port ${port} or any other: ${host} is off, or a firewall drops all that comes from here`;
    return notes.fail("port", text, `is ${host} switched on? Then ${open}`);
  }
  notes.fail("firewall", `${host} answers, but port ${port} is silent: a firewall drops it`, open);
}

/** TLS, the key, the versions. @returns `null` after a failure was noted */
async function shakeHands(
  ports: Pick<Ports, "connect">,
  { target, key }: Destination,
  version: string,
  notes: Notes,
): Promise<Connected | null> {
  if (key === null) {
    await askWithoutKey(ports, target, notes);
    return null;
  }
  let connected: Connected;
  try {
    connected = await ports.connect(target, key);
  } catch (error) {
    noteRefusal(error, target, key, notes);
    return null;
  }
  const { answer } = connected;
  notes.ok("key", `${key.identity} (${key.source})`);
  noteVersions(answer, version, notes);
  return connected;
}

/** Programs of the same protocol understand each other. */
export function noteVersions(
  answer: { readonly version: string; readonly protocol: { readonly major: number; readonly minor: number } },
  version: string,
  notes: Notes,
): void {
  const protocol = `protocol ${answer.protocol.major}.${answer.protocol.minor}`;
  if (answer.version === version) return notes.ok("version", `mgpu ${version}, ${protocol}`);
  const text = `mgpu ${answer.version} there, ${version} here; both speak ${protocol}`;
  notes.warn("version", text, "install the same version on both, so that each knows what the other can do");
}

/** Who answers can be told from how it refuses a key that nobody has. */
async function askWithoutKey({ connect }: Pick<Ports, "connect">, target: string, notes: Notes): Promise<void> {
  const stranger = { identity: "user/mgpu-doctor/1", key: "00".repeat(32) };
  const fix =
    "mgpu key issue NAME on the controller's machine prints a line for mgpu login; mgpu key token one for mgpu join";
  try {
    (await connect(target, stranger)).peer.close();
  } catch (error) {
    const advice = adviceFor(error, target);
    if (advice?.isFinal) return notes.fail("key", "a controller answers, and there is no key for it here", fix);
    noteRefusal(error, target, stranger, notes);
  }
}

function noteRefusal(error: unknown, target: string, { identity }: Credential, notes: Notes): void {
  if (error instanceof RpcError && error.code === "VERSION") {
    return notes.fail("version", error.message, error.hint ?? "install the same version of mgpu on both sides");
  }
  const advice = adviceFor(error, target);
  const problem = advice?.problem ?? (error instanceof Error ? error.message : String(error));
  const fix = withoutDoctor(advice?.hint ?? `is ${target} right?`);
  notes.fail(advice?.isFinal ? "key" : "answer", advice?.isFinal ? `${identity}: ${problem}` : problem, fix);
}

/** Who reads this has asked the doctor already. */
function withoutDoctor(hint: string): string {
  return hint.replace(/; mgpu doctor\b.*$/, "");
}
