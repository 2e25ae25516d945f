/**
 * Sessions on a cluster of Slurm's: one file each in the user's state folder, which the login machines and the nodes share.
 * The client makes it, with what is to run; the holder in the job adds where it can be reached, and removes it at the end.
 * Only the user can read it: it holds the token of the session.
 */

import type { PtySpec } from "../core/jobspec.ts";

/** What is to run, as the client asked for it. */
export interface SessionOrder extends PtySpec {
  readonly argv: readonly string[];
  /** Whether the job was submitted for this session alone, and ends with it. */
  readonly isOwnJob: boolean;
  /** Whom it waits for; without it its file is nobody's to remove but its client's and its holder's. */
  readonly awaited?: AwaitedJob;
}

/** The job that a session is to begin in, as its client knew it. */
export interface AwaitedJob {
  /** Which Slurm it was given to: settings that choose one, joined. */
  readonly slurm: string;
  /** Milliseconds since 1970. */
  readonly since: number;
  /** The job that it is to be a step of; `null` for its own, whose output goes to the session's log. */
  readonly stepOf: number | null;
}

/** Where it runs, as its holder tells. */
export interface SessionPlace {
  /** SLURM_CLUSTER_NAME. */
  readonly cluster: string;
  readonly jobId: number;
  /** 1 for the first start of the job. */
  readonly attempt: number;
  readonly stepId: number;
  /** Slurm's name of the node. */
  readonly node: string;
  /** Path of the holder's Unix socket on that node. */
  readonly socket: string;
  readonly token: string;
  /** Milliseconds since 1970. */
  readonly startAt: number;
}

export interface SessionFile {
  readonly order: SessionOrder;
  /** `null` before the holder has started. */
  readonly place: SessionPlace | null;
}

/** The folder of these files. @param home the state folder */
export function sessionFolder(home: string): string {
  return `${home}/slurm-sessions`;
}

/** Ending of the files' names; `.log` has what went wrong before the session began. */
export const SESSION_FILE = ".json";

/** The text of a session's file. */
export function formatSession(session: SessionFile): string {
  return `${JSON.stringify(session)}\n`;
}

/** The inverse of {@link formatSession}; `null` for anything else, and for a file that is just being written. */
export function parseSession(text: string): SessionFile | null {
  let read: unknown;
  try {
    read = JSON.parse(text);
  } catch {
    return null;
  }
  const { order, place } = (read ?? {}) as Partial<SessionFile>;
  if (!isOrder(order)) return null;
  if (place === null) return { order, place };
  return isPlace(place) ? { order, place } : null;
}

function isOrder(order: SessionOrder | undefined): order is SessionOrder {
  if (typeof order !== "object" || order === null) return false;
  const { argv, columns, rows, isOwnJob } = order;
  const isList = Array.isArray(argv) && argv.length > 0 && argv.every((word) => typeof word === "string");
  return (
    isList && [columns, rows].every((size) => Number.isSafeInteger(size) && size > 0) && typeof isOwnJob === "boolean"
  );
}

/** Whom the session of a file waits for; `null` if it has begun, or does not say. */
export function awaitedIn(text: string): AwaitedJob | null {
  const session = parseSession(text);
  const { slurm, since, stepOf } = session?.order.awaited ?? {};
  if (session?.place !== null || typeof slurm !== "string" || typeof since !== "number") return null;
  return { slurm, since, stepOf: typeof stepOf === "number" ? stepOf : null };
}

function isPlace(place: SessionPlace | undefined): place is SessionPlace {
  if (typeof place !== "object" || place === null) return false;
  const { cluster, jobId, attempt, stepId, node, socket, token, startAt } = place;
  const hasTexts = [cluster, node, socket, token].every((text) => typeof text === "string");
  return hasTexts && [jobId, attempt, stepId, startAt].every((number) => Number.isSafeInteger(number) && number >= 0);
}
