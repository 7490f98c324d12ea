/** One object of a schema, as a dump shows it: a heading at the margin, lines below it. */
export interface Section {
  /** Kind and name, `table price_history`; once in a dump. */
  heading: string;
  lines: string[];
}

/** The text of a dump: sections with an empty line between them. */
export function renderSections(sections: Section[]): string {
  return sections.map(({ heading, lines }) => `${[heading, ...lines.map(indented)].join("\n")}\n`).join("\n");
}

/** Reads a dump back, from a record or a file; line ends may be of either kind. */
export function parseSections(text: string): Section[] {
  const sections: Section[] = [];
  for (const line of text.split(/\r?\n/)) {
    const section = sections.at(-1);
    if (/^\S/.test(line)) sections.push({ heading: line.trimEnd(), lines: [] });
    else section?.lines.push(line.slice(2).trimEnd());
  }
  return sections.map(({ heading, lines }) => ({ heading, lines: withoutEmptyEnd(lines) }));
}

/** Leaves out what no reader sees and an editor takes away. */
export function withoutEmptyEnd(lines: string[]): string[] {
  return lines.slice(0, lines.findLastIndex((line) => line !== "") + 1);
}

const indented = (line: string) => (line === "" ? "" : `  ${line}`);
