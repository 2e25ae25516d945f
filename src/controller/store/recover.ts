/**
 * State from disk: snapshot plus journal.
 *
 * First it is found out, without writing anything, what the disk holds and what has to be mended; then that is done. A
 * torn last line is cut off. Of a file with other damage a copy is kept aside; what is provably complete without the
 * damaged lines is used, the rest is dropped and named, and job ids go on well above any that were dropped.
 */

import type { JournalRecord } from "../../core/events.ts";
import { replay } from "../../core/kernel.ts";
import { type ClusterState, emptyState, fromStored } from "../../core/state.ts";
import type { Disk } from "../../platform/disk.ts";
import {
  describeLoss,
  describeStale,
  idAbove,
  type Loss,
  lossOf,
  noteDamage,
  readJobIdFloor,
  writeJobIdFloor,
} from "./damage.ts";
import { listSegments, segmentName } from "./journal.ts";
import { type ReadOptions, readSegment, type SegmentContent, takeSegment } from "./segment.ts";
import { previousPath, readSnapshot } from "./snapshot.ts";

export interface StorePlaces {
  readonly journalFolder: string;
  readonly snapshotFile: string;
}

export interface Recovered {
  readonly state: ClusterState;
  /** First sequence number of the segment to append to. */
  readonly segment: number;
  /** One sentence for each thing that a crash left and that was mended without loss. */
  readonly messages: readonly string[];
  /** One sentence for each damage, with what was dropped; they are in the note for people too. */
  readonly damage: readonly string[];
}

/** Reads the newest state that the disk holds, mending what a crash or damage left. */
export async function recover(disk: Disk, places: StorePlaces): Promise<Recovered> {
  const plan = await planSafely(disk, places);
  const { state, segment, messages, damage, losses } = plan;
  const floor = await readJobIdFloor(disk, places);
  state.nextJobId = Math.max(state.nextJobId, floor);
  for (const { path, data } of plan.copies) await disk.replace(path, data);
  if (losses.length > 0) {
    state.nextJobId = idAbove(state.nextJobId, losses);
    const stale = describeStale(state, losses);
    if (stale) damage.push(stale);
    damage.push(`job ids go on at ${state.nextJobId}, so that none of a lost job is given again`);
    await writeJobIdFloor(disk, places, state.nextJobId);
  }
  await noteDamage(disk, places, damage);
  // Last, so that a crash in between finds the same damage again.
  for (const mend of plan.mends) await mend();
  return { state, segment, messages, damage };
}

/** What is on disk, and what is to be done about it. */
interface Plan {
  readonly state: ClusterState;
  segment: number;
  readonly messages: string[];
  readonly damage: string[];
  readonly losses: Loss[];
  /** Damaged files as they were. */
  readonly copies: { readonly path: string; readonly data: Uint8Array }[];
  readonly mends: (() => Promise<void>)[];
}

/** A record that reads well and contradicts what came before it. */
interface Misfit {
  readonly seq: number;
  readonly problem: string;
}

/** A record that can't be applied leaves the state half changed: then all is read again, without it. */
async function planSafely(disk: Disk, places: StorePlaces): Promise<Plan> {
  const misfits: Misfit[] = [];
  for (;;) {
    const found = await new Planner(disk, places, misfits).plan();
    if (!("problem" in found)) return found;
    if (misfits.some(({ seq }) => seq === found.seq)) throw new Error(`record ${found.seq}: ${found.problem}`);
    misfits.push(found);
  }
}

class Planner {
  private readonly disk: Disk;
  private readonly places: StorePlaces;
  private readonly misfits: readonly Misfit[];
  /** Names taken in the two folders, so that no copy replaces another. */
  private readonly taken = new Set<string>();
  /** Snapshots that can't be read. */
  private readonly snapshots: Loss[] = [];

  constructor(disk: Disk, places: StorePlaces, misfits: readonly Misfit[]) {
    this.disk = disk;
    this.places = places;
    this.misfits = misfits;
  }

  async plan(): Promise<Plan | Misfit> {
    const { disk, places } = this;
    for (const folder of [places.journalFolder, parentOf(places.snapshotFile)]) {
      for (const name of await disk.list(folder)) this.taken.add(`${folder}/${name}`);
    }
    const plan = await this.fromSnapshot();
    const segments = await listSegments(disk, places.journalFolder);
    plan.segment = segments.at(-1) ?? plan.state.seq + 1;
    for (const [index, first] of segments.entries()) {
      const next = segments[index + 1];
      if (next !== undefined && next <= plan.state.seq + 1) continue;
      const misfit = await this.addSegment(plan, first, next);
      if (misfit === "gap") {
        for (const rest of segments.slice(index + 1)) await this.setAside(plan, rest);
        plan.segment = plan.state.seq + 1;
        break;
      }
      if (misfit) return misfit;
    }
    // Otherwise the journal made up for them.
    if (plan.losses.length > 0 || segments.length === 0) plan.losses.push(...this.snapshots);
    return plan;
  }

  private async fromSnapshot(): Promise<Plan> {
    const { disk, places } = this;
    const plan = {
      segment: 1,
      messages: [],
      damage: [] as string[],
      losses: [],
      copies: [],
      mends: [] as Plan["mends"],
    };
    for (const path of [places.snapshotFile, previousPath(places.snapshotFile)]) {
      try {
        const stored = await readSnapshot(disk, path);
        if (stored) return { ...plan, state: fromStored(stored) };
      } catch (error) {
        const aside = this.asideOf(path);
        this.snapshots.push({ records: [], unread: [new TextDecoder().decode(await disk.read(path))] });
        plan.mends.push(() => disk.rename(path, aside));
        plan.damage.push(
          `${path} can't be read (${(error as Error).message}): kept as ${aside}, an older state is used`,
        );
      }
    }
    return { ...plan, state: emptyState() };
  }

  /** Replays one segment; "gap" if the journal ends before it because records are missing. */
  private async addSegment(plan: Plan, first: number, next: number | undefined): Promise<null | "gap" | Misfit> {
    const { disk, places } = this;
    const name = segmentName(first);
    const path = `${places.journalFolder}/${name}`;
    const { state } = plan;
    const options = { covered: state.seq, refuse: (record: JournalRecord) => this.refusal(record) };
    const quick = await addInOrder(disk, path, options, state);
    if (quick !== "trouble") return quick;
    // Records that were applied by now are passed over.
    const data = await disk.read(path);
    const content = readSegment(data, path, options);
    const start = content.records[0]?.seq ?? first;
    if (start > state.seq + 1) {
      plan.damage.push(`${path}: records ${state.seq + 1} to ${start - 1} are missing before it`);
      await this.setAside(plan, first);
      return "gap";
    }
    const misfit = apply(state, content.records);
    if (misfit) return misfit;
    if (content.trouble?.kind === "torn") {
      const { what, lostBytes } = content.trouble;
      plan.messages.push(`${what}: ${lostBytes} bytes cut off (nothing acknowledged is lost)`);
    }
    if (content.trouble?.kind === "damaged" || content.needless.length > 0) {
      this.keepCopy(plan, path, data, content, next);
    }
    if (content.needless.length > 0) plan.mends.push(() => disk.replace(path, content.clean()));
    else if (content.goodBytes === 0 && data.length > 0) plan.mends.push(() => disk.remove(path));
    else if (content.trouble) plan.mends.push(() => disk.truncate(path, content.goodBytes));
    return null;
  }

  /** Keeps a damaged segment as it was, and says what of it is not used. */
  private keepCopy(
    plan: Plan,
    path: string,
    data: Uint8Array,
    content: SegmentContent,
    next: number | undefined,
  ): void {
    const { needless, trouble, goodBytes } = content;
    const aside = this.asideOf(path);
    plan.copies.push({ path: aside, data });
    const kept = `the file as it was is kept as ${aside}`;
    for (const { line, problem } of needless) {
      plan.damage.push(`${path}, line ${line}: ${problem}; no record is missing without it; ${kept}`);
    }
    if (trouble?.kind !== "damaged") return;
    const loss = lossOf(data.subarray(goodBytes));
    // The next segment is named after the record that it begins with.
    if (loss.records.length === 0 && next === plan.state.seq + 1) {
      plan.damage.push(`${trouble.what}; no record is missing without it; ${kept}`);
      return;
    }
    plan.losses.push(loss);
    plan.damage.push(`${trouble.what}; dropped from there on: ${describeLoss(loss)}; ${kept}`);
  }

  /** Takes a whole segment out of the journal. */
  private async setAside(plan: Plan, first: number): Promise<void> {
    const path = `${this.places.journalFolder}/${segmentName(first)}`;
    const aside = this.asideOf(path);
    const loss = lossOf(await this.disk.read(path));
    plan.losses.push(loss);
    plan.damage.push(
      `${path} can't follow what is missing before it; dropped: ${describeLoss(loss)}; kept as ${aside}`,
    );
    plan.mends.push(() => this.disk.rename(path, aside));
  }

  private refusal({ seq }: JournalRecord): string {
    const misfit = this.misfits.find((one) => one.seq === seq);
    return misfit ? `record ${seq} contradicts those before it: ${misfit.problem}` : "";
  }

  /** `X.damaged`, or the first of `X.damaged-2`, `X.damaged-3` ... that is free. */
  private asideOf(path: string): string {
    for (let number = 1; ; number++) {
      const aside = number === 1 ? `${path}.damaged` : `${path}.damaged-${number}`;
      if (this.taken.has(aside)) continue;
      this.taken.add(aside);
      return aside;
    }
  }
}

/** Replays a segment as long as all is in order; the first record that does not fit is answered. */
async function addInOrder(
  disk: Disk,
  path: string,
  options: ReadOptions,
  state: ClusterState,
): Promise<null | "trouble" | Misfit> {
  let misfit: Misfit | null = null;
  const isWhole = await takeSegment(disk, path, options, (record) => {
    misfit ??= apply(state, [record]);
  });
  return misfit ?? (isWhole ? null : "trouble");
}

/** Replays records one by one: the first that does not fit is answered. */
function apply(state: ClusterState, records: readonly JournalRecord[]): Misfit | null {
  for (const record of records) {
    try {
      replay(state, [record]);
    } catch (error) {
      return { seq: record.seq, problem: (error as Error).message };
    }
  }
  return null;
}

function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf("/"));
}
