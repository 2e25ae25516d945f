/** What rows tell of a job beyond its record. Each fact is worked out when it is asked for: listings ask for few. */

import type { Job } from "../core/job.ts";
import { type JobRowExtra, toJobRow } from "../view/job-row.ts";
import { awayReason } from "./away.ts";
import type { ControllerContext } from "./context.ts";
import type { Loop } from "./loop.ts";
import type { Planner } from "./planner.ts";
import { partitionName } from "./select.ts";

/** What facts are taken from. */
type FactSources = Parameters<typeof awayReason>[0] & { readonly loop: Loop; readonly planner: Planner };

/** Facts and rows of any job. */
export function rowsFrom(from: FactSources): Pick<ControllerContext, "factsOf" | "rowOf"> {
  const factsOf = (job: Job): JobFacts => new JobFacts(from, job);
  return { factsOf, rowOf: (job) => toJobRow(job, factsOf(job)) };
}

class JobFacts implements Required<JobRowExtra> {
  readonly #from: FactSources;
  readonly #job: Job;

  constructor(from: FactSources, job: Job) {
    this.#from = from;
    this.#job = job;
  }

  get reason(): string {
    return this.#from.planner.reasonOf(this.#job).word;
  }

  get reasonText(): string {
    return this.#from.planner.reasonOf(this.#job).text || awayReason(this.#from, this.#job);
  }

  get partition(): string {
    return partitionName(this.#from.loop.state, this.#job);
  }

  get dependency(): string {
    return this.#from.planner.dependencyOf(this.#job);
  }

  get priority(): number {
    return this.#from.planner.priorityOf(this.#job);
  }
}
