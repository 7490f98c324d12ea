const strings = /"(?:[^"\\]|\\.)*"/g;

/**
 * How a JSON text is laid out: `spaced` has blanks after comma and colon, as Python writes it, `compact` none, as
 * JavaScript does; `ascii` writes other characters as escapes.
 */
export function jsonStyle(text: string): string {
  const bare = text.replace(strings, '""');
  const layout = /[,:]\S/.test(bare) ? "compact" : "spaced";
  // biome-ignore lint/suspicious/noControlCharactersInRegex: ASCII is what it asks for
  const isAscii = !/[^\x00-\x7f]/.test(text);
  const escapes = /\\u00[89a-f]|\\u(?!00)[0-9a-f]{4}/i.test(text);
  return isAscii && (escapes || layout === "spaced") ? `${layout} ascii` : layout;
}

/** A text that PostgreSQL's jsonb wrote, in another style. */
export function restyled(text: string, style: string): string {
  const plain = style.replace(/\*$/, "");
  const laid = plain.startsWith("compact") ? withoutBlanks(text) : text;
  return plain.endsWith("ascii") ? laid.replace(/[^\p{ASCII}]/gu, escaped) : laid;
}

function withoutBlanks(text: string): string {
  let out = "";
  let at = 0;
  for (const { 0: found, index } of text.matchAll(strings)) {
    out += text.slice(at, index).replaceAll(" ", "") + found;
    at = index + found.length;
  }
  return out + text.slice(at).replaceAll(" ", "");
}

function escaped(character: string): string {
  return [...Array(character.length).keys()]
    .map((i) => `\\u${character.charCodeAt(i).toString(16).padStart(4, "0")}`)
    .join("");
}
