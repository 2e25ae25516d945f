/**
 * Specifications in journal and snapshot: what one has in common with that of an earlier job of the same file is not
 * written again, `{"as":12,"but":{"name":"train-2"}}` instead of two kilobytes. A long queue is mostly the same few
 * jobs again and again.
 */

import { keep } from "../util/keep.ts";
import type { Event, JournalRecord } from "./events.ts";
import type { JobId } from "./ids.ts";
import type { JobSpec } from "./jobspec.ts";
import { sharedSpec, withParts } from "./shared-specs.ts";

/** The specification of an earlier job of the file, which stands there in full, but for some wishes. */
interface BriefSpec {
  readonly as: JobId;
  readonly but: Partial<JobSpec>;
}

/** A job with its specification as it is written. */
interface WrittenJob {
  readonly id: JobId;
  readonly spec: JobSpec | BriefSpec;
}

/** Kinds of jobs that are compared with: what users of one cluster submit in turns. */
const BASES_MAX = 8;

/** Kinds of jobs that are known again: many more than one queue has at a time. */
const KINDS_MAX = 2000;

/** What was told by its differences so often stands in full next, and can be named from then on. */
const BRIEF_TIMES = 3;

/** One that differs in more is worth being written in full. */
const DIFFERENCES_MAX = 12;

/** For writing one file from its beginning. */
export class SpecWriter {
  /** Written in full, the newest first. */
  private bases: { readonly id: JobId; readonly spec: Wishes; readonly size: number }[] = [];
  /** All that were written in full, with whose each is. */
  private readonly full = new Map<Wishes, JobId>();
  /** How often others were told by their differences. */
  private readonly told = new Map<Wishes, number>();

  /** The job as it is to be written. It counts as written from then on. */
  job<J extends WrittenJob>(job: J): J {
    const spec = job.spec as unknown as Wishes;
    const brief = this.brief(spec);
    if (brief) return { ...job, spec: brief };
    this.bases = [{ id: job.id, spec, size: Object.keys(spec).length }, ...this.bases.slice(0, BASES_MAX - 1)];
    keep(this.full, spec, job.id, KINDS_MAX);
    return job;
  }

  /** The record as it is to be written. */
  record(record: JournalRecord): JournalRecord {
    if (!record.events.some(isSubmission)) return record;
    return {
      ...record,
      events: record.events.map((event) => (isSubmission(event) ? { ...event, job: this.job(event.job) } : event)),
    };
  }

  /** What was written may be lost: nothing is compared with it any more. */
  forget(): void {
    this.bases = [];
    this.full.clear();
    this.told.clear();
  }

  private brief(spec: Wishes): BriefSpec | null {
    const same = this.full.get(spec);
    if (same !== undefined) return { as: same, but: {} };
    const times = this.told.get(spec) ?? 0;
    if (times >= BRIEF_TIMES) return null;
    const size = Object.keys(spec).length;
    for (const base of this.bases) {
      const but = base.size === size ? differences(base.spec, spec) : null;
      if (but === null) continue;
      keep(this.told, spec, times + 1, KINDS_MAX);
      return { as: base.id, but };
    }
    return null;
  }
}

/** For reading one file from its beginning. What is handed over was just read, and is nobody else's: it is completed in place. */
export class SpecReader {
  private readonly full = new Map<JobId, JobSpec>();
  /** Those told by differences, by what was said. */
  private readonly told = new Map<string, { readonly spec: JobSpec; isShared: boolean }>();

  /** The job as it was. @throws Error if it names one that is not in the file */
  job<J extends WrittenJob>(job: J): J {
    const { spec } = job;
    const whole = "as" in spec ? this.whole(spec) : sharedSpec(spec);
    if (!("as" in spec)) this.full.set(job.id, whole);
    (job as { spec: JobSpec }).spec = whole;
    return job;
  }

  /** The record as it was. @throws Error as {@link job} */
  record(record: JournalRecord): JournalRecord {
    for (const event of record.events) this.event(event);
    return record;
  }

  /** One of a record's events as it was. @throws Error as {@link job} */
  event(event: Event): Event {
    if (isSubmission(event)) this.job(event.job);
    return event;
  }

  private whole({ as, but }: BriefSpec): JobSpec {
    const base = this.full.get(as);
    if (base === undefined) throw new Error(`it asks for what job ${as} asks for, which can't be read`);
    if (Object.keys(but).length === 0) return base;
    const said = `${as} ${JSON.stringify(but)}`;
    const known = this.told.get(said);
    if (known?.isShared) return known.spec;
    // To look for one that says the same costs more than the rest of a line: not for each of many that all differ.
    const spec = known ? sharedSpec(known.spec) : withParts(base, but);
    keep(this.told, said, { spec, isShared: known !== undefined }, KINDS_MAX);
    return spec;
  }
}

type Wishes = Readonly<Record<string, unknown>>;

type Submission = Extract<Event, { readonly type: "job.submitted" }>;

/** What was read from a damaged file may look like an event and lack half of it. */
function isSubmission(event: Event): event is Submission {
  return event.type === "job.submitted" && typeof event.job?.spec === "object" && event.job.spec !== null;
}

/**
 * What the second, of as many wishes, says otherwise; `null` if that is too much, or cannot be told. Equal parts are the same object
 * (core/shared-specs.ts).
 */
function differences(base: Wishes, spec: Wishes): Partial<JobSpec> | null {
  const but: Record<string, unknown> = {};
  let count = 0;
  for (const name in base) {
    if (!(name in spec)) return null;
    const value = spec[name];
    if (value === base[name]) continue;
    // JSON has no undefined: what is not wished any more would come back.
    if (value === undefined || ++count > DIFFERENCES_MAX) return null;
    but[name] = value;
  }
  return but;
}
