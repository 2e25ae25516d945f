/** A line of comma-separated fields (RFC 4180, but a field never goes over the end of its line). Pure. */

/** The fields of a line, blanks around them taken off, or why it has none. */
export function splitFields(text: string): { readonly fields: readonly string[] } | { readonly problem: string } {
  const fields: string[] = [];
  for (let from = 0; ; ) {
    const field = fieldAt(text, from);
    if ("problem" in field) return field;
    fields.push(field.text);
    if (field.end >= text.length) return { fields };
    from = field.end + 1;
  }
}

type Field = { readonly text: string; readonly end: number } | { readonly problem: string };

/** The field that begins at a place, and where its comma stands or the line ends. */
function fieldAt(text: string, from: number): Field {
  const [blank = ""] = /^[ \t]*/.exec(text.slice(from)) ?? [];
  const start = from + blank.length;
  if (text[start] === '"') return quotedAt(text, start);
  const comma = text.indexOf(",", from);
  const end = comma < 0 ? text.length : comma;
  return { text: text.slice(from, end).trim(), end };
}

/** Two quotes within quotes stand for one. */
function quotedAt(text: string, start: number): Field {
  const match = /^"((?:[^"]|"")*)"[ \t]*/.exec(text.slice(start));
  if (!match) return { problem: 'a quote " is not closed' };
  const end = start + match[0].length;
  if (end < text.length && text[end] !== ",") {
    return { problem: 'there is something behind a closing quote; within quotes, write "" for a quote' };
  }
  return { text: (match[1] ?? "").replaceAll('""', '"').trim(), end };
}
