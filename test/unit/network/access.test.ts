import { describe, expect, test } from "vitest";
import {
  actingUid,
  guarded,
  LEAST,
  localUser,
  manages,
  mayCall,
  maySee,
} from "../../../src/controller/network/access.ts";
import type { AdminLevel, PolicyChange } from "../../../src/core/policy/records.ts";
import { policyFrom } from "../../../src/core/policy/state.ts";
import { GRADES, type Grade } from "../../../src/protocol/identity.ts";
import { type Hello, PROCEDURES } from "../../../src/protocol/procedures.ts";
import { LAB, policyOf } from "../support/policy.ts";

const OWNER = { uid: 500 };

type Method = keyof typeof LEAST;

function hello(grade: Grade | null, uid = 1000): Hello {
  const caller = grade && { grade, identity: `${grade}/x/1`, name: "x", from: "10.0.0.9" };
  const said = { role: "operator" as const, protocol: { major: 1, minor: 0 }, version: "1" };
  return { ...said, user: { uid, gid: 1, name: "x" }, ...(caller ? { caller } : {}) };
}

describe("the table of who may call what", () => {
  test("names every procedure of the controller, and no other", () => {
    const own = Object.entries(PROCEDURES).flatMap(([name, { on }]) => (on === "controller" ? [name] : []));
    expect(Object.keys(LEAST).sort()).toEqual(own.sort());
  });

  test("a matrix of grades and kinds of procedures", () => {
    const methods: Method[] = ["jobs.list", "cluster.change", "key.issue", "node.report", "node.join"];
    const matrix = GRADES.map((grade) => [
      grade,
      methods.filter((method) => mayCall(method, hello(grade), OWNER)).join(" "),
    ]);
    expect(matrix).toEqual([
      ["user", "jobs.list"],
      ["operator", "jobs.list cluster.change"],
      ["administrator", "jobs.list cluster.change key.issue"],
      ["node", "node.report"],
      ["join", "node.join"],
    ]);
  });

  test("on this machine the uid decides", () => {
    expect([0, 500, 1000].map((uid) => mayCall("key.issue", hello(null, uid), OWNER))).toEqual([true, true, false]);
    expect([0, 500, 1000].map((uid) => manages(hello(null, uid), OWNER))).toEqual([true, true, false]);
  });

  test("a uid is worth nothing without its grade, and a grade needs no uid", () => {
    expect(manages(hello("user", 500), OWNER)).toBe(false);
    expect(manages(hello("node", 0), OWNER)).toBe(false);
    expect([actingUid(hello("user", 7)), actingUid(hello("operator", 7)), actingUid(hello(null, 7))]).toEqual([
      7, 0, 7,
    ]);
  });
});

describe("a user of this machine", () => {
  const ADA = { uid: 1000, gid: 100, name: "ada", groups: [100] };
  const vision = { name: "vision", description: "", organization: "", coordinators: ["ada"] };
  const changes: PolicyChange[] = [{ put: "account", record: vision }];
  const userOf = (adminLevel?: AdminLevel): PolicyChange[] =>
    adminLevel ? [{ put: "user", record: { name: "ada", defaultAccount: "", adminLevel } }] : [];
  const known = (settings: object, adminLevel?: AdminLevel) =>
    ({
      settings: { operators: [], administrators: [], privateData: [], ...settings },
      identity: { user: OWNER },
      loop: {
        state: {
          policy: policyFrom(policyOf([...LAB, ...changes, ...userOf(adminLevel)])),
        },
      },
    }) as never;

  test("is what the configuration or accounting says, and never a node", () => {
    const gradeOf = (settings: object, level?: AdminLevel) => localUser(known(settings, level), ADA).caller.grade;
    expect(gradeOf({})).toBe("user");
    expect(gradeOf({ operators: ["ada"] })).toBe("operator");
    expect(gradeOf({ operators: ["ada"], administrators: ["ada"] })).toBe("administrator");
    expect(gradeOf({}, "Operator")).toBe("operator");
    expect(gradeOf({}, "Administrator")).toBe("administrator");
    const { caller } = localUser(known({}), ADA);
    const said = { ...hello(null), user: ADA, caller };
    const may = (["node.register", "node.join", "key.issue", "jobs.list"] as const).map((method) =>
      mayCall(method, said, OWNER),
    );
    expect(may).toEqual([false, false, false, true]);
  });

  test("sees others' jobs unless they are private, and always its own and those of accounts that it coordinates", () => {
    const job = (uid: number, account: string | null) => ({ spec: { user: { uid }, account } }) as never;
    const jobs = [job(1000, null), job(7, "vision"), job(7, null)];
    const seenBy = (settings: object, said: Hello) => jobs.map(maySee(known(settings), said));
    const ada = { ...hello("user"), user: { uid: 1000, gid: 100, name: "ada" } };
    expect(seenBy({}, ada)).toEqual([true, true, true]);
    expect(seenBy({ privateData: ["jobs"] }, ada)).toEqual([true, true, false]);
    expect(seenBy({ privateData: ["jobs"] }, hello("operator"))).toEqual([true, true, true]);
  });
});

describe("the book", () => {
  async function call(method: Method, grade: Grade, handler: () => unknown, params: unknown = {}) {
    const lines: unknown[] = [];
    const write =
      (level: string) =>
      (message: string, fields: object = {}) =>
        void lines.push({ level, message, ...fields });
    const book = { debug: write("debug"), info: write("info"), warn: write("warn"), error: write("error") };
    const table = guarded({ [method]: handler } as never, OWNER, book);
    const said = hello(grade);
    const outcome = await (table[method] as (...given: unknown[]) => Promise<unknown>)(params, { hello: said }).catch(
      (error: { code: string; hint: string }) => `${error.code}: ${error.hint}`,
    );
    return { lines, outcome };
  }

  test("a denial is written down, and the handler never runs", async () => {
    let ran = false;
    const { lines, outcome } = await call("controller.shutdown", "user", () => {
      ran = true;
    });
    expect(outcome).toBe(
      "PERMISSION: the key user/x/1 is for a user; controller.shutdown takes an administrator's key",
    );
    expect([ran, lines]).toEqual([
      false,
      [{ level: "warn", message: "denied", who: "user/x/1", from: "10.0.0.9", method: "controller.shutdown" }],
    ]);
  });

  test("an examination of the nodes is written down: it starts programs there", async () => {
    const { lines } = await call("cluster.examine", "user", () => ({}), { home: "/h", cwd: "/", path: "/p" });
    expect(lines).toMatchObject([{ level: "info", message: "done", who: "user/x/1", method: "cluster.examine" }]);
  });

  test("changes are written down without secrets, looks are not", async () => {
    const params = {
      filter: { ids: [3], users: [] },
      stepId: null,
      cause: "",
      environment: { A: "secret" },
      token: "t",
    };
    const { lines } = await call("jobs.cancel", "user", () => ({ jobs: [] }), params);
    expect(lines).toEqual([
      { level: "info", message: "done", who: "user/x/1", from: "10.0.0.9", method: "jobs.cancel", ids: [3], cause: "" },
    ]);
    expect((await call("jobs.list", "user", () => ({}))).lines).toEqual([]);
    const denied = { jobs: [{ jobId: 3, error: { code: "PERMISSION", message: "no" } }] };
    expect((await call("jobs.cancel", "user", () => denied, params)).lines).toMatchObject([
      { message: "denied", ids: [3] },
    ]);
  });
});
