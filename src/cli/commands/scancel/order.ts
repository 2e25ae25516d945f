/** What a scancel is to do. */

import type { JobTarget, jobFilter } from "../../filters.ts";

/** Criteria that only scancel knows: checked here, row by row. Each list is met by one of its members. */
export interface LocalCriteria {
  readonly accounts: readonly string[] | null;
  readonly qos: readonly string[] | null;
  readonly reservations: readonly string[] | null;
  readonly wckeys: readonly string[] | null;
  /** Jobs that have one of these nodes. */
  readonly nodes: readonly string[] | null;
}

export interface Order {
  readonly targets: readonly JobTarget[];
  readonly criteria: Omit<Parameters<typeof jobFilter>[0], "ids" | "tasks" | "components">;
  readonly local: LocalCriteria;
  /** `null` if --signal was not given. */
  readonly signal: number | null;
  /** Whom a signal is for, where no step is named. */
  readonly audience: "steps" | "batch" | "full";
  readonly isInteractive: boolean;
  readonly isQuiet: boolean;
  readonly isVerbose: boolean;
}

/** Whether the jobs must be looked at before anything is done to them. */
export function needsLook({ local, isInteractive }: Order): boolean {
  return isInteractive || Object.values(local).some((list) => list !== null);
}
