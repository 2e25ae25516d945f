/** Who may call what, and the book in which it is written down: every change, and every refusal. */

import type { PrivateData } from "../../config/settings-security.ts";
import type { Job } from "../../core/job.ts";
import type { User } from "../../core/jobspec.ts";
import { coordinatorsOf } from "../../core/policy/state.ts";
import type { Log } from "../../platform/log.ts";
import { RpcError } from "../../protocol/errors.ts";
import type { Grade } from "../../protocol/identity.ts";
import type { Hello } from "../../protocol/procedures.ts";
import type { Proven } from "../../rpc/serve.ts";
import type { CallContext, Handlers } from "../../rpc/types.ts";
import type { ControllerContext } from "../context.ts";

type Method = keyof Handlers<"controller">;

/** The least grade that a procedure takes. Users, operators and administrators may each do what the one before may. */
type Least = Grade;

/**
 * THE TABLE. Where it says user, the handler still looks whose job it is; where operators may do more, it asks
 * {@link manages}.
 */
export const LEAST: Readonly<Record<Method, Least>> = {
  "job.submit": "user",
  "job.watch": "user",
  "jobs.list": "user",
  "jobs.watch": "user",
  "jobs.history": "user",
  "jobs.cancel": "user",
  "jobs.steer": "user",
  "jobs.get": "user",
  "job.script": "user",
  "job.environment": "user",
  "models.list": "user",
  "feed.submit": "user",
  "feed.watch": "user",
  "feed.list": "user",
  "feed.stop": "user",
  "alloc.add": "administrator",
  "alloc.list": "user",
  "alloc.change": "administrator",
  "job.notify": "user",
  "job.explain": "user",
  "job.output": "user",
  "job.complete": "user",
  "step.create": "user",
  "step.usage": "user",
  "step.door": "user",
  "nodes.list": "user",
  "nodes.watch": "user",
  "partitions.list": "user",
  "reservations.list": "user",
  "licenses.list": "user",
  "cluster.change": "operator",
  "policy.list": "user",
  "policy.change": "user",
  "config.show": "user",
  "priorities.list": "user",
  "shares.list": "user",
  statistics: "user",
  "controller.status": "user",
  "cluster.examine": "user",
  "controller.shutdown": "administrator",
  "controller.reconfigure": "administrator",
  "network.listen": "administrator",
  "key.token": "administrator",
  "key.issue": "administrator",
  "key.list": "administrator",
  "key.revoke": "administrator",
  "node.register": "node",
  "node.report": "node",
  "node.vitals": "node",
  "node.check": "node",
  "node.join": "join",
};

const RANKS: Partial<Record<Grade, number>> = { user: 1, operator: 2, administrator: 3 };

/** What only looks is not written down. */
const CHANGES: ReadonlySet<string> = new Set([
  ...["feed.submit", "feed.watch", "feed.stop", "alloc.add", "alloc.change"],
  ...["job.submit", "jobs.cancel", "jobs.steer", "job.notify", "job.complete", "step.create", "step.door"],
  ...["cluster.change", "policy.change", "controller.shutdown", "controller.reconfigure", "network.listen"],
  ...["key.token", "key.issue", "key.revoke", "node.register", "node.join"],
  // It starts programs on every node.
  "cluster.examine",
]);

/** Of a text in the book. */
const TEXT_CHARS_MAX = 60;

/** Numbers and names of one list in the book. */
const LISTED_MAX = 20;

/** Whose daemons these are. */
interface Owner {
  readonly uid: number;
}

/** Whether a caller's grade is enough for a procedure. Who is on this machine is judged by its uid. */
export function mayCall(method: Method, { caller, user }: Hello, owner: Owner): boolean {
  const least = LEAST[method];
  if (caller) return rank(caller.grade) >= rank(least) && (rank(least) > 0 || caller.grade === least);
  return least !== "administrator" || user.uid === 0 || user.uid === owner.uid;
}

function rank(grade: Grade): number {
  return RANKS[grade] ?? 0;
}

/** Whether somebody may see to what is not its own: root, whose daemons these are, and operators. */
export function manages({ caller, user }: Hello, owner: Owner): boolean {
  if (caller) return rank(caller.grade) >= rank("operator");
  return user.uid === 0 || user.uid === owner.uid;
}

/**
 * Whether somebody may see a job and what is told of it: with PrivateData=jobs others' are as good as not there.
 * @param words of PrivateData that hide it
 */
export function maySee(
  { settings, identity, loop }: Pick<ControllerContext, "settings" | "identity" | "loop">,
  hello: Hello,
  words: readonly PrivateData[] = ["jobs"],
): (job: Job) => boolean {
  const isHidden = words.some((word) => settings.privateData.includes(word));
  if (!isHidden || manages(hello, identity.user)) return () => true;
  const { uid, name } = hello.user;
  const { policy } = loop.state;
  const coordinates = (account: string | null): boolean =>
    account !== null && coordinatorsOf(policy, account).includes(name);
  return ({ spec }) => spec.user.uid === uid || coordinates(spec.account);
}

/** A user of this machine, on a socket that nobody else can open; as what, the configuration or accounting says. */
export function localUser(
  { settings, loop }: Pick<ControllerContext, "settings" | "loop">,
  { uid, gid, name, groups }: User & { readonly groups: readonly number[] },
): Proven {
  const level = loop.state.policy.users.get(name)?.adminLevel;
  const isAdministrator = settings.administrators.includes(name) || level === "Administrator";
  const isOperator = settings.operators.includes(name) || level === "Operator";
  const grade = isAdministrator ? "administrator" : isOperator ? "operator" : "user";
  const caller = { grade, identity: `${name} (uid ${uid})`, name, from: "this machine", isHere: true } as const;
  return { caller, user: { uid, gid, name }, groups };
}

/** As whom the kernel judges a command about jobs: operators of other machines may do what root may. */
export function actingUid({ caller, user }: Hello): number {
  return caller && rank(caller.grade) >= rank("operator") ? 0 : user.uid;
}

/** The handlers behind the table and the book. */
export function guarded(handlers: Handlers<"controller">, owner: Owner, book: Log): Handlers<"controller"> {
  const pairs = Object.entries(handlers).map(([name, handler]) => {
    const method = name as Method;
    return [method, guard(method, handler as never, owner, book)];
  });
  return Object.fromEntries(pairs) as Handlers<"controller">;
}

function guard(method: Method, handler: (...given: unknown[]) => unknown, owner: Owner, book: Log) {
  return async (...given: unknown[]): Promise<unknown> => {
    const { hello } = given.at(-1) as CallContext;
    const facts = { who: whoText(hello), from: hello.caller?.from ?? "this machine", method };
    if (!mayCall(method, hello, owner)) {
      book.warn("denied", { ...facts, ...briefOf(given[0]) });
      throw denial(method, hello);
    }
    try {
      const result = await handler(...given);
      if (isPartlyDenied(result)) book.warn("denied", { ...facts, ...briefOf(given[0]) });
      else if (CHANGES.has(method)) book.info("done", { ...facts, ...briefOf(given[0]), ...resultOf(result) });
      return result;
    } catch (error) {
      const code = error instanceof RpcError ? error.code : "INTERNAL";
      if (code === "PERMISSION") book.warn("denied", { ...facts, ...briefOf(given[0]) });
      else if (CHANGES.has(method)) book.info("refused", { ...facts, ...briefOf(given[0]), code });
      throw error;
    }
  };
}

/** Of several jobs some were refused, which is no error of the call. */
function isPartlyDenied(result: unknown): boolean {
  const jobs = isRecord(result) ? result.jobs : undefined;
  return Array.isArray(jobs) && jobs.some((one) => one?.error?.code === "PERMISSION");
}

function denial(method: Method, { caller }: Hello): RpcError {
  const least = LEAST[method];
  const named = least === "operator" ? "security.operators or security.administrators" : "security.administrators";
  const hint =
    caller === undefined || caller.isHere
      ? `only root and the user who started mgpuctld may do that, and whom ${named} or mgpu-sacctmgr (AdminLevel) names`
      : `the key ${caller.identity} is for ${article(caller.grade)}; ${method} takes ${article(least)}'s key`;
  return new RpcError("PERMISSION", "Access/permission denied", hint);
}

function article(grade: Grade): string {
  return `${/^[aeio]/.test(grade) ? "an" : "a"} ${grade}`;
}

/** `user/ada/1`, or `ada (uid 1000)` for somebody on this machine. */
function whoText({ caller, user }: Hello): string {
  return caller?.identity ?? `${user.name} (uid ${user.uid})`;
}

/** Parameters that are looked into, and what of them is written down. */
const OPENED: ReadonlySet<string> = new Set(["filter", "change", "action", "job", "key"]);
const TOLD = ["ids", "type", "name", "names", "nodes", "jobId", "stepId"];

const SECRET: ReadonlySet<string> = new Set(["token", "key", "environment", "script", "requestId"]);

const TOLD_OF_RESULTS = ["jobId", "stepId", "identity"];

/** What a call is about: its short words and numbers, one level deep. Never scripts, environments, keys or tokens. */
function briefOf(params: unknown): Record<string, unknown> {
  const brief: Record<string, unknown> = {};
  if (!isRecord(params)) return brief;
  for (const name of Object.keys(params)) {
    const value = params[name];
    const plain = plainOf(name, value);
    if (plain !== undefined) brief[name] = plain;
    else if (OPENED.has(name) && isRecord(value)) for (const inner of TOLD) note(brief, inner, value[inner]);
  }
  return brief;
}

function note(brief: Record<string, unknown>, inner: string, value: unknown): void {
  const plain = Array.isArray(value) ? value.slice(0, LISTED_MAX) : plainOf(inner, value);
  if (plain !== undefined && !(Array.isArray(plain) && plain.length === 0)) brief[inner] = plain;
}

function plainOf(name: string, value: unknown): unknown {
  if (SECRET.has(name)) return undefined;
  if (typeof value === "string") return value.slice(0, TEXT_CHARS_MAX);
  return typeof value === "number" || typeof value === "boolean" ? value : undefined;
}

function resultOf(result: unknown): Record<string, unknown> {
  const found: Record<string, unknown> = {};
  if (!isRecord(result)) return found;
  for (const name of TOLD_OF_RESULTS) {
    const value = result[name];
    if (value !== undefined && value !== null) found[name] = value;
  }
  return found;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
