import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Column, fitToRows, parseFormat, renderHeader, renderRow } from "../../../src/view/printf.ts";

interface Fruit {
  readonly name: string;
  readonly weightG: number;
}

const COLUMNS: Record<string, Column<Fruit>> = {
  n: { header: "NAME", text: (fruit) => fruit.name },
  w: { header: "WEIGHT", text: (fruit) => String(fruit.weightG), isWhole: () => true },
};

const apple: Fruit = { name: "apple", weightG: 150 };

function both(format: string, fruit = apple): string[] {
  const plan = parseFormat(format, COLUMNS);
  return [renderHeader(plan), renderRow(plan, fruit)];
}

describe("what a format prints", () => {
  test.each([
    ["%n", "NAME", "apple"],
    ["%8n|", "NAME    |", "apple   |"],
    ["%.8n|", "    NAME|", "   apple|"],
    ["%3n", "NAM", "app"],
    ["%.3n", "NAM", "app"],
    ["%.n %0n", "NAME NAME", "apple apple"],
    ["%05n", "NAME ", "apple"],
    ["<%n, %w g>", "<NAME, WEIGHT g>", "<apple, 150 g>"],
    ['"%n"', '"NAME"', '"apple"'],
    [" %n", " NAME", " apple"],
    ["%2t%100n", "%2tNAME".padEnd(103), "%2tapple".padEnd(103)],
    ["%%%n%%", "%NAME%", "%apple%"],
    ["plain", "plain", "plain"],
    ["", "", ""],
    ["%n%", "NAME", "apple"],
  ])("%j", (format, header, row) => {
    expect(both(format)).toEqual([header, row]);
  });

  test("a column that may not be cut keeps its text, but not its header", () => {
    expect(both("%.2w")).toEqual(["WE", "150"]);
  });

  test("control characters never reach the terminal", () => {
    expect(both("%n", { name: "a\nb\u001b[2Jc\u009b", weightG: 1 })[1]).toBe("a?b?[2Jc?");
  });

  test("half a character is never left over", () => {
    expect(both("%2n|", { name: "a😀b", weightG: 1 })[1]).toBe("a |");
    expect(both("%3n|", { name: "a😀b", weightG: 1 })[1]).toBe("a😀|");
  });
});

describe("what a format gets wrong", () => {
  test.each([
    ["%z", ["z"]],
    ["%5.3n", ["."]],
    ["%-5n", ["-"]],
    ["%n%.5", [""]],
    ["%#n", ["#"]],
    ["%constructor", ["c"]],
    ["%😀", ["😀"]],
  ])("%j stands as it was typed", (format, unknown) => {
    const plan = parseFormat(format, COLUMNS);
    expect(plan.unknown).toEqual(unknown);
    expect(renderHeader({ ...plan, fields: [] }) + plan.fields.map((field) => `%n${field.suffix}`).join("")).toBe(
      format,
    );
  });
});

test("columns grow with their contents, from nine characters on", () => {
  const plan = parseFormat("%#n|%.#w|", COLUMNS, { mayGrow: true });
  const rows = [apple, { name: "watermelon tree", weightG: 1e12 }];
  const fitted = fitToRows(plan, rows);
  expect([renderHeader(fitted), ...rows.map((row) => renderRow(fitted, row))]).toEqual([
    "NAME           |       WEIGHT|",
    "apple          |          150|",
    "watermelon tree|1000000000000|",
  ]);
  expect(renderHeader(fitToRows(plan, []))).toBe("NAME     |   WEIGHT|");
});

test("a width beyond all reason is cut down to one that memory bears", () => {
  expect(both("%999999999n")[1]).toHaveLength(10_000);
});

describe("whatever the format and the name", () => {
  const pieces = fc.constantFrom("%", ".", "5", "18", "n", "w", "x", "#", "%%", "|", " ", "\n", "%n", "%.3n", "%7w");
  const formats = fc.oneof(
    fc.string(),
    fc.string({ unit: "binary" }),
    fc.array(pieces).map((all) => all.join("")),
  );

  test("nothing throws, and an empty row is as long as its widths", () => {
    fc.assert(
      fc.property(formats, fc.string({ unit: "binary" }), fc.boolean(), (format, name, mayGrow) => {
        const plan = parseFormat(format, COLUMNS, { mayGrow });
        const row = { name, weightG: 1 };
        const fitted = fitToRows(plan, [row]);
        expect(typeof renderHeader(fitted)).toBe("string");
        expect(typeof renderRow(fitted, row)).toBe("string");
        for (const field of fitted.fields) {
          const alone = renderRow({ ...fitted, prefix: "", fields: [{ ...field, suffix: "" }] }, row);
          if (field.width > 0 && !field.column.isWhole) expect(alone).toHaveLength(field.width);
        }
      }),
    );
  });

  test("text without a percent sign is printed as it is", () => {
    fc.assert(
      fc.property(
        fc.string().filter((text) => !text.includes("%")),
        (text) => {
          expect(both(text)).toEqual([text, text]);
        },
      ),
    );
  });
});
