/** What a batch system must do so that its machines can be lent: one file implements it for each (slurm.ts). */

import type { AllocationShape, ElasticQueue, ManagerPlace } from "../../core/elastic/records.ts";

/** A job there that holds, or will hold, one of our nodes. */
export interface OuterJob {
  readonly id: string;
  /** Name of the node that it was submitted for. */
  readonly node: string;
  readonly phase: "waiting" | "running" | "over";
  /** Why it waits, or how it ended, in that system's words. */
  readonly why: string;
  /** Its machine's name there; empty before it runs. */
  readonly host: string;
  /** Milliseconds since 1970; `null` while that is not known. */
  readonly endsAt: number | null;
}

/** An allocation that is to be asked for. */
export interface Order {
  readonly queue: Pick<ElasticQueue, "id" | "manager" | "shape" | "limits" | "args" | "place">;
  readonly node: string;
}

/** What would be submitted. */
export interface Draft {
  readonly script: string;
  /** The program with its arguments; the script stands last. */
  readonly argv: readonly string[];
}

/** How a submission went. `unsure`: it may have come through, only a look at the jobs there can say. */
export type Submission =
  | { readonly type: "submitted"; readonly id: string }
  | { readonly type: "refused"; readonly problem: string }
  | { readonly type: "unsure"; readonly problem: string };

/** Nobody there answers at the moment. */
export class ManagerAway extends Error {}

export interface BatchManager {
  /** What it is called in sentences: `Slurm`. */
  readonly title: string;
  /** Why nothing can be asked of it from here, with what to do; empty if it can. */
  problem(place: ManagerPlace): string;
  /** What is wrong with options of its own, a sentence each. */
  argProblems(args: readonly string[]): readonly string[];
  /** A shape in which nothing is left open: CPUs and memory as a node's share for these GPUs. @throws ManagerAway */
  complete(
    shape: Partial<AllocationShape> & Pick<AllocationShape, "gpus" | "timeS">,
    place: ManagerPlace,
  ): Promise<Completed>;
  draft(order: Order): Draft;
  /** Asks whether that would be taken, and submits nothing. @throws ManagerAway */
  test(order: Order): Promise<{ readonly isTaken: boolean; readonly text: string }>;
  submit(order: Order): Promise<Submission>;
  /** All jobs there that are ours, also those that ended lately. @throws ManagerAway */
  list(place: ManagerPlace): Promise<readonly OuterJob[]>;
  /** Ends a job there. Never rejects; one that is over is no matter. */
  cancel(id: string, place: ManagerPlace): Promise<void>;
}

export interface Completed {
  readonly shape: AllocationShape;
  /** Machines of it are others than the controller's. */
  readonly isFar: boolean;
}
