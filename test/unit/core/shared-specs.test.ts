import { describe, expect, it } from "vitest";
import type { JobSpec } from "../../../src/core/jobspec.ts";
import { PLAIN_REQUEST } from "../../../src/core/resources.ts";
import { sharedSpec, specText, submittedSpec } from "../../../src/core/shared-specs.ts";

/** What matters here of a specification. */
function spec(name: string): JobSpec {
  return { name, workDir: `/home/ann/a-long-${"path"}`, request: { ...PLAIN_REQUEST }, user: { uid: 1 } } as JobSpec;
}

describe("specifications that say the same", () => {
  it("are one object", () => {
    expect(sharedSpec(spec("same"))).toBe(sharedSpec(spec("same")));
    expect(sharedSpec(spec("same"))).toEqual(spec("same"));
  });

  it("share their equal parts where they differ", () => {
    const [one, other] = [sharedSpec(spec("one")), sharedSpec(spec("other"))];
    expect(one).not.toBe(other);
    expect([one.name, other.name]).toEqual(["one", "other"]);
    expect(other.request).toBe(one.request);
  });

  it("have one text, and are found by themselves", () => {
    const shared = sharedSpec(spec("text"));
    expect(sharedSpec(shared)).toBe(shared);
    for (const one of [shared, spec("text"), spec("never shared")]) expect(specText(one)).toBe(JSON.stringify(one));
  });

  it("are one object for a job that the same user submits again, with the same script and environment", () => {
    const { user: _user, scriptDigest: _script, environmentDigest: _environment, ...job } = spec("again");
    const ann = { uid: 1, gid: 1, name: "ann" };
    const made = submittedSpec(job, ann, "s", "e");
    expect(made).toEqual({ ...job, user: ann, scriptDigest: "s", environmentDigest: "e" });
    expect(submittedSpec(job, { ...ann }, "s", "e")).toBe(made);
    expect(submittedSpec(job, { ...ann, gid: 2 }, "s", "e").user.gid).toBe(2);
    expect(submittedSpec(job, ann, "other", "e").scriptDigest).toBe("other");
    expect(submittedSpec(job, ann, "s", "other").environmentDigest).toBe("other");
    expect(submittedSpec(job, { ...ann, uid: 2, name: "bob" }, "s", "e").user).toEqual({ uid: 2, gid: 1, name: "bob" });
  });

  it("are remembered up to a limit", () => {
    const first = sharedSpec(spec("first of many"));
    for (let index = 0; index < 3000; index++) sharedSpec(spec(`one of many ${index}`));
    expect(sharedSpec(spec("first of many"))).not.toBe(first);
  });
});
