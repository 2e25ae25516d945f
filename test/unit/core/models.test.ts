import { expect, test } from "vitest";
import { formatModels, modelIn, needOf, parseModels } from "../../../src/core/models.ts";

const TABLE = { models: { "Llama-70B": "4", small: "0.5" }, otherwise: null };

test("a table is read and written, the later of two entries holds", () => {
  const text = "Llama-70B=4,small=0.5";
  expect(parseModels(text)).toEqual({ value: TABLE });
  expect(formatModels(TABLE)).toBe(text);
  expect(parseModels("y=1,y=2, default_requirement=a100:1 ")).toEqual({
    value: { models: { y: "2" }, otherwise: "a100:1" },
  });
  expect(parseModels("")).toEqual({ value: { models: {}, otherwise: null } });
});

test.each(["llama", "=4", "x=", "x=many", "a b=1", "x=-1"])("%s is refused", (text) => {
  expect(parseModels(text)).toHaveProperty("problem");
});

test("a model is found by its name, in any case, and without what stands before it", () => {
  const entry = (name: string) => needOf(TABLE, name)?.entry;
  expect(["Llama-70B", "llama-70b", "meta/llama-70b", "/data/models/SMALL/", "huge"].map(entry)).toEqual([
    ...["Llama-70B", "Llama-70B", "Llama-70B", "small"],
    undefined,
  ]);
  expect(needOf({ ...TABLE, otherwise: "1" }, "huge")).toEqual({ entry: null, gpus: "1" });
});

test("a program's words name its model", () => {
  expect(modelIn(["train.py", "--llm", "a"])).toBe("a");
  expect(modelIn(["train.py", "--model=a", "--model", "b"])).toBe("b");
  expect(modelIn(["train.py", "--model", "--fast"])).toBeUndefined();
  expect(modelIn(["train.py", "--models", "a", "--model"])).toBeUndefined();
});
