import type { CheckStatus } from "../../validation-report.ts";
import { html, type Markup } from "./markup.ts";

/** 12,345. */
export function count(number: number): string {
  return number.toLocaleString("en-US");
}

/** "1 row", "12,345 rows". */
export function counted(number: number, noun: string): string {
  return `${count(number)} ${noun}${number === 1 ? "" : "s"}`;
}

/** "0.4 ms", "12 ms", "1.25 s", "3 min 20 s". */
export function duration(ms: number): string {
  if (ms < 10) return `${round(ms, 1)} ms`;
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 10_000) return `${round(ms / 1000, 2)} s`;
  if (ms < 120_000) return `${round(ms / 1000, 1)} s`;
  return `${Math.floor(ms / 60_000)} min ${Math.floor((ms % 60_000) / 1000)} s`;
}

/** At most two significant digits: "4.2", "13", "1,300". */
export function rough(number: number): string {
  if (number < 10) return String(round(number, 1));
  const step = 10 ** (Math.floor(Math.log10(number)) - 1);
  return count(Math.round(number / step) * step);
}

/** Names joined as in a sentence; more than `most` are counted, as so many more of the noun. */
export function listed(names: string[], noun: string, most = 3): string {
  const shown = names.length > most ? names.slice(0, most - 1) : names;
  const rest = names.length - shown.length;
  const words = rest > 0 ? [...shown, counted(rest, `more ${noun}`)] : shown;
  const last = words.at(-1) ?? "";
  return words.length < 2 ? last : `${words.slice(0, -1).join(", ")} and ${last}`;
}

const signs = { PASS: "✓", FAIL: "✗", SKIP: "–" };

/** A status as a sign and a word, so that it reads without colour. */
export function badge(status: CheckStatus): Markup {
  const sign = html`<span aria-hidden="true">${signs[status]}</span>`;
  return html`<span class="badge ${status.toLowerCase()}">${sign} ${status}</span>`;
}

function round(number: number, digits: number): number {
  const factor = 10 ** digits;
  return Math.round(number * factor) / factor;
}
