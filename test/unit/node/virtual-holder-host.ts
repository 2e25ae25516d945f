/** Sockets on which holders listen, without any: each dial gets a peer that a test scripts. */

import type { Address } from "../../../src/platform/net.ts";
import { RpcError } from "../../../src/protocol/errors.ts";
import type { HolderStep } from "../../../src/protocol/holder.ts";
import type { HelloAnswer } from "../../../src/protocol/procedures.ts";
import type { Connected, Peer } from "../../../src/rpc/types.ts";

export interface Listening {
  readonly answer: HelloAnswer;
  /** Calls so far: method and parameters. */
  readonly calls: [string, unknown][];
  /** What calls answer, by method; an error is thrown. */
  readonly answers: Record<string, unknown>;
  /** Tells all watchers. */
  tell(step: HolderStep): void;
  /** Breaks all connections; it listens on. */
  breakConnections(): void;
  readonly connections: number;
}

export class VirtualHolderHost {
  readonly sockets = new Map<string, Listening>();
  /** Errors for the next dials, first come first served. */
  readonly dialErrors: Error[] = [];
  dials = 0;
  /** Where each dial went, and whose the socket had to be. */
  readonly dialled: Address[] = [];

  listen(socket: string, pid: number, answer: Partial<HelloAnswer> = {}): Listening {
    const watchers = new Set<(step: HolderStep) => void>();
    const ends = new Set<() => void>();
    const listening = {
      answer: { daemon: "mgpu-stepd", protocol: { major: 1, minor: 0 }, version: "1", pid, startedAt: pid, ...answer },
      calls: [] as [string, unknown][],
      answers: {} as Record<string, unknown>,
      tell(step: HolderStep): void {
        for (const watcher of [...watchers]) watcher(step);
      },
      breakConnections(): void {
        for (const end of [...ends]) end();
      },
      get connections() {
        return ends.size;
      },
      connect: () => this.connect(listening as never, watchers, ends),
    } as const;
    this.sockets.set(socket, listening as unknown as Listening);
    return listening as unknown as Listening;
  }

  /** Nobody listens there any more. */
  die(socket: string): void {
    const listening = this.sockets.get(socket);
    this.sockets.delete(socket);
    listening?.breakConnections();
  }

  readonly dial = async (address: Address): Promise<Connected> => {
    const { path: socket } = address;
    this.dials += 1;
    this.dialled.push(address);
    const error = this.dialErrors.shift();
    if (error) throw error;
    const listening = this.sockets.get(socket) as (Listening & { connect(): Connected }) | undefined;
    if (!listening) throw Object.assign(new Error(`connect ENOENT ${socket}`), { code: "ENOENT" });
    return listening.connect();
  };

  private connect(listening: Listening, watchers: Set<(step: HolderStep) => void>, ends: Set<() => void>): Connected {
    let end = (): void => {};
    const closed = new Promise<string>((resolve) => {
      end = () => {
        ends.delete(end);
        resolve("ECONNRESET");
      };
    });
    ends.add(end);
    const lost = closed.then(() => Promise.reject(new RpcError("LOST_CONTACT", "the connection is gone")));
    lost.catch(() => {});
    const call = async (method: string, params: unknown): Promise<unknown> => {
      listening.calls.push([method, params]);
      const answer = listening.answers[method] ?? {};
      if (answer instanceof Error) throw answer;
      return Promise.race([lost, answer]);
    };
    const stream = (_method: string, _params: unknown, onItem: (step: HolderStep) => void): Promise<unknown> => {
      watchers.add(onItem);
      return lost.finally(() => watchers.delete(onItem));
    };
    return { peer: { call, stream, closed, close: end } as unknown as Peer, answer: listening.answer };
  }
}
