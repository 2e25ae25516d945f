/**
 * The way to the holder of a step that is on another machine, or on this one but behind another machine's controller. The
 * controller makes a door that opens once: straight into the node where that can be reached, else through itself.
 */

import type { Credential } from "../../platform/secure.ts";
import { RpcError } from "../../protocol/errors.ts";
import type { AttachPoint } from "../../protocol/procedures.ts";
import type { Connected } from "../../rpc/types.ts";

export interface DoorPorts {
  connect(): Promise<Connected>;
  /** Connects to `host:port` and proves a credential. */
  dial(target: string, credential: Credential): Promise<Connected>;
  /** Where the controller of another machine is; `null` if it is on this one. */
  readonly target: string | null;
}

/** Remembers what it learned: one connection to the controller serves all parts of a step. */
export class Doors {
  private readonly ports: DoorPorts;
  private controller: Promise<Connected> | null = null;

  constructor(ports: DoorPorts) {
    this.ports = ports;
  }

  /** Connects to a step's holder. Rejects with RpcError LOST_CONTACT, NODE_AWAY ..., or the system's error. */
  async open({ key, node, token }: AttachPoint): Promise<Connected> {
    const { peer } = await this.asked();
    const { relay, at } = await peer.call("step.door", { key, node, token }).catch((error: unknown) => {
      // A link that broke without a word would be asked again and again.
      if (error instanceof RpcError && error.code === "DEADLINE") peer.close();
      throw error;
    });
    const target = this.ports.target ?? at;
    if (target === null) throw new RpcError("NODE_AWAY", "the controller listens for no other machines any more");
    return this.ports.dial(target, relay);
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
