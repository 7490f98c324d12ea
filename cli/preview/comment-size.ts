/** What a comment on GitHub may hold, in characters; GitLab takes more. */
export const commentLimit = 65_536;

/** A piece of a comment that is whole by itself. */
export interface Block {
  text: string;
  /** What stands there where the whole has no room. */
  short?: string;
}

/**
 * Joins blocks to a text of at most `limit` characters, whose last line says when something had no room. Each is there at
 * least in short before an earlier one is whole.
 */
export function fitted(blocks: Block[], limit = commentLimit): string {
  const whole = joined(blocks.map(({ text }) => text));
  if (whole.length <= limit) return whole;
  let room = limit - joined(["", lastLine(blocks.length, limit)]).length;
  const chosen = blocks.map(({ text, short = text }) => {
    if (short.length + 2 > room) return undefined;
    room -= short.length + 2;
    return short;
  });
  for (const [index, { text }] of blocks.entries()) {
    const short = chosen[index];
    if (short === undefined || text.length - short.length > room) continue;
    room -= text.length - short.length;
    chosen[index] = text;
  }
  const cut = blocks.filter(({ text }, index) => chosen[index] !== text).length;
  return joined([...chosen.filter((text) => text !== undefined), lastLine(cut, limit)]);
}

const joined = (texts: string[]) => `${texts.join("\n\n")}\n`;

function lastLine(cut: number, limit: number): string {
  const parts = cut === 1 ? "1 part is" : `${cut.toLocaleString("en-US")} parts are`;
  return `**Cut at ${limit.toLocaleString("en-US")} characters**: ${parts} shortened or left out; \`timelift preview --diff\` shows all.`;
}
