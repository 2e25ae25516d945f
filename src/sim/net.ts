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
  const services = new Map<string, Service>();
  const halves = new Set<Half>();

  const net: SimNet = {
    delayMsMax: 20,
    portFor: (owner) => ({
      connect: (address, events) => connect(owner, address, events),
      listen: async (address, accept) => listen(owner, address, accept),
      removeStale: ({ path }) => {
        if (!services.get(path)?.owner.isAlive()) services.delete(path);
      },
    }),
    cut(name, silently) {
      for (const half of [...halves]) {
        if (half.owner.name !== name && half.other?.owner.name !== name) continue;
        if (silently) silence(half);
        else drop(half, "ECONNRESET");
      }
    },
  };

  const later = (run: () => void): void => void time.after(1 + random.below(net.delayMsMax), run);

  const connect = (owner: Endpoint, { path }: Address, events: ConnectionEvents): Promise<Connection> =>
    new Promise((resolve, reject) => {
      later(() => {
        if (!owner.isAlive()) return;
        const service = services.get(path);
        if (!service?.owner.isAlive()) {
          reject(Object.assign(new Error(`connect ECONNREFUSED ${path}`), { code: "ECONNREFUSED" }));
          return;
        }
        const near = half(owner);
        const far = half(service.owner);
        near.other = far;
        far.other = near;
        near.events = events;
        far.events = service.accept(connectionOf(far));
        resolve(connectionOf(near));
      });
    });

  const listen = (owner: Endpoint, { path }: Address, accept: Service["accept"]): Listener => {
    if (services.get(path)?.owner.isAlive()) throw Object.assign(new Error("EADDRINUSE"), { code: "EADDRINUSE" });
    services.set(path, { owner, accept });
    return { close: () => void services.delete(path) };
  };

  const half = (owner: Endpoint): Half => {
    const made = { owner, events: null, other: null, open: true, lastArrival: 0, paused: false, held: [] };
    halves.add(made);
    return made;
  };

  const deliver = (to: Half, run: () => void): void => {
    const at = Math.max(to.lastArrival, time.now + 1 + random.below(net.delayMsMax));
    to.lastArrival = at;
    time.after(at - time.now, () => {
      if (to.open && to.owner.isAlive()) run();
    });
  };

  const connectionOf = (mine: Half): Connection => ({
    write(data) {
      const to = mine.other;
      if (!mine.open || !mine.owner.isAlive() || !to) return true;
      const copy = data.slice();
      deliver(to, () => {
        if (to.paused) to.held.push(copy);
        else to.events?.data(copy);
      });
      return true;
    },
    pause() {
      mine.paused = true;
    },
    resume() {
      mine.paused = false;
      for (const chunk of mine.held.splice(0)) mine.events?.data(chunk);
    },
    close() {
      if (!mine.open || !mine.owner.isAlive()) return;
      const to = mine.other;
      if (to) deliver(to, () => end(to, ""));
      later(() => end(mine, ""));
    },
  });

  const end = (one: Half, problem: string): void => {
    if (!one.open) return;
    one.open = false;
    halves.delete(one);
    if (one.owner.isAlive()) one.events?.close(problem);
  };

  /** Breaks both directions: bytes under way are lost, and each side hears of it after a while. */
  const drop = (one: Half, problem: string): void => {
    for (const side of [one, one.other]) {
      if (!side?.open) continue;
      side.open = false;
      halves.delete(side);
      later(() => {
        if (side.owner.isAlive()) side.events?.close(problem);
      });
    }
  };

  const silence = (one: Half): void => {
    for (const side of [one, one.other]) if (side) side.other = null;
  };

  return net;
}
