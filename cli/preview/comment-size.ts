/** What a comment on GitHub may hold, in characters; GitLab takes more. */
export const commentLimit = 65_536;

/** A piece of a comment that is whole by itself. */
export interface Block {
  text: string;
  /** What stands there where the whole has no room; nothing, by default. */
  short?: string;
}

/** Joins blocks to a text of at most `limit` characters, whose last line says where something had no room. */
export function fitted(blocks: Block[], limit = commentLimit): string {
  const whole = joined(blocks.map(({ text }) => text));
  if (whole.length <= limit) return whole;
  let room = limit - joined(["", lastLine(blocks.length, limit)]).length;
  const chosen: string[] = [];
  let cut = 0;
  for (const { text, short } of blocks) {
    const found = [text, short].find((each) => each !== undefined && each.length + 2 <= room);
    if (found !== text) cut += 1;
    if (found === undefined) continue;
    chosen.push(found);
    room -= found.length + 2;
  }
  return joined([...chosen, lastLine(cut, limit)]);
}

const joined = (texts: string[]) => `${texts.join("\n\n")}\n`;

function lastLine(cut: number, limit: number): string {
  const parts = cut === 1 ? "1 part is" : `${cut.toLocaleString("en-US")} parts are`;
  return `**Cut at ${limit.toLocaleString("en-US")} characters**: ${parts} shortened or left out; \`timelift preview --diff\` shows all.`;
}
