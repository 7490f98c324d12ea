import { html, type Markup } from "./markup.ts";

/** Characters of a long value that are shown before and after what changed. */
const context = 60;
const longest = 240;

/** Two values with what differs between them marked; what is long and the same is left out. */
export function changedParts(source: string, target: string): [Markup, Markup] {
  const [ours, theirs] = [Array.from(source), Array.from(target)];
  const shorter = Math.min(ours.length, theirs.length);
  let start = 0;
  while (start < shorter && ours[start] === theirs[start]) start += 1;
  let end = 0;
  while (end < shorter - start && ours[ours.length - 1 - end] === theirs[theirs.length - 1 - end]) end += 1;
  return [marked(ours, start, end), marked(theirs, start, end)];
}

function marked(characters: string[], start: number, end: number): Markup {
  const stop = characters.length - end;
  const before = characters.slice(0, start);
  const changed = characters.slice(start, stop);
  const after = characters.slice(stop);
  const from = before.length > context * 2 ? before.length - context : 0;
  const to = after.length > context * 2 ? context : after.length;
  return html`${from > 0 && leftOut(from)}${before.slice(from).join("")}${
    changed.length > 0 && html`<mark>${short(changed)}</mark>`
  }${after.slice(0, to).join("")}${to < after.length && leftOut(after.length - to)}`;
}

/** One value by itself, shortened. */
export function short(characters: string[]): Markup {
  if (characters.length <= longest) return html`${characters.join("")}`;
  return html`${characters.slice(0, longest - context).join("")}${leftOut(characters.length - longest)}${characters
    .slice(-context)
    .join("")}`;
}

function leftOut(characters: number): Markup {
  return html`<span class="quiet"> … ${characters.toLocaleString("en-US")} characters … </span>`;
}
