/**
 * A network of machines on one: each is a network namespace with a host name, an address, a home and a state folder of
 * its own, and a cable to a router (a namespace, too). What the router lets pass is changed by policy routing, which
 * needs neither nftables nor iptables. Needs root and iproute2; `Lab.isPossible` tells.
 *
 *     const lab = new Lab({ machines: ["ctl", "n1", "n2"] });
 *     const { ctl, n1 } = lab.machines;             // each is a TestCluster: run(), ok(), submit(), until() ...
 *     await lab.startCluster("ctl", ["n1", "n2"]);  // a controller without GPUs and two nodes that joined it
 *     const mend = lab.cut("n1", "ctl");            // nothing from n1 reaches ctl; the way back stays open
 *     mend();
 *     await lab.stop();                             // daemons ended, namespaces gone, nothing left running
 */

import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, rmdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Running, TestCluster } from "../../integration/support/cluster.ts";

const IP = "/usr/sbin/ip";
const HOSTS_FOLDER = "/etc/netns";
const NET = "10.213";

/** The port at which the lab's controllers listen. */
export const LAB_PORT = 7411;

/** A folder of each machine's own under a path that is the same on all: what one writes there no other one sees. */
export const LAB_OWN = `/tmp/mgl-own-${process.pid}`;

/** Labs of one process. */
let labs = 0;

export interface LabOptions {
  /** Host names, each at most 10 characters: the first has the address 10.213.1.2, the second 10.213.2.2 ... */
  readonly machines: readonly string[];
  /** Variables for everything on all machines. */
  readonly env?: Readonly<Record<string, string>>;
  /** Variables of some machines. */
  readonly envOf?: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** By how much the wall clock of a machine is ahead (negative: behind), in milliseconds. Node programs only see it. */
  readonly clockShiftMs?: Readonly<Record<string, number>>;
  /** Files and folders that a machine sees in place of those at a path: `{ n1: { "/opt/tools": "/tmp/other-tools" } }`. */
  readonly binds?: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

/** Which packets a fault meets: all from one machine to another, or only those of TCP to or from a port. */
export interface Way {
  readonly from: string;
  readonly to: string;
  /** Only packets to this TCP port of `to`. */
  readonly port?: number;
}

interface MachineOptions {
  readonly env: Readonly<Record<string, string>>;
  readonly binds: Readonly<Record<string, string>>;
}

/** A host of the lab. Programs started on it run in its namespaces. */
export class LabMachine extends TestCluster {
  readonly name: string;
  readonly namespace: string;
  readonly number: number;
  /** Its address, without the length of the prefix (24). */
  address: string;

  constructor(name: string, number: number, namespace: string, options: MachineOptions) {
    const { env, binds } = options;
    // `ip netns exec` has given the program a mount namespace of its own.
    const mounts = Object.entries(binds).map(([path, source]) => `mount --bind ${source} ${path}`);
    const own = `mkdir -p "$MGPU_TEST_MARK/own" && mount --bind "$MGPU_TEST_MARK/own" ${LAB_OWN}`;
    const enter = [`hostname ${name}`, own, ...mounts, 'exec "$@"'].join(" && ");
    super({
      env: { MGPU_NODE_ID: name, ...env },
      inside: [IP, "netns", "exec", namespace, "unshare", "--uts", "sh", "-c", enter, "sh"],
    });
    this.name = name;
    this.number = number;
    this.namespace = namespace;
    this.address = `${NET}.${number}.2`;
  }
}

export class Lab {
  /** Whether namespaces can be made here. In CI they must. */
  static readonly isPossible = (process.getuid?.() === 0 && existsSync(IP)) || process.env.CI === "true";

  readonly #prefix = `mgl-${process.pid}-${labs++}`;
  readonly #router = `${this.#prefix}-router`;
  readonly #machines = new Map<string, LabMachine>();
  readonly #relays: Running[] = [];
  /** A rule's place in the router's list; earlier ones win. */
  #rules = 100;

  constructor({ machines, env = {}, envOf = {}, clockShiftMs = {}, binds = {} }: LabOptions) {
    mkdirSync(LAB_OWN, { recursive: true });
    ip("netns", "add", this.#router);
    ip("-n", this.#router, "link", "set", "lo", "up");
    this.#inside(this.#router, "sh", "-c", "cd /proc/sys/net/ipv4 && echo 1 >ip_forward && echo 0 >icmp_ratelimit");
    for (const [index, name] of machines.entries()) {
      const shift = clockShiftMs[name];
      const clock = shift === undefined ? {} : shiftedClock(shift);
      const namespace = `${this.#prefix}-${name}`;
      const options = { env: { ...env, ...envOf[name], ...clock }, binds: binds[name] ?? {} };
      const machine = new LabMachine(name, index + 1, namespace, options);
      this.#machines.set(name, machine);
      this.#plug(machine);
    }
    this.#writeHosts();
  }

  /** All machines by their names. */
  get machines(): Readonly<Record<string, LabMachine>> {
    return Object.fromEntries(this.#machines);
  }

  /** @throws Error if there is no such machine */
  machine(name: string): LabMachine {
    const found = this.#machines.get(name);
    if (!found) throw new Error(`the lab has no machine ${name}`);
    return found;
  }

  /**
   * A controller that is no node itself, listening on all its addresses, and nodes that joined it, one token for all.
   * Returns when all nodes are idle.
   * @returns the line `host:port#token` with which `spare` more machines may join
   */
  async startCluster(controller: string, nodes: readonly string[], spare = 4): Promise<string> {
    const host = this.machine(controller);
    host.start("mgpuctld", ["--listen", `0.0.0.0:${LAB_PORT}`]);
    await host.until(async () => (await host.run("mgpu", ["status"])).code === 0, "the controller answers");
    const line = await this.token(controller, nodes.length + spare);
    await Promise.all(nodes.map((name) => this.machine(name).ok("mgpu", ["join", line])));
    await this.untilNodes(controller, Object.fromEntries(nodes.map((name) => [name, "idle"])));
    return line;
  }

  /** `host:port#token`, good for so many machines. */
  async token(controller: string, uses: number): Promise<string> {
    const host = this.machine(controller);
    const text = await host.ok("mgpu", ["key", "token", "--uses", `${uses}`]);
    const secret = /^mgpu join \S+#(\S+)$/m.exec(text)?.[1];
    if (!secret) throw new Error(`no token in: ${text}`);
    return `${host.address}:${LAB_PORT}#${secret}`;
  }

  /** Polls until nodes have these states, as `sinfo -o %t` writes them: `{ n1: "down*" }`. */
  async untilNodes(controller: string, states: Readonly<Record<string, string>>, patienceMs?: number): Promise<void> {
    const host = this.machine(controller);
    let last = "";
    await host.until(
      async () => {
        last = (await host.run("mgpu-sinfo", ["-h", "-N", "-o", "%N %t"])).stdout;
        return Object.entries(states).every(([name, state]) => last.split("\n").includes(`${name} ${state}`));
      },
      () => `nodes are ${JSON.stringify(states)}, not ${JSON.stringify(last)}`,
      patienceMs,
    );
  }

  /** Loses packets silently, as a firewall that drops. @returns what mends it */
  drop(way: Way): () => void {
    return this.#rule(way, "blackhole");
  }

  /** Loses all packets of one direction. @returns what mends it */
  cut(from: string, to: string): () => void {
    return this.drop({ from, to });
  }

  /** Answers packets with "network unreachable". @returns what mends it */
  unroute(way: Way): () => void {
    return this.#rule(way, "unreachable");
  }

  /** Gives a machine another address; all know its name by the new one. Connections by the old one lead nowhere. */
  move(name: string): string {
    const machine = this.machine(name);
    const parts = machine.address.split(".");
    const address = [...parts.slice(0, 3), Number(parts[3]) + 1].join(".");
    // With its last address the system drops the routes as well.
    ip("-n", machine.namespace, "address", "del", `${machine.address}/24`, "dev", "eth0");
    ip("-n", machine.namespace, "address", "add", `${address}/24`, "dev", "eth0");
    ip("-n", machine.namespace, "route", "replace", "default", "via", gateway(machine));
    machine.address = address;
    this.#writeHosts();
    return address;
  }

  /** Pulls a machine's cable, or plugs it in again. */
  link(name: string, state: "up" | "down"): void {
    ip("-n", this.#router, "link", "set", portOf(this.machine(name)), state);
  }

  /**
   * Listens on a machine, and hands on to another all bytes `delayMs` later, there and back.
   * @returns `host:port` to use instead of the target
   */
  async relay(
    on: string,
    target: { readonly machine: string; readonly port: number },
    delayMs: number,
  ): Promise<string> {
    const host = this.machine(on);
    const port = 9000 + this.#relays.length;
    const to = `${this.machine(target.machine).address}:${target.port}`;
    const program = join(import.meta.dirname, "relay.mjs");
    const running = host.start(process.execPath, [program, `${port}`, to, `${delayMs}`]);
    this.#relays.push(running);
    await host.until(
      () => running.stdout() !== "",
      () => `the relay listens: ${running.stderr()}`,
    );
    return `${host.address}:${port}`;
  }

  /** Ends all daemons as a user would, checks that nothing is left, and removes the network. */
  async stop(): Promise<void> {
    const problems: unknown[] = [];
    for (const { child } of this.#relays) child.kill();
    // Nodes first: a controller that is gone can't be told that they leave.
    for (const machine of [...this.#machines.values()].reverse()) {
      await machine.run("mgpu", ["leave", "--force"]);
      await machine.stop().catch((error: unknown) => problems.push(error));
    }
    for (const { namespace } of this.#machines.values()) this.#remove(namespace);
    this.#remove(this.#router);
    for (const folder of [HOSTS_FOLDER, LAB_OWN]) {
      try {
        rmdirSync(folder);
      } catch {
        // Another lab's, or the machine's own.
      }
    }
    if (problems.length > 0) throw problems[0];
  }

  #remove(namespace: string): void {
    ip("netns", "del", namespace);
    rmSync(join(HOSTS_FOLDER, namespace), { recursive: true, force: true });
  }

  /** Makes a machine's namespace and its cable. */
  #plug(machine: LabMachine): void {
    const { namespace } = machine;
    ip("netns", "add", namespace);
    const port = portOf(machine);
    ip("link", "add", port, "netns", this.#router, "type", "veth", "peer", "name", "eth0", "netns", namespace);
    ip("-n", namespace, "address", "add", `${machine.address}/24`, "dev", "eth0");
    for (const device of ["lo", "eth0"]) ip("-n", namespace, "link", "set", device, "up");
    ip("-n", this.#router, "link", "set", port, "up");
    ip("-n", this.#router, "address", "add", `${gateway(machine)}/24`, "dev", port);
    ip("-n", namespace, "route", "add", "default", "via", gateway(machine));
  }

  #rule({ from, to, port }: Way, action: "blackhole" | "unreachable"): () => void {
    const place = `${this.#rules++}`;
    const match = ["from", netOf(this.machine(from)), "to", netOf(this.machine(to))];
    const tcp = port === undefined ? [] : ["ipproto", "tcp", "dport", `${port}`];
    ip("-n", this.#router, "rule", "add", "pref", place, ...match, ...tcp, action);
    let isThere = true;
    return () => {
      if (isThere) ip("-n", this.#router, "rule", "del", "pref", place);
      isThere = false;
    };
  }

  /** `ip netns exec` shows the files of this folder in place of those of /etc. */
  #writeHosts(): void {
    const all = [...this.#machines.values()];
    const lines = all.map(({ name, address }) => `${address} ${name}`);
    for (const { namespace } of all) {
      const folder = join(HOSTS_FOLDER, namespace);
      mkdirSync(folder, { recursive: true });
      writeFileSync(join(folder, "hosts"), ["127.0.0.1 localhost", ...lines, ""].join("\n"));
      writeFileSync(join(folder, "nsswitch.conf"), "passwd: files\ngroup: files\nhosts: files\n");
    }
  }

  #inside(namespace: string, ...command: string[]): void {
    ip("netns", "exec", namespace, ...command);
  }
}

function ip(...args: string[]): void {
  execFileSync(IP, args, { stdio: "pipe" });
}

/** The router's end of a machine's cable. */
function portOf({ number }: LabMachine): string {
  return `port${number}`;
}

function gateway({ number }: LabMachine): string {
  return `${NET}.${number}.1`;
}

/** All addresses that a machine may have: a fault stays with it when it moves. */
function netOf({ number }: LabMachine): string {
  return `${NET}.${number}.0/24`;
}

function shiftedClock(shiftMs: number): Record<string, string> {
  const file = join(import.meta.dirname, "shifted-clock.cjs");
  return { NODE_OPTIONS: `--require=${file}`, LAB_CLOCK_SHIFT_MS: `${shiftMs}` };
}
