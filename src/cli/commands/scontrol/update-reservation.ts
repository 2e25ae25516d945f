/** `scontrol create reservation` and `scontrol update ReservationName=...`. */

import { parseMoment } from "../../../core/begin-time.ts";
import { expand } from "../../../core/hostlist.ts";
import { expected, type Parsed, parseCount } from "../../../core/parse.ts";
import { RESERVATION_FLAGS, type ReservationFlag } from "../../../core/reservation.ts";
import { parseTimeLimit } from "../../../core/time.ts";
import type { ReservationRow } from "../../../protocol/procedures.ts";
import { UserError } from "../../context.ts";
import { type Assignment, type EntityField, readChanges, refused } from "./assignments.ts";
import { changeCluster } from "./cluster-change.ts";
import type { Scope } from "./scope.ts";

/** What the words give; times in milliseconds since 1970. */
interface Wishes {
  readonly startAt?: number;
  readonly endAt?: number;
  readonly durationMs?: number;
  readonly nodes?: readonly string[];
  readonly nodeCount?: number;
  readonly users?: readonly string[];
  readonly accounts?: readonly string[];
  readonly partition?: string | null;
  readonly flags?: readonly ReservationFlag[];
}

type Field = EntityField<Wishes>;

/** A year: what `Duration=infinite` means in Slurm. */
const YEAR_MS = 365 * 86_400_000;

const WHOLE = "reservations are of whole nodes: name Nodes or NodeCnt";
const NONE = "there is none of it here";

/** Flags of Slurm's that can't be kept, and why. */
const REFUSED_FLAGS: Readonly<Record<string, string>> = {
  ANY_NODES: "reservations are of whole nodes",
  FIRST_CORES: "reservations are of whole nodes",
  LICENSE_ONLY: "licenses can't be reserved",
  MAGNETIC: "jobs name their reservation",
  NO_HOLD_JOBS_AFTER_END: "jobs of a reservation that is over are not held: they wait until they name another one",
  PURGE_COMP: "delete the reservation when it is of no more use",
  REPLACE: "its nodes stay as they were chosen",
  REPLACE_DOWN: "its nodes stay as they were chosen",
  TIME_FLOAT: "its time stays as it was given",
};

/** What a field may look at. */
interface Facts {
  readonly scope: Scope;
  readonly present: ReservationRow | undefined;
}

/** Makes a reservation. */
export async function createReservation(name: string, all: readonly Assignment[], scope: Scope): Promise<number> {
  const no = "No reservation created.";
  const wishes = readWishes(all, { scope, present: undefined }, no);
  const { startAt, nodes, nodeCount = 0, users = [], accounts = [], flags = [], partition = null } = wishes;
  if (startAt === undefined) throw new UserError(`A start time must be given.  ${no}`);
  const endAt = endOf(wishes, startAt);
  if (endAt === undefined) throw new UserError(`An end time or duration must be given.  ${no}`);
  const isAll = flags.includes("ALL_NODES") || flags.includes("PART_NODES");
  if (nodes === undefined && nodeCount === 0 && !isAll) {
    throw new UserError(`Nodes or NodeCnt must be specified.  ${no}`);
  }
  if (users.length === 0 && accounts.length === 0) {
    throw new UserError(`Either Users and/or Accounts must be specified.  ${no}`);
  }
  const named: ReservationFlag[] = nodeCount === 0 && !flags.includes("SPEC_NODES") ? ["SPEC_NODES"] : [];
  const reservation = {
    ...{ startAt, endAt, nodes: [...(nodes ?? (isAll ? ["ALL"] : []))], users: [...users], accounts: [...accounts] },
    ...{ partition, flags: [...flags, ...named] },
    utcOffsetMinutes: scope.context.utcOffsetMinutes(startAt),
  };
  const change = { type: "reservation.create", name, reservation, nodeCount } as const;
  const made = await changeCluster(change, scope, "Error creating the reservation");
  if (made === null) return 1;
  if (!scope.show.quiet) scope.context.stdio.out(`Reservation created: ${made}\n`);
  return 0;
}

/** Changes a reservation. */
export async function updateReservation(name: string, all: readonly Assignment[], scope: Scope): Promise<number> {
  const complaint = "Error updating the reservation";
  if (all.length === 0) throw new UserError("No changes specified");
  const peer = await scope.peer(complaint);
  const { reservations } = await peer.call("reservations.list", {});
  const present = reservations.find((one) => one.name === name);
  const wishes = readWishes(all, { scope, present }, "No reservation update.");
  const { durationMs: _, nodeCount = 0, nodes, users, accounts, flags, ...rest } = wishes;
  const endAt = endOf(wishes, wishes.startAt ?? present?.startAt ?? 0);
  const changes = {
    ...rest,
    ...(endAt === undefined ? {} : { endAt }),
    ...(nodes ? { nodes: [...nodes] } : {}),
    ...(users ? { users: [...users] } : {}),
    ...(accounts ? { accounts: [...accounts] } : {}),
    ...(flags ? { flags: [...flags] } : {}),
  };
  const change = { type: "reservation.update", name, changes, nodeCount } as const;
  if ((await changeCluster(change, scope, complaint)) === null) return 1;
  if (!scope.show.quiet) scope.context.stdio.out("Reservation updated.\n");
  return 0;
}

function endOf({ endAt, durationMs }: Wishes, startAt: number): number | undefined {
  return endAt ?? (durationMs === undefined ? undefined : startAt + durationMs);
}

function readWishes(all: readonly Assignment[], facts: Facts, no: string): Wishes {
  const unknown = (word: string): readonly string[] => [`Unknown parameter ${word}.  ${no}`];
  return readChanges(fieldsOf(facts), all, unknown, ["accounts", "users", "flags", "duration"]);
}

function fieldsOf(facts: Facts): Readonly<Record<string, Field>> {
  const { present } = facts;
  const { context } = facts.scope;
  const time =
    (key: "startAt" | "endAt"): Field =>
    (text) => {
      const parsed = parseMoment(text, context.clock.now(), context.utcOffsetMinutes);
      return "problem" in parsed ? parsed : { value: { [key]: parsed.value } };
    };
  const who =
    (key: "users" | "accounts"): Field =>
    (text, { operator }) => {
      const names = text.split(",").filter(Boolean);
      if (names.some((name) => name.startsWith("-"))) return refused("name those who may, not those who may not")();
      const strange = key === "users" ? names.find((name) => !context.files.isUser(name)) : undefined;
      if (strange !== undefined) return { problem: `Invalid user id: ${strange}` };
      return { value: { [key]: combined(present?.[key] ?? [], names, operator) } };
    };
  const users = who("users");
  const accounts = who("accounts");
  return {
    account: accounts,
    accounts,
    burstbuffer: refused(NONE),
    comment: refused("its name can say what it is for"),
    corecnt: refused(WHOLE),
    duration: (text, { operator }) => readDuration(text, operator, present),
    endtime: time("endAt"),
    features: refused("name its nodes"),
    flags: (text, { operator }) => readFlags(text, operator, present?.flags ?? []),
    groups: refused("the groups of users are not known here; use Users or Accounts"),
    licenses: refused("licenses can't be reserved"),
    maxstartdelay: refused(NONE),
    nodecnt: (text) => {
      const parsed = parseCount(text);
      return "problem" in parsed ? parsed : { value: { nodeCount: parsed.value } };
    },
    nodes: (text) => {
      if (/^all$/i.test(text)) return { value: { nodes: ["ALL"] } };
      const nodes = expand(text);
      return nodes && nodes.length > 0 ? { value: { nodes } } : expected("node names such as n[1-3], or ALL", text);
    },
    partitionname: (text) => ({ value: { partition: text === "" ? null : text } }),
    starttime: time("startAt"),
    tres: (text) => {
      const [, count = ""] = /^node=(\d{1,6})$/i.exec(text) ?? [];
      return Number(count) > 0 ? { value: { nodeCount: Number(count) } } : refused(WHOLE)();
    },
    user: users,
    users,
    watts: refused(NONE),
  };
}

function combined<T>(present: readonly T[], words: readonly T[], operator: Assignment["operator"]): readonly T[] {
  if (operator === "=") return [...new Set(words)];
  if (operator === "-=") return present.filter((one) => !words.includes(one));
  return [...new Set([...present, ...words])];
}

function readDuration(
  text: string,
  operator: Assignment["operator"],
  present: ReservationRow | undefined,
): Parsed<Wishes> {
  if (/^(infinite|unlimited)$/i.test(text)) return { value: { durationMs: YEAR_MS } };
  const parsed = parseTimeLimit(text);
  if ("problem" in parsed) return { problem: `Invalid duration ${text}` };
  const ms = parsed.value * 1000;
  const before = present ? present.endAt - present.startAt : 0;
  const durationMs = operator === "=" ? ms : before + (operator === "+=" ? ms : -ms);
  return durationMs > 0 ? { value: { durationMs } } : { problem: `Invalid duration ${text}` };
}

function readFlags(
  text: string,
  operator: Assignment["operator"],
  present: readonly ReservationFlag[],
): Parsed<Wishes> {
  const flags: ReservationFlag[] = [];
  for (const word of text.split(",").filter(Boolean)) {
    const wanted = word.replace(/^[+-]/, "").toUpperCase();
    const flag = RESERVATION_FLAGS.find((one) => one === wanted);
    const why = REFUSED_FLAGS[wanted];
    if (why) return refused(`${wanted}: ${why}`)();
    if (!flag) return { problem: `Error parsing flags ${text}; flags are ${RESERVATION_FLAGS.join(",")}` };
    flags.push(flag);
  }
  return { value: { flags: combined(present, flags, operator) } };
}
