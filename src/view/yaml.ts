/** Plain values (as JSON has them) as YAML in block style; every text that could mean something else is quoted. */

/** A record as a list entry: `- key: value`, indented like the list's key. */
export function yamlEntry(record: Record<string, unknown>): string {
  const text = yamlText(record, "  ");
  return text === "" ? "- {}\n" : `- ${text.slice(2)}`;
}

/** A record's keys, a line each. */
export function yamlText(record: Record<string, unknown>, indent = ""): string {
  return Object.entries(record)
    .map(([key, value]) => `${indent}${scalar(key)}:${valueText(value, indent)}`)
    .join("");
}

/** What stands behind a key or dash, with its line break. */
function valueText(value: unknown, indent: string): string {
  if (Array.isArray(value)) {
    if (value.length === 0) return " []\n";
    return `\n${value.map((item) => `${indent}- ${itemText(item, `${indent}  `)}`).join("")}`;
  }
  if (typeof value === "object" && value !== null) {
    const text = yamlText(value as Record<string, unknown>, `${indent}  `);
    return text === "" ? " {}\n" : `\n${text}`;
  }
  return ` ${scalar(value)}\n`;
}

function itemText(item: unknown, indent: string): string {
  if (typeof item === "object" && item !== null && !Array.isArray(item)) {
    const text = yamlText(item as Record<string, unknown>, indent);
    return text === "" ? "{}\n" : text.slice(indent.length);
  }
  return Array.isArray(item) ? `${JSON.stringify(item)}\n` : `${scalar(item)}\n`;
}

/** JSON's texts are YAML's double-quoted ones. */
function scalar(value: unknown): string {
  if (typeof value !== "string") return JSON.stringify(value ?? null);
  const isPlain = /^[A-Za-z_/][\w ./@+-]*$/.test(value) && !/ $|^(true|false|yes|no|on|off|null|y|n)$/i.test(value);
  return isPlain ? value : JSON.stringify(value);
}
