/**
 * Feeds: files of jobs, one job a line, which the controller reads again whenever they change. What has been queued of a
 * file is remembered by the meaning of its lines, so that a file may be edited, read again, and read after a restart
 * without any job running twice.
 */

import type { JobRequest, User } from "../jobspec.ts";
import type { PriorityWord } from "../priority-words.ts";

/** One job of a file. */
export interface FeedLine {
  /** Counted from 1. */
  readonly line: number;
  readonly priority: PriorityWord;
  /** As it was written. */
  readonly script: string;
  /** Name or folder of a conda environment; empty for none. */
  readonly condaEnv: string;
  /** As a shell reads them; may be empty. */
  readonly args: string;
  /** Indices of the GPUs that it may run on; empty for any. */
  readonly allowedGpus: readonly number[];
  /** GPUs as `--gpus` takes them; empty for what its model needs. */
  readonly gpus: string;
  /** Empty for the script's. */
  readonly name: string;
}

/** What is wrong with a line, or with the whole file (line 0), in words. */
export interface LineProblem {
  readonly line: number;
  readonly text: string;
}

/** By what it is seen that a file has changed. */
export interface FileMark {
  /** Bytes. */
  readonly size: number;
  /** Milliseconds since 1970, with fractions where the file system has them. */
  readonly mtimeMs: number;
  readonly inode: number;
}

/** What came of the last reading of a file. */
export interface FeedReading {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly mark: FileMark;
  /** Of the content. */
  readonly digest: string;
  /** Jobs in the file. */
  readonly jobs: number;
  /** The first {@link PROBLEMS_KEPT_MAX}. */
  readonly problems: readonly LineProblem[];
  readonly problemCount: number;
  /** Lines that were refused, and may be taken another time: the file is read again although it is the same. */
  readonly refused: number;
}

/** A file that is watched for a user. */
export interface Feed {
  readonly id: number;
  readonly user: User;
  /** Absolute. */
  readonly path: string;
  /** What all its jobs have in common. */
  readonly template: JobRequest;
  readonly environmentDigest: string;
  /** Milliseconds since 1970. */
  readonly since: number;
  /** Jobs queued so far. */
  readonly queued: number;
  readonly reading: FeedReading | null;
  /** Why the file can't be read now; empty if it can. */
  readonly trouble: string;
}

/** Lines that a file's guard remembers at least. */
export const GUARD_LINES = 10_000;

/** Problems of a reading that are kept. */
export const PROBLEMS_KEPT_MAX = 100;

/** Files that are watched for one user. */
export const FEEDS_PER_USER_MAX = 100;

/** Files whose lines are remembered; those that were read least recently are forgotten first. */
export const GUARDS_MAX = 1000;

/** Under which name a file's lines are remembered. @param source the file's path, with its host where that is another */
export function guardKey(uid: number, source: string): string {
  return `${uid}:${source}`;
}

/** What a line means, whatever it looks like: two of the same text are one job. Its priority is no part of it. */
export function meaningOf(line: FeedLine, workDir: string): string {
  const { script, condaEnv, args, allowedGpus, gpus, name } = line;
  return JSON.stringify([workDir, script, condaEnv, args, allowedGpus, gpus, name]);
}
