/** What the controller told of the jobs that a session follows: one, or the components of a heterogeneous job. */

import type { AttachPoint, JobRow } from "../../protocol/procedures.ts";
import { isEndedFromOutside } from "./messages.ts";

export class Followed {
  /** The first one is the one that messages name. */
  readonly jobIds: readonly number[];
  private readonly rows = new Map<number, JobRow>();
  private points = new Map<string, AttachPoint>();

  constructor(jobIds: readonly number[]) {
    this.jobIds = jobIds;
  }

  /** Takes the newest row of a job, and parts of the step that nobody is attached to yet. */
  add(row: JobRow, points: readonly AttachPoint[]): void {
    this.rows.set(row.id, row);
    for (const point of points) this.points.set(partName(point), point);
  }

  /** The row of what is followed; of several components that of one that somebody ended, else the first one's. */
  get row(): JobRow | null {
    const ended = [...this.rows.values()].find(isEndedFromOutside);
    return ended ?? this.rows.get(this.jobIds[0] ?? 0) ?? null;
  }

  get isOver(): boolean {
    return this.jobIds.every((id) => (this.rows.get(id)?.endAt ?? null) !== null);
  }

  /** Tasks of all jobs. */
  get tasks(): number {
    return [...this.rows.values()].reduce((sum, { tasks }) => sum + tasks, 0);
  }

  /** The parts to attach to. None before all jobs have started: how many tasks there are is known only then. */
  takePoints(): readonly AttachPoint[] {
    if (!this.jobIds.every((id) => (this.rows.get(id)?.startAt ?? null) !== null)) return [];
    const taken = [...this.points.values()];
    this.points = new Map();
    return taken;
  }
}

/** A name for a part: a node may have parts of several components. */
export function partName({ key, node }: AttachPoint): string {
  return `${key.jobId} ${node}`;
}
