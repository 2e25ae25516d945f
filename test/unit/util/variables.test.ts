import { expect, it } from "vitest";
import { mergeVariables } from "../../../src/util/variables.ts";

it("a later variable counts, in the place of the first, and no name is special", () => {
  const given = JSON.parse('{"PATH":"/bin","__proto__":"a","constructor":"b"}') as Record<string, string>;
  const merged = mergeVariables({ PATH: "/usr/bin", HOME: "/" }, given, { HOME: "/root" });
  expect(Object.entries(merged)).toEqual([
    ["PATH", "/bin"],
    ["HOME", "/root"],
    ["__proto__", "a"],
    ["constructor", "b"],
  ]);
  expect(merged.toString).toBeUndefined();
});
