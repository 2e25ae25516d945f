/**
 * `--constraint`: which features a job's nodes must have, e.g. `intel&gpu`, `[rack1|rack2]`, `a*2&b*3`.
 *
 *     expression = term { ("&" | "|") term }     from left to right, as Slurm: "a|b&c" is "(a|b)&c"
 *     term       = factor [ "*" count ]
 *     factor     = "!" factor | name | "(" expression ")"
 *     brackets   = "[" term { "|" term } "]" | "[" term "*" count { "&" ... } "]"      once, wherever a term may stand
 *
 * Source: Slurm's manual of sbatch. `!` is mgpu's own.
 */

import { expected, type Parsed, quote } from "./parse.ts";

export type Constraint =
  | { readonly kind: "feature"; readonly name: string }
  | { readonly kind: "not"; readonly of: Constraint }
  /** At least two members, none of the same kind. */
  | { readonly kind: "and" | "or"; readonly of: readonly Constraint[] }
  /** `[a|b]`: one of them, the same one for all nodes of the job. At least two members. */
  | { readonly kind: "xor"; readonly of: readonly Constraint[] }
  /** At least so many of the job's nodes. Stands alone or is joined to others by `&`, never deeper. */
  | { readonly kind: "count"; readonly of: Constraint; readonly count: number };

/** Longest text and deepest nesting: far above what people write, and safe for recursion. */
const TEXT_MAX = 10_000;
const DEPTH_MAX = 32;

const TOO_DEEP = `expected at most ${DEPTH_MAX} levels of parentheses`;
const MISPLACED_BRACKETS = "expected brackets outside of parentheses and behind no !";
const WHAT = "features such as gpu, intel&gpu, (a|b)&c, [rack1|rack2] or a*2&b*3";

/** Reads a constraint; see the grammar above. */
export function parseConstraint(text: string): Parsed<Constraint> {
  if (text.length > TEXT_MAX) return { problem: `expected a constraint of at most ${TEXT_MAX} characters` };
  const reader: Reader = { tokens: text.match(/[&|()[\]*!]|[^&|()[\]*!\s,]+|[\s,]/g) ?? [], at: 0, brackets: 0 };
  const constraint = readExpression(reader, 0);
  if (typeof constraint === "string") return { problem: `${constraint}, got ${quote(text)}` };
  if (reader.at < reader.tokens.length) return expected(WHAT, text);
  const problem = misplaced(constraint);
  return problem === null ? { value: constraint } : { problem: `${problem}, got ${quote(text)}` };
}

/** The inverse of {@link parseConstraint}: `(a|b)&c`, `[rack1|rack2]`, `a*2&b*3`. */
export function formatConstraint(constraint: Constraint): string {
  switch (constraint.kind) {
    case "feature":
      return constraint.name;
    case "not":
      return `!${formatTerm(constraint.of)}`;
    case "and":
      return constraint.of.map(formatTerm).join("&");
    case "or":
      return constraint.of.map(formatTerm).join("|");
    case "xor":
      return `[${constraint.of.map(formatTerm).join("|")}]`;
    case "count":
      return `${formatTerm(constraint.of)}*${constraint.count}`;
  }
}

/**
 * Whether a node with these features may belong to the job. Counts ask nothing of a single node
 * ({@link constraintCounts}), and of `[a|b]` either will do ({@link constraintAlternatives}).
 */
export function matchesConstraint(constraint: Constraint, features: ReadonlySet<string>): boolean {
  switch (constraint.kind) {
    case "feature":
      return features.has(constraint.name);
    case "not":
      return !matchesConstraint(constraint.of, features);
    case "and":
      return constraint.of.every((one) => matchesConstraint(one, features));
    case "or":
    case "xor":
      return constraint.of.some((one) => matchesConstraint(one, features));
    case "count":
      return true;
  }
}

/** The constraints without brackets of which all nodes of a job must fulfil the same one; itself alone if it has none. */
export function constraintAlternatives(constraint: Constraint): readonly Constraint[] {
  if (constraint.kind === "xor") return constraint.of;
  if (constraint.kind !== "and") return [constraint];
  const at = constraint.of.findIndex((one) => one.kind === "xor");
  const bracket = constraint.of[at];
  if (bracket?.kind !== "xor") return [constraint];
  return bracket.of.map((one) => join("and", [...constraint.of.slice(0, at), one, ...constraint.of.slice(at + 1)]));
}

/** Of how many nodes at least the job asks what: each part must hold on so many of its nodes. */
export function constraintCounts(
  constraint: Constraint,
): readonly { readonly of: Constraint; readonly count: number }[] {
  const members = constraint.kind === "and" ? constraint.of : [constraint];
  return members.flatMap((one) => (one.kind === "count" ? [{ of: one.of, count: one.count }] : []));
}

/** Each feature that is named, once. */
export function constraintFeatures(constraint: Constraint): ReadonlySet<string> {
  const names = new Set<string>();
  const visit = (one: Constraint): void => {
    if (one.kind === "feature") names.add(one.name);
    for (const member of childrenOf(one)) visit(member);
  };
  visit(constraint);
  return names;
}

interface Reader {
  readonly tokens: readonly string[];
  at: number;
  /** Brackets so far. */
  brackets: number;
}

/** The problem, in words, instead of a constraint. */
type Read = Constraint | string;

function readExpression(reader: Reader, depth: number): Read {
  const first = readTerm(reader, depth);
  if (typeof first === "string") return first;
  let members = [first];
  let kind: "and" | "or" | null = null;
  for (let turns = 0; turns <= DEPTH_MAX; ) {
    const operator = reader.tokens[reader.at];
    if (operator !== "&" && operator !== "|") return kind === null ? first : join(kind, members);
    reader.at += 1;
    const right = readTerm(reader, depth);
    if (typeof right === "string") return right;
    const next = operator === "&" ? "and" : "or";
    if (kind !== null && kind !== next) {
      members = [join(kind, members)];
      turns += 1;
    }
    kind = next;
    members.push(right);
  }
  return TOO_DEEP;
}

function readTerm(reader: Reader, depth: number): Read {
  if (reader.tokens[reader.at] === "[") return readBrackets(reader, depth);
  const factor = readFactor(reader, depth);
  return typeof factor === "string" ? factor : readCount(reader, factor);
}

function readFactor(reader: Reader, depth: number): Read {
  if (depth > DEPTH_MAX) return TOO_DEEP;
  const token = reader.tokens[reader.at++];
  if (token === "!") {
    const of = readFactor(reader, depth + 1);
    return typeof of === "string" ? of : { kind: "not", of };
  }
  if (token === "[") return MISPLACED_BRACKETS;
  if (token === "(") {
    const inner = readExpression(reader, depth + 1);
    if (typeof inner === "string") return inner;
    return reader.tokens[reader.at++] === ")" ? inner : 'expected a closing ")"';
  }
  return token === undefined || !/^[^&|()[\]*!\s,]/.test(token) ? `expected ${WHAT}` : { kind: "feature", name: token };
}

/** `*count` after a term, if there is one. */
function readCount(reader: Reader, of: Constraint): Read {
  if (reader.tokens[reader.at] !== "*") return of;
  const count = reader.tokens[reader.at + 1] ?? "";
  reader.at += 2;
  return /^[1-9]\d{0,5}$/.test(count)
    ? { kind: "count", of, count: Number(count) }
    : 'expected a count of nodes after "*"';
}

/** `a|b]` or `a*2&b*3]`. */
function readBrackets(reader: Reader, depth: number): Read {
  reader.at += 1;
  reader.brackets += 1;
  if (reader.brackets > 1) return "expected brackets once at most";
  if (depth > 0) return MISPLACED_BRACKETS;
  const inner = readExpression(reader, depth + 1);
  if (typeof inner === "string") return inner;
  if (reader.tokens[reader.at++] !== "]") return 'expected a closing "]"';
  const counted = inner.kind === "count" || (inner.kind === "and" && inner.of.every((one) => one.kind === "count"));
  if (inner.kind === "or") return { kind: "xor", of: inner.of };
  if (inner.kind === "feature" || counted) return inner;
  return 'expected all "|", or counts joined by "&", within brackets';
}

/** Members of the same kind are taken in, so that there is one form of each constraint. */
function join(kind: "and" | "or", members: readonly Constraint[]): Constraint {
  return { kind, of: members.flatMap((one) => (one.kind === kind ? one.of : [one])) };
}

/** What is wrong with where counts and brackets stand, or with the height of the tree. */
function misplaced(constraint: Constraint): string | null {
  const members = constraint.kind === "and" ? constraint.of : [constraint];
  const below = members.flatMap(childrenOf);
  if (below.some((one) => contains(one, "count"))) return 'counts are joined by "&" only';
  if (below.some((one) => contains(one, "xor"))) return 'brackets are joined to others by "&" only';
  return heightOf(constraint) > DEPTH_MAX ? TOO_DEEP : null;
}

function contains(constraint: Constraint, kind: "count" | "xor"): boolean {
  return constraint.kind === kind || childrenOf(constraint).some((one) => contains(one, kind));
}

function heightOf(constraint: Constraint): number {
  return childrenOf(constraint).reduce((height, one) => Math.max(height, 1 + heightOf(one)), 0);
}

function childrenOf(constraint: Constraint): readonly Constraint[] {
  if (constraint.kind === "feature") return [];
  return constraint.kind === "not" || constraint.kind === "count" ? [constraint.of] : constraint.of;
}

function formatTerm(constraint: Constraint): string {
  const text = formatConstraint(constraint);
  return constraint.kind === "and" || constraint.kind === "or" ? `(${text})` : text;
}
