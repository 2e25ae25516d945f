/** A line of the log for each job that comes, starts, goes back or ends: which, whose, where, on which GPUs, which attempt. */

import type { Event } from "../core/events.ts";
import type { JobId } from "../core/ids.ts";
import type { Job } from "../core/job.ts";
import { jobLabel } from "../core/job-label.ts";
import type { Allocation } from "../core/resources.ts";
import type { Log } from "../platform/log.ts";

/** A listener for events that have happened in the state. */
export function createJobLog(log: Log, jobOf: (id: JobId) => Job | undefined): (events: readonly Event[]) => void {
  const facts = (id: JobId) => {
    const job = jobOf(id);
    if (!job) return { job: String(id) };
    const { attempt, spec } = job;
    return { job: jobLabel(job), jobId: id, attempt, user: spec.user.name, name: spec.name };
  };
  return (events) => {
    for (const event of events) {
      if (event.type === "job.submitted") log.info("job submitted", facts(event.job.id));
      else if (event.type === "job.allocated")
        log.info("job started", { ...facts(event.jobId), ...place(event.allocation) });
      else if (event.type === "job.requeued") {
        log.info("job goes back into the queue", { ...facts(event.jobId), cause: event.cause });
      } else if (event.type === "job.ended") {
        const { state, exit, cause } = event;
        const at = place(jobOf(event.jobId)?.allocation ?? []);
        const how = { state, exitCode: exit.code, signal: exit.signal, ...(cause === "" ? {} : { cause }) };
        log.info("job ended", { ...facts(event.jobId), ...at, ...how });
      }
    }
  };
}

/** `{nodes: ["n1"], gpus: {n1: [0, 1]}}`; nothing of a job that holds nothing. */
function place(allocation: Allocation): { readonly nodes?: readonly string[]; readonly gpus?: object } {
  if (allocation.length === 0) return {};
  const withGpus = allocation.filter(({ gpus }) => gpus.length > 0);
  return {
    nodes: allocation.map(({ node }) => node),
    gpus: Object.fromEntries(withGpus.map(({ node, gpus }) => [node, gpus.map(({ index }) => index)])),
  };
}
