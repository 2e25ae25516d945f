/** How scores are set. */

import { expect, test } from "vitest";
import { formatPlacement, parsePlacement } from "../../../src/core/placement.ts";
import { outcome, parsedValue } from "../support/outcome.ts";

test.each([
  ["fgd", "fgd"],
  ["Best-Fit", "best-fit"],
  ["thrifty,batch=pack, web = spread".replace(" = ", "="), "thrifty,batch=pack,web=spread"],
  ["batch=fgd", "pack,batch=fgd"],
])("%s", (text, expected) => {
  expect(formatPlacement(parsedValue(parsePlacement(text)))).toBe(expected);
});

test.each([
  ["best", '"best" is no score: pack, best-fit, spread, fgd, thrifty, random'],
  ["fgd,pack", '"pack": one score is named twice'],
  ["a=fgd,a=pack", '"a=pack": a named twice'],
  ["", '"" is no score'],
])("wrong: %s", (text, problem) => {
  expect(outcome(parsePlacement(text))).toContain(problem);
});
