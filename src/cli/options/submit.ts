/**
 * The options of submission, declared once for all commands that submit, by theme. Each record says what the user
 * types, in which variable it may stand, whether a script may carry it, and how its text is read.
 */

import { ENVIRONMENT } from "./environment.ts";
import { GEOMETRY } from "./geometry.ts";
import { GPU_OPTIONS } from "./gpus.ts";
import { HARDWARE } from "./hardware.ts";
import { IDENTITY } from "./identity.ts";
import { IO } from "./io.ts";
import { LAUNCH } from "./launch.ts";
import { QUEUE } from "./queue.ts";
import type { SubmitOption, Submitter, SupportedOption } from "./record.ts";
import { SESSION } from "./session.ts";
import { TIME } from "./time.ts";

export type { Submitter } from "./record.ts";

type Records =
  | (typeof GEOMETRY)[number]
  | (typeof GPU_OPTIONS)[number]
  | (typeof TIME)[number]
  | (typeof QUEUE)[number]
  | (typeof IO)[number]
  | (typeof SESSION)[number]
  | (typeof ENVIRONMENT)[number]
  | (typeof IDENTITY)[number]
  | (typeof LAUNCH)[number];

type Readable = Extract<Records, { readonly read: unknown }>;
type NameOf<R extends Readable> = R extends { readonly value: infer N extends string } ? N : R["long"];
type ValueOf<P> = P extends { readonly value: infer T } ? T : never;

/** What was asked for, by the option's long name; absent where nobody said anything. */
export type SubmitValues = { readonly [R in Readable as NameOf<R>]?: ValueOf<ReturnType<R["read"]>> };

/** Name of an option's value: its long name, or `await` for sbatch's --wait. */
export type SubmitName = keyof SubmitValues;

/** Every option of submission, in the order of help. */
export const SUBMIT_OPTIONS: readonly SubmitOption[] = [
  ...GEOMETRY,
  ...GPU_OPTIONS,
  ...TIME,
  ...IDENTITY,
  ...QUEUE,
  ...IO,
  ...SESSION,
  ...ENVIRONMENT,
  ...LAUNCH,
  ...HARDWARE,
];

/** The options that a command has. */
export function submitOptions(submitter: Submitter): readonly SubmitOption[] {
  const known = ofSubmitter.get(submitter) ?? SUBMIT_OPTIONS.filter(({ of }) => of.includes(submitter));
  ofSubmitter.set(submitter, known);
  return known;
}

const ofSubmitter = new Map<Submitter, readonly SubmitOption[]>();

/** The name under which an option's value is kept. */
export function valueName(option: SubmitOption): string {
  return isSupported(option) ? (option.value ?? option.long) : option.long;
}

/** Whether an option does something. */
export function isSupported(option: SubmitOption): option is SupportedOption {
  return option.ignored === undefined && option.refused === undefined;
}
