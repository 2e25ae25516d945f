/** All that a controller has to do with other machines, put together: keys, the listener, streams that it carries. */

import type { Places } from "../../config/places.ts";
import type { User } from "../../core/jobspec.ts";
import type { Clock } from "../../platform/clock.ts";
import type { Digest } from "../../platform/digest.ts";
import type { Disk } from "../../platform/disk.ts";
import type { Log } from "../../platform/log.ts";
import type { Address } from "../../platform/net.ts";
import type { Random } from "../../platform/random.ts";
import type { Credential, SecureDoor } from "../../platform/secure.ts";
import { RpcError } from "../../protocol/errors.ts";
import { guestSocketOf, holderSocketFor } from "../../protocol/holder-socket.ts";
import type { PeerServer } from "../../rpc/serve.ts";
import type { ControllerContext } from "../context.ts";
import type { Ringer } from "../handlers/examine.ts";
import type { KeyOffice } from "../handlers/keys.ts";
import { holderOwnerOf, sharedSocketOf } from "../launch-order.ts";
import { Keys } from "./keys.ts";
import { jobIdentity, Network } from "./network.ts";
import { type Passage, Relays } from "./relays.ts";

/** What the machine gives a controller that may listen for others. */
export interface OutsidePorts {
  readonly door: SecureDoor;
  /** Where it is written down who did what. */
  readonly book: Log;
  /** This machine as others reach it. */
  hostAddress(): string;
  /** A user of this machine by name or number. */
  findUser(name: string): Promise<User | null>;
  /** Whose daemons these are. */
  readonly owner: User;
  /** Where to listen, `host:port`, above what was said earlier; empty for that. */
  readonly listen: string;
  /** Tries whether a node can be reached. Never rejects. */
  readonly ring: Ringer["ring"];
  /** Numbers of this machine. */
  addresses(): readonly string[];
}

export interface Outside {
  readonly office: KeyOffice;
  readonly relays: Relays;
  readonly ringer: Ringer;
  /** What a start of a job proves to us from another machine. */
  access(jobId: number, attempt: number): Credential;
  /** Begins to listen, where that was asked for. What stands against it is logged, and told by `problem`. */
  serve(server: PeerServer): Promise<void>;
  /** Why nobody listens although somebody should; empty otherwise. */
  problem(): string;
  close(): void;
}

interface Ports {
  readonly clock: Clock;
  readonly disk: Disk;
  readonly random: Random;
  readonly digest: Digest;
  readonly log: Log;
}

/** Reads the keys. Rejects if they can't be read. */
export async function openOutside(
  ports: Ports,
  outside: OutsidePorts,
  places: Pick<Places, "home">,
  context: () => ControllerContext,
): Promise<Outside> {
  const { owner, book, listen } = outside;
  const keys = await Keys.open(ports, `${places.home}/controller/keys.json`);
  const relays = new Relays({
    ...{ clock: ports.clock, log: ports.log, random: ports.random, book },
    credential: (identity) => keys.credential(identity),
    reach: (passage, back) => reach(context(), passage, back),
  });
  let network: Network | null = null;
  let problem = "";
  return {
    relays,
    ringer: {
      random: ports.random,
      ...{ ring: outside.ring, addresses: outside.addresses },
      listen: () => ({ listen: network?.place ?? (listen || keys.listen), target: network?.target ?? null }),
    },
    office: {
      ...{ keys, owner, findUser: outside.findUser },
      get network() {
        if (network === null) throw new RpcError("SHUTTING_DOWN", "the controller is only starting");
        return network;
      },
    },
    access: (jobId, attempt) => keys.credential(jobIdentity(jobId, attempt)),
    problem: () => (network?.target ? "" : problem),
    async serve(server) {
      const setup = {
        ...{ keys, relays, owner, server },
        jobUser: (jobId: number, attempt: number) => runningUser(context(), jobId, attempt),
      };
      network = new Network({ ...ports, ...outside }, setup);
      const address = listen || keys.listen;
      if (!address) return;
      try {
        await network.listen(address);
      } catch (error) {
        problem = `no other machine can reach mgpu: ${(error as Error).message}`;
        ports.log.error(problem);
      }
    },
    close: () => network?.close(),
  };
}

/** A holder of this machine by its socket; of another one by its node daemon. */
async function reach(
  { sessions, loop }: ControllerContext,
  { node, key, isPty, user }: Passage,
  back: () => Credential,
): Promise<Address | null> {
  const session = sessions.get(node);
  if (!session) throw new RpcError("NODE_AWAY", `node ${node} is not connected`);
  const job = loop.state.jobs.get(key.jobId);
  if (!session.caller && job) {
    const path = guestSocketOf(holderSocketFor(sharedSocketOf(session, job), key, isPty));
    return { path, ...holderOwnerOf(session, job) };
  }
  await session.peer.call("node.open", { key, isPty, user, back: back() });
  return null;
}

function runningUser({ loop }: ControllerContext, jobId: number, attempt: number): User | null {
  const job = loop.state.jobs.get(jobId);
  return job?.state === "RUNNING" && job.attempt === attempt ? job.spec.user : null;
}
