/**
 * Who may try a handshake: so many at a time from one address, and altogether. What is refused is counted, and told
 * once in a while for each address and reason, so that a flood of callers fills neither memory nor the log.
 */

import type { Socket } from "node:net";

/** Who is told of what happens at the door. */
export interface GateNews {
  /** Somebody was turned away: from where, why, and how often that was so since it was last told. */
  onRefused(from: string, why: string, count: number): void;
}

export interface Gate {
  /** A new connection; one too many is cut at once. */
  admit(socket: Socket): void;
  /** The handshake is done. */
  noteProven(socket: Socket): void;
  noteRefused(from: string, why: string): void;
  /** An identity without a key: the handshake is about to fail. */
  noteUnknown(from: string, identity: string): void;
  close(): void;
}

/** Handshakes under way. A gang of nodes on one machine that starts anew stays below the first. */
const HANDSHAKES_MAX = 512;
const HANDSHAKES_PER_ADDRESS_MAX = 64;

/** Open connections: fifty nodes, and some hundred clients each behind one address. */
const CONNECTIONS_MAX = 4096;
const CONNECTIONS_PER_ADDRESS_MAX = 1024;

/** How often one address and reason is told. */
const TELL_MS = 10_000;

/** Addresses and reasons that are counted apart; further ones share one count. */
const COUNTS_MAX = 256;

/** Of an identity in the log: whoever calls may name anything. */
const NAME_CHARS_MAX = 60;

/** A gate with nobody in it. */
export function createGate({ onRefused }: GateNews): Gate {
  const proving = new Counter();
  const open = new Counter();
  const sockets = new Set<Socket>();
  const proofs = new Map<string, () => void>();
  const refusals = new Refusals(onRefused);

  return {
    admit(socket) {
      const from = socket.remoteAddress ?? "";
      socket.on("error", () => {});
      const problem = proving.problem(from, HANDSHAKES_PER_ADDRESS_MAX, HANDSHAKES_MAX);
      if (problem || open.problem(from, CONNECTIONS_PER_ADDRESS_MAX, CONNECTIONS_MAX)) {
        refusals.note(from, problem ? "too many handshakes at once" : "too many connections");
        socket.destroy();
        return;
      }
      sockets.add(socket);
      open.add(from);
      proving.add(from);
      const name = `${from} ${socket.remotePort}`;
      let isProving = true;
      const stopProving = (): void => {
        if (isProving) proving.remove(from);
        isProving = false;
        if (proofs.get(name) === stopProving) proofs.delete(name);
      };
      proofs.set(name, stopProving);
      socket.once("close", () => {
        stopProving();
        open.remove(from);
        sockets.delete(socket);
      });
    },
    noteProven: (socket) => proofs.get(`${socket.remoteAddress} ${socket.remotePort}`)?.(),
    noteRefused: (from, why) => refusals.note(from, why),
    noteUnknown: (from, identity) => refusals.note(from, `no such key: ${printable(identity)}`),
    close() {
      refusals.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

/** How many there are from each address. */
class Counter {
  private readonly counts = new Map<string, number>();
  private total = 0;

  problem(from: string, perAddress: number, all: number): boolean {
    return this.total >= all || (this.counts.get(from) ?? 0) >= perAddress;
  }

  add(from: string): void {
    this.total += 1;
    this.counts.set(from, (this.counts.get(from) ?? 0) + 1);
  }

  remove(from: string): void {
    this.total -= 1;
    const left = (this.counts.get(from) ?? 1) - 1;
    if (left > 0) this.counts.set(from, left);
    else this.counts.delete(from);
  }
}

/** Tells the first of a kind at once, and how many more there were after a while. */
class Refusals {
  private readonly tell: GateNews["onRefused"];
  private readonly counts = new Map<string, { readonly from: string; readonly why: string; count: number }>();
  private readonly timer: NodeJS.Timeout;

  constructor(tell: GateNews["onRefused"]) {
    this.tell = tell;
    this.timer = setInterval(() => this.flush(), TELL_MS);
    this.timer.unref();
  }

  note(from: string, why: string): void {
    const name = `${from} ${why}`;
    const known = this.counts.get(name);
    if (known) {
      known.count += 1;
    } else if (this.counts.size < COUNTS_MAX) {
      this.counts.set(name, { from, why, count: 0 });
      this.tell(from, why, 1);
    } else {
      const rest = this.counts.get("") ?? { from: "several addresses", why: "various reasons", count: 0 };
      rest.count += 1;
      this.counts.set("", rest);
    }
  }

  close(): void {
    clearInterval(this.timer);
    this.flush();
  }

  private flush(): void {
    for (const { from, why, count } of this.counts.values()) if (count > 0) this.tell(from, why, count);
    this.counts.clear();
  }
}

function printable(text: string): string {
  return text.slice(0, NAME_CHARS_MAX).replace(/[^\x20-\x7e]/g, "?");
}
