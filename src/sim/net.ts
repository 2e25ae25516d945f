/**
 * A network in memory: connections deliver bytes in order after a random delay, and break as real ones do: what was
 * under way is lost, and each side hears of it later, or, in a silent cut, never.
 */

import type { Address, Connection, ConnectionEvents, Listener, Net } from "../platform/net.ts";
import type { SimRandom } from "./random.ts";
import type { SimTime } from "./time.ts";

/** The machine or process that a port of the network belongs to. */
export interface Endpoint {
  readonly name: string;
  isAlive(): boolean;
}

export interface SimNet {
  portFor(endpoint: Endpoint): Net;
  /** Breaks all connections of an endpoint. `silently`: nobody is told, bytes just vanish. */
  cut(name: string, silently: boolean): void;
  /** Longest delay of a delivery. */
  delayMsMax: number;
}

interface Half {
  readonly owner: Endpoint;
  events: ConnectionEvents | null;
  other: Half | null;
  open: boolean;
  /** No delivery may overtake an earlier one. */
  lastArrival: number;
  paused: boolean;
  readonly held: Uint8Array[];
}

interface Service {
  readonly owner: Endpoint;
  readonly accept: (connection: Connection) => ConnectionEvents;
}

/** An empty network. */
export function createSimNet(time: SimTime, random: SimRandom): SimNet {
  return new Network(time, random);
}

class Network implements SimNet {
  delayMsMax = 20;
  readonly #time: SimTime;
  readonly #random: SimRandom;
  readonly #services = new Map<string, Service>();
  readonly #halves = new Set<Half>();

  constructor(time: SimTime, random: SimRandom) {
    this.#time = time;
    this.#random = random;
  }

  portFor(owner: Endpoint): Net {
    return {
      connect: (address, events) => this.#connect(owner, address, events),
      listen: async (address, accept) => this.#listen(owner, address, accept),
      removeStale: ({ path }) => {
        if (!this.#services.get(path)?.owner.isAlive()) this.#services.delete(path);
      },
    };
  }

  cut(name: string, silently: boolean): void {
    for (const half of [...this.#halves]) {
      if (half.owner.name !== name && half.other?.owner.name !== name) continue;
      if (silently) silence(half);
      else this.#drop(half, "ECONNRESET");
    }
  }

  #connect(owner: Endpoint, { path }: Address, events: ConnectionEvents): Promise<Connection> {
    return new Promise((resolve, reject) => {
      this.#later(() => {
        if (!owner.isAlive()) return;
        const service = this.#services.get(path);
        if (!service?.owner.isAlive()) {
          reject(Object.assign(new Error(`connect ECONNREFUSED ${path}`), { code: "ECONNREFUSED" }));
          return;
        }
        const near = this.#half(owner);
        const far = this.#half(service.owner);
        near.other = far;
        far.other = near;
        near.events = events;
        far.events = service.accept(this.#connectionOf(far));
        resolve(this.#connectionOf(near));
      });
    });
  }

  #listen(owner: Endpoint, { path }: Address, accept: Service["accept"]): Listener {
    const present = this.#services.get(path);
    if (present?.owner.isAlive()) throw Object.assign(new Error("EADDRINUSE"), { code: "EADDRINUSE" });
    this.#services.set(path, { owner, accept });
    return { close: () => void this.#services.delete(path) };
  }

  #connectionOf(mine: Half): Connection {
    return {
      write: (data) => {
        this.#send(mine, data);
        return true;
      },
      pause() {
        mine.paused = true;
      },
      resume() {
        mine.paused = false;
        for (const chunk of mine.held.splice(0)) mine.events?.data(chunk);
      },
      close: () => {
        if (!mine.open || !mine.owner.isAlive()) return;
        const to = mine.other;
        if (to) this.#deliver(to, () => this.#end(to, ""));
        this.#later(() => this.#end(mine, ""));
      },
    };
  }

  #send(mine: Half, data: Uint8Array): void {
    const to = mine.other;
    if (!mine.open || !mine.owner.isAlive() || !to) return;
    const copy = data.slice();
    this.#deliver(to, () => {
      if (to.paused) to.held.push(copy);
      else to.events?.data(copy);
    });
  }

  #deliver(to: Half, run: () => void): void {
    const { now } = this.#time;
    const at = Math.max(to.lastArrival, now + 1 + this.#random.below(this.delayMsMax));
    to.lastArrival = at;
    this.#time.after(at - now, () => {
      if (to.open && to.owner.isAlive()) run();
    });
  }

  #end(one: Half, problem: string): void {
    if (!one.open) return;
    one.open = false;
    this.#halves.delete(one);
    if (one.owner.isAlive()) one.events?.close(problem);
  }

  /** Breaks both directions: bytes under way are lost, and each side hears of it after a while. */
  #drop(one: Half, problem: string): void {
    for (const side of [one, one.other]) {
      if (!side?.open) continue;
      side.open = false;
      this.#halves.delete(side);
      this.#later(() => {
        if (side.owner.isAlive()) side.events?.close(problem);
      });
    }
  }

  #half(owner: Endpoint): Half {
    const made = { owner, events: null, other: null, open: true, lastArrival: 0, paused: false, held: [] };
    this.#halves.add(made);
    return made;
  }

  #later(run: () => void): void {
    this.#time.after(1 + this.#random.below(this.delayMsMax), run);
  }
}

/** Bytes vanish from now on, and nobody is told. */
function silence(one: Half): void {
  for (const side of [one, one.other]) if (side) side.other = null;
}
