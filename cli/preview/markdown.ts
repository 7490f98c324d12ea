/** A name or value in a line of text, as it is. */
export function code(text: string): string {
  const plain = text.replaceAll(/\s+/g, " ");
  const ticks = "`".repeat(longestRun(plain) + 1);
  const pad = plain.startsWith("`") || plain.endsWith("`") ? " " : "";
  return `${ticks}${pad}${plain}${pad}${ticks}`;
}

/** A block in which nothing is Markdown. */
export function codeBlock(language: string, lines: string[]): string {
  const fence = "`".repeat(Math.max(3, longestRun(lines.join("\n")) + 1));
  return [`${fence}${language}`, ...lines, fence].join("\n");
}

/** What is shown when a reader asks for it. */
export function details(summary: string, body: string): string {
  return `<details><summary>${inHtml(summary)}</summary>\n\n${body}\n\n</details>`;
}

export function table(head: string[], rows: string[][]): string {
  const line = (cells: string[]) => `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  return [line(head), `|${" --- |".repeat(head.length)}`, ...rows.map(line)].join("\n");
}

/** Words that came from elsewhere: nothing in them is Markdown, HTML or a mention. */
export function words(text: string): string {
  return inHtml(text.replaceAll(/\s+/g, " ")).replaceAll(/[\\`*_[\]~@#]/g, "\\$&");
}

/** `a, b and c`. */
export function listOf(parts: string[]): string {
  return parts.length < 2 ? parts.join("") : `${parts.slice(0, -1).join(", ")} and ${parts.at(-1)}`;
}

/** `1 change`, `2 changes`. */
export function counted(count: number, noun: string): string {
  return `${count.toLocaleString("en-US")} ${noun}${count === 1 ? "" : "s"}`;
}

const inHtml = (text: string) =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");

const longestRun = (text: string) => Math.max(0, ...(text.match(/`+/g) ?? []).map(({ length }) => length));
