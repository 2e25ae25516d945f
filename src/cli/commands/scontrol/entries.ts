/** Records of jobs from the controller. */

import type { Peer } from "../../../rpc/types.ts";
import type { JobEntry } from "../../../view/job-record.ts";
import { UserError } from "../../context.ts";
import { criteriaOf, type JobTarget, jobFilter, parseJobTarget, splitJobIds } from "../../filters.ts";

/** A listing's records and the controller's time. */
export interface Entries {
  readonly entries: readonly JobEntry[];
  readonly nowMs: number;
}

/** Records of the jobs that meet the criteria, by ascending id. */
export async function loadEntries(peer: Peer, criteria: Parameters<typeof jobFilter>[0]): Promise<Entries> {
  const entries: JobEntry[] = [];
  const { now } = await peer.stream("jobs.get", { filter: jobFilter(criteria) }, ({ jobs }) => {
    entries.push(...jobs);
  });
  return { entries, nowMs: now };
}

/** Records of the jobs that ids name. */
export function loadTargets(peer: Peer, targets: readonly JobTarget[]): Promise<Entries> {
  return loadEntries(peer, criteriaOf(targets));
}

/**
 * Job ids as operands give them, with commas or blanks between.
 * @throws UserError for a word that is none
 */
export function readJobIds(words: readonly string[]): JobTarget[] {
  const texts = splitJobIds(words).filter((text) => text !== "");
  const targets = texts.map((text) => ({ text, target: parseJobTarget(text) }));
  const wrong = targets.filter(({ target }) => target === undefined || target.step !== null);
  if (wrong.length > 0) throw new UserError(wrong.map(({ text }) => `Invalid job id specified for job ${text}`));
  return targets.flatMap(({ target }) => target ?? []);
}
