/**
 * The way to the holder of a step that is on another machine, or on this one but behind another machine's controller. The
 * controller makes two ways, each good for one connection: straight to the node, where that can be reached from here, else
 * through the controller.
 */

import type { Clock } from "../../platform/clock.ts";
import { sleep } from "../../platform/clock.ts";
import type { Credential } from "../../platform/secure.ts";
import { RpcError } from "../../protocol/errors.ts";
import type { AttachPoint, Result } from "../../protocol/procedures.ts";
import type { Connected } from "../../rpc/types.ts";

export interface DoorPorts {
  readonly clock: Clock;
  connect(): Promise<Connected>;
  /** Connects to `host:port` and proves a credential. */
  dial(target: string, credential: Credential): Promise<Connected>;
  /** Where the controller of another machine is; `null` if it is on this one. */
  readonly target: string | null;
}

/** A node that was reached, and hung up so often, is not asked again: a holder that only starts is there by then. */
const HANG_UPS_MAX = 10;

/** A firewall that drops says nothing: after a while the other way is tried as well, and the first that leads there is taken. */
const HEAD_START_MS = 1000;

/** After that it is taken for unreachable. */
const DIRECT_MS = 3000;

/** Remembers what it learned: one connection to the controller serves all parts of a step. */
export class Doors {
  private readonly ports: DoorPorts;
  private controller: Promise<Connected> | null = null;
  /** Nodes that could not be reached, with the reason: once is enough. */
  private readonly closed = new Map<string, string>();
  private readonly hangUps = new Map<string, number>();

  constructor(ports: DoorPorts) {
    this.ports = ports;
  }

  /** Connects to a step's holder. Rejects with RpcError LOST_CONTACT, NODE_AWAY ..., or the system's error. */
  async open({ key, node, token }: AttachPoint): Promise<Connected> {
    const { peer } = await this.asked();
    const { relay, at, direct } = await peer.call("step.door", { key, node, token }).catch((error: unknown) => {
      // A link that broke without a word would be asked again and again.
      if (error instanceof RpcError && error.code === "DEADLINE") peer.close();
      throw error;
    });
    const straight = this.straight(node, direct);
    const isWaitOver = sleep(this.ports.clock, HEAD_START_MS).then(() => "late" as const);
    const reached = await Promise.race([straight, isWaitOver]);
    if (reached !== "late" && reached !== null) return reached;
    const why = this.closed.get(node) ?? (reached === "late" ? `${direct?.targets[0]} has not answered yet` : "");
    const relayed = this.relayed(this.ports.target ?? at, relay, why);
    return reached === null ? relayed : firstOf(straight, relayed);
  }

  private async relayed(target: string | null, relay: Credential, why: string): Promise<Connected> {
    if (target === null) throw new RpcError("NODE_AWAY", "the controller listens for no other machines any more");
    const way = `through the controller at ${target}${why === "" ? "" : `: ${why}`}`;
    return { ...(await this.ports.dial(target, relay)), way };
  }

  /** `null` where the node can't be reached. Rejects with LOST_CONTACT where it can, and the step is not there (yet). */
  private async straight(node: string, direct: Result<"step.door">["direct"]): Promise<Connected | null> {
    if (!direct || this.closed.has(node)) return null;
    const { targets, ...credential } = direct;
    const endMs = this.ports.clock.monotonic() + DIRECT_MS;
    let why = "";
    for (const target of targets) {
      try {
        return { ...(await this.inTime(target, credential, endMs)), way: `straight to ${target}` };
      } catch (error) {
        if (isHangUp(error) && this.mayHangUp(node)) throw error;
        why ||= `${target} can't be reached (${(error as { code?: string }).code ?? "no answer"})`;
      }
    }
    this.closed.set(node, why);
    return null;
  }

  private mayHangUp(node: string): boolean {
    const count = (this.hangUps.get(node) ?? 0) + 1;
    this.hangUps.set(node, count);
    return count < HANG_UPS_MAX;
  }

  private inTime(target: string, credential: Credential, endMs: number): Promise<Connected> {
    const { clock, dial } = this.ports;
    const dialling = dial(target, credential);
    let isLate = false;
    const late = sleep(clock, Math.max(0, endMs - clock.monotonic())).then(() => {
      isLate = true;
      throw new RpcError("DEADLINE", `no answer from ${target}`);
    });
    late.catch(() => {});
    dialling.then(
      ({ peer }) => isLate && peer.close(),
      () => {},
    );
    return Promise.race([dialling, late]);
  }

  private asked(): Promise<Connected> {
    this.controller ??= this.ports.connect().then((connected) => {
      void connected.peer.closed.then(() => {
        this.controller = null;
      });
      return connected;
    });
    this.controller.catch(() => {
      this.controller = null;
    });
    return this.controller;
  }
}

/** Whichever leads there first; the other one is closed once it does. Rejects as the second, if none does. */
async function firstOf(straight: Promise<Connected | null>, relayed: Promise<Connected>): Promise<Connected> {
  const ways = [straight.then((found) => found ?? relayed), relayed];
  const first = await Promise.any(ways).catch(() => relayed);
  for (const way of [straight, relayed]) {
    way.then(
      (other) => other !== null && other !== first && other.peer.close(),
      () => {},
    );
  }
  return first;
}

/** Somebody took the call, and ended it. */
function isHangUp(error: unknown): boolean {
  return error instanceof RpcError && error.code === "LOST_CONTACT";
}
