/** Where each task's stdin, stdout and stderr go: Slurm's words and patterns made into paths. Pure. */

import type { IoSpec } from "./jobspec.ts";
import { defaultOutput, fillPattern, type PatternFacts } from "./patterns.ts";

/** Where a stream comes from. */
type StreamSource = { from: "client" } | { from: "null" } | { from: "file"; path: string };

/** Where a stream goes. */
type StreamTarget = { to: "client" } | { to: "null" } | { to: "file"; path: string; append: boolean };

/** What a task has for its first three descriptors. */
export interface Streams {
  stdin: StreamSource;
  stdout: StreamTarget;
  stderr: StreamTarget | { to: "stdout" };
}

/** What one task's streams depend on. */
export interface StreamFacts extends PatternFacts {
  /** Tasks of the step, on all nodes: tells a task's number from a file named so. */
  readonly tasks: number;
}

/** A terminal has one stream in and one out, whatever -o says. */
export const PTY_STREAMS: Streams = { stdin: { from: "client" }, stdout: { to: "client" }, stderr: { to: "client" } };

/** Streams of a batch script: files, or nothing. Both outputs share one file unless told otherwise. */
export function batchStreams(io: IoSpec, facts: StreamFacts, workDir: string): Streams {
  const file = (pattern: string): StreamTarget => fileTarget(io, pattern, facts, workDir);
  const stdout = file(io.stdout ?? defaultOutput(facts.array !== null));
  const noInput = io.stdin === "none" || io.stdin === "all" || io.stdin === "";
  return {
    stdin: noInput ? { from: "null" } : { from: "file", path: fillPattern(io.stdin, facts, workDir) },
    stdout,
    stderr: joined(stdout, io.stderr === null ? stdout : file(io.stderr)),
  };
}

/** Streams of one task of srun: its client's, one task's only, files or nothing. */
export function taskStreams(io: IoSpec, facts: StreamFacts, workDir: string): Streams {
  const target = (pattern: string | null): StreamTarget => {
    const end = wordEnd(pattern ?? "all", facts);
    return end ? { to: end } : fileTarget(io, pattern ?? "", facts, workDir);
  };
  const input = wordEnd(io.stdin, facts);
  const stdout = target(io.stdout);
  return {
    stdin: input ? { from: input } : { from: "file", path: fillPattern(io.stdin, facts, workDir) },
    stdout,
    stderr: joined(stdout, target(io.stderr ?? io.stdout)),
  };
}

/** What srun's special words mean for a task; `undefined` for a file's pattern. A number means that task alone. */
function wordEnd(word: string, { task, tasks }: StreamFacts): "client" | "null" | undefined {
  if (word === "all") return "client";
  if (word === "none") return "null";
  if (!/^\d{1,9}$/.test(word) || Number(word) >= tasks) return undefined;
  return Number(word) === task ? "client" : "null";
}

function fileTarget(io: IoSpec, pattern: string, facts: StreamFacts, workDir: string): StreamTarget {
  return { to: "file", path: fillPattern(pattern, facts, workDir), append: io.openMode === "append" };
}

/** One open file for both: opened twice, they would overwrite each other. */
function joined(stdout: StreamTarget, stderr: StreamTarget): Streams["stderr"] {
  return stdout.to === "file" && stderr.to === "file" && stdout.path === stderr.path ? { to: "stdout" } : stderr;
}
