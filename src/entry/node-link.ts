/** The node daemon's connection to a controller on another machine, by the key that it was given when it joined. */

import type { Joined } from "../config/joined.ts";
import type { Settings } from "../config/settings.ts";
import { type GuestAddress, Guests } from "../node/guests.ts";
import type { NodeOutside } from "../node/outside.ts";
import type { Clock } from "../platform/clock.ts";
import type { Log } from "../platform/log.ts";
import { realSecureDoor, secureNet } from "../platform/secure.ts";
import type { Hello } from "../protocol/procedures.ts";
import { connectPeer } from "../rpc/connect.ts";
import type { Connected, Handlers } from "../rpc/types.ts";
import { must } from "../util/assert.ts";

export interface NodeLinkSetup {
  /** `null` where the controller is on this machine: then only `address` may be asked. */
  readonly joined: Joined | null;
  /** Reads that again: a new key is taken up with the next connection; `null` if there is nothing to read. */
  again(): Joined | null;
  readonly clock: Clock;
  readonly log: Log;
  readonly hello: Hello;
  /** Where clients on other machines reach the steps of this node. */
  readonly settings: Pick<Settings, "streamListen" | "nodeAddress">;
}

export interface NodeLink {
  connect(handlers: Handlers<"node">): Promise<Connected>;
  /** The address of this machine that the controller sees: the one on the route to it. Empty before a connection. */
  address(): string;
  readonly outside: NodeOutside;
}

/** Not connected yet. */
export function createNodeLink({ joined, again, clock, log, hello, settings }: NodeLinkSetup): NodeLink {
  let address = "";
  let known = joined;
  const now = (): Joined => must(known, "a cluster that was joined");
  const renewed = (): Joined => {
    const found = again();
    if (found?.node === known?.node) known = found;
    return now();
  };
  const door = realSecureDoor();
  const guests = new Guests({ clock, log, door });
  return {
    address: () => address,
    connect(handlers) {
      const { target, ...credential } = renewed();
      const net = secureNet(credential, (local) => {
        address = local;
      });
      return connectPeer({ net, clock, log }, { path: target }, hello, handlers);
    },
    outside: {
      target: joined?.target ?? "",
      bridge: (credential, address) => door.bridge(now().target, credential, address),
      guests,
      async listen(told) {
        const at = streamAddress(settings, address);
        const port = at && (await guests.listen(at));
        if (!port) return [];
        return [...new Set([told, address])].filter((one) => one !== "").map((one) => targetText(one, port));
      },
    },
  };
}

/** `null` for nowhere. */
function streamAddress(
  { streamListen: listen, nodeAddress: address }: NodeLinkSetup["settings"],
  own: string,
): GuestAddress | null {
  if (listen === "none" || own === "") return null;
  const at = listen.lastIndexOf(":");
  // What others are told may be any of this machine's addresses.
  if (listen === "") return { host: address === "" || address === own ? own : "0.0.0.0", port: null };
  return { host: listen.slice(0, at).replace(/^\[(.*)\]$/, "$1") || "0.0.0.0", port: Number(listen.slice(at + 1)) };
}

function targetText(host: string, port: number): string {
  return `${host.includes(":") ? `[${host}]` : host}:${port}`;
}
