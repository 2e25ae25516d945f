/**
 * Connected node daemons, at most one a name. A session is only a wire: what a node must do follows from the state,
 * and is told again when it registers.
 */

import type { NodeName } from "../core/ids.ts";
import type { Clock } from "../platform/clock.ts";
import type { Log } from "../platform/log.ts";
import type { Caller } from "../protocol/identity.ts";
import type { NodeVitals, Params } from "../protocol/procedures.ts";
import type { Peer } from "../rpc/types.ts";

export type Registration = Params<"node.register">;

export interface Session {
  readonly peer: Peer;
  readonly registration: Registration;
  /** Whom its connection belongs to, if that comes from another machine. */
  readonly caller?: Caller | undefined;
  /** Starts that no job here accounts for, by JOB.ATTEMPT: until they are cleared away, the node takes no new work. */
  readonly strangers: Set<string>;
}

export interface Sessions {
  /** What a connected node last told of its machine. */
  vitalsOf(node: NodeName): NodeVitals | undefined;
  /** How far a node's clock was before ours when it last told, milliseconds. */
  clockOffsetOf(node: NodeName): number | undefined;
  /** Keeps what the node of a connection tells; that of an older connection counts for nothing. */
  noteVitals(peer: Peer, vitals: NodeVitals): void;
  get(node: NodeName): Session | undefined;
  /** Whether new work may go there: its daemon is connected, and all that runs there is accounted for. */
  isReady(node: NodeName): boolean;
  readonly all: ReadonlyMap<NodeName, Session>;
  /** When a node's connection was lost, milliseconds since 1970; `null` if it is there or never was. */
  lostAt(node: NodeName): number | null;
  /** What a node that is away said last. */
  lastOf(node: NodeName): Registration | undefined;
  /** Takes a node's new connection; an older one is closed. */
  add(session: Session): void;
  /** Ends every session: nodes connect again and start over. */
  closeAll(): void;
}

export interface SessionPorts {
  readonly clock: Clock;
  readonly log: Log;
  /** A node connected. */
  onFound(node: NodeName): void;
  /** A node's connection is gone; nothing was heard of it for so long before. */
  onLost(node: NodeName, silentMs: number): void;
}

/** Signs of life missed before a connection counts as dead. */
const MISSED_MAX = 3;

/** So many signs of life late, a node is asked for one: each tells of itself in time, and half of all messages are saved. */
const LATE = 1.5;

/** Starts with no node connected. A node that did not tell anything for longer than `heartbeatMs` is pinged. */
export function createSessions(ports: SessionPorts, heartbeatMs: number): Sessions {
  const sessions = new Map<NodeName, Session>();
  const vitals = new WeakMap<Peer, NodeVitals>();
  const clocks = new WeakMap<Peer, number>();
  const lost = new Map<NodeName, { readonly at: number; readonly registration: Registration }>();
  const signs = createSigns(ports.clock, heartbeatMs, {
    isThere: (session) => sessions.get(session.registration.name) === session,
    onSilent(session, silentMs) {
      // Not only when it is closed: one whose packets are lost takes its time for that.
      lose(session, "no sign of life", silentMs);
      session.peer.close();
    },
  });

  const lose = (session: Session, problem: string, silentMs: number): void => {
    const { registration } = session;
    const { name } = registration;
    if (sessions.get(name) !== session) return;
    sessions.delete(name);
    lost.set(name, { at: ports.clock.now(), registration });
    ports.log.warn("a node's connection is gone", { node: name, problem });
    ports.onLost(name, silentMs);
  };

  return {
    all: sessions,
    vitalsOf(node) {
      const session = sessions.get(node);
      return session && vitals.get(session.peer);
    },
    noteVitals(peer, told) {
      signs.hear(peer);
      vitals.set(peer, told);
      if (told.now !== undefined) clocks.set(peer, Math.round(told.now - ports.clock.now()));
    },
    clockOffsetOf(node) {
      const session = sessions.get(node);
      return session && clocks.get(session.peer);
    },
    get: (node) => sessions.get(node),
    lostAt: (node) => lost.get(node)?.at ?? null,
    lastOf: (node) => lost.get(node)?.registration,
    isReady: (node) => sessions.get(node)?.strangers.size === 0,
    add(session) {
      const { name } = session.registration;
      const older = sessions.get(name);
      sessions.set(name, session);
      lost.delete(name);
      ports.onFound(name);
      older?.peer.close();
      signs.begin(session);
      void session.peer.closed.then((problem) => lose(session, problem, 0));
    },
    closeAll() {
      for (const session of sessions.values()) session.peer.close();
    },
  };
}

interface SignEvents {
  isThere(session: Session): boolean;
  /** Nothing was heard for so long. */
  onSilent(session: Session, silentMs: number): void;
}

/** Notices who falls silent; whoever is only late is asked. */
function createSigns(clock: Clock, heartbeatMs: number, { isThere, onSilent }: SignEvents) {
  const heardAt = new WeakMap<Peer, number>();
  const [lateMs, goneMs] = [heartbeatMs * LATE, heartbeatMs * (MISSED_MAX + 1)];

  const silentMs = (peer: Peer): number => clock.monotonic() - (heardAt.get(peer) ?? 0);

  const hear = (peer: Peer): void => {
    heardAt.set(peer, clock.monotonic());
  };

  const watch = (session: Session): void => {
    const { peer } = session;
    clock.after(Math.max(1, lateMs - silentMs(peer)), () => {
      if (!isThere(session)) return;
      const silent = silentMs(peer);
      if (silent < lateMs) return watch(session);
      // After this program itself was held up, a node must have time to answer all the same.
      const deadlineMs = Math.max(heartbeatMs, goneMs - silent);
      peer.call("ping", {}, { deadlineMs }).then(
        () => begin(session),
        () => onSilent(session, goneMs),
      );
    });
  };

  const begin = (session: Session): void => {
    hear(session.peer);
    watch(session);
  };

  return { hear, begin };
}
