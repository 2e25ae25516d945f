import { describe, expect, it } from "vitest";
import type { JobSpec } from "../../../src/core/jobspec.ts";
import { PLAIN_REQUEST } from "../../../src/core/resources.ts";
import { sharedSpec } from "../../../src/core/shared-specs.ts";

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

  it("are remembered up to a limit", () => {
    const first = sharedSpec(spec("first of many"));
    for (let index = 0; index < 3000; index++) sharedSpec(spec(`one of many ${index}`));
    expect(sharedSpec(spec("first of many"))).not.toBe(first);
  });
});
