/** Columns of a terminal that a text for people may take. */
export const width = 100;

/** Control characters would move the cursor. */
export function printable(text: string): string {
  return [...text].map((each) => (/[\p{C}\p{Zl}\p{Zp}]/u.test(each) ? "\uFFFD" : each)).join("");
}

/** A text on lines no wider than `limit`, broken at spaces where it can be. */
export function fill(text: string, limit: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ").flatMap((whole) => pieces(whole, limit))) {
    if (line !== "" && columnsOf(line) + 1 + columnsOf(word) > limit) {
      lines.push(line);
      line = word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  return [...lines, line];
}

function pieces(word: string, limit: number): string[] {
  const characters = [...word];
  const parts: string[] = [];
  for (let at = 0; at < characters.length || at === 0; at += limit)
    parts.push(characters.slice(at, at + limit).join(""));
  return parts;
}

/** A line no wider than `width`; what does not fit goes on the next, after `indent`. */
export function wrapped(line: string, indent: string): string[] {
  const start = /^ */.exec(line)?.[0] ?? "";
  const lines = fill(printable(line.trim()), width - indent.length);
  return lines.map((each, i) => (i === 0 ? start : indent) + each);
}

/** Columns that a text takes in a terminal: East Asian characters and emoji take two, marks none. */
export function columnsOf(text: string): number {
  let columns = 0;
  for (const character of text) {
    if (/\p{M}/u.test(character)) continue;
    columns +=
      /[\u1100-\u115F\u2E80-\uA4CF\uAC00-\uD7A3\uF900-\uFAFF\uFE30-\uFE6F\uFF00-\uFF60\uFFE0-\uFFE6]|\p{Emoji_Presentation}/u.test(
        character,
      )
        ? 2
        : 1;
  }
  return columns;
}
