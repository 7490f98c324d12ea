/** One bar. */
export interface Bar {
  label: string;
  value: number;
  /** What stands at its end. */
  text: string;
  /** `own` stands out; `other` and `muted` step back. */
  tone: "own" | "other" | "muted";
}

/** Bars that are compared with each other: the longest fills the width. */
export interface BarGroup {
  /** Over the bars, where a chart has several groups. */
  title?: string;
  bars: Bar[];
}

const width = 760;
const labelWidth = 190;
const textWidth = 110;
const barHeight = 20;
const rowHeight = 28;
const top = 60;

const style = `
  text { font: 13px system-ui, sans-serif; fill: #1f2328; }
  .title { font-size: 16px; font-weight: 600; }
  .quiet { fill: #59636e; font-size: 12px; }
  .group { font-weight: 600; }
  .card { fill: #ffffff; }
  .own { fill: #0f766e; } .other { fill: #94a3b8; } .muted { fill: #cbd5e1; }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3; } .quiet { fill: #9198a1; } .card { fill: #0d1117; }
    .own { fill: #2dd4bf; } .other { fill: #64748b; } .muted { fill: #475569; }
  }`;

/**
 * Horizontal bars as an SVG that needs nothing else, and follows the reader's choice of light or dark. Each group has a
 * scale of its own, from zero.
 */
export function barChart(title: string, subtitle: string, groups: BarGroup[]): string {
  const parts: string[] = [];
  let y = top;
  for (const group of groups) {
    if (group.title) {
      parts.push(`<text class="group" x="16" y="${y + 16}">${escaped(group.title)}</text>`);
      y += rowHeight;
    }
    const longest = Math.max(...group.bars.map(({ value }) => value), Number.MIN_VALUE);
    for (const bar of group.bars) {
      parts.push(row(bar, bar.value / longest, y));
      y += rowHeight;
    }
    y += 8;
  }
  const height = y + 8;
  const said = groups.flatMap((group) =>
    group.bars.map(({ label, text }) => `${group.title ? `${group.title}, ` : ""}${label}: ${text}`),
  );
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-labelledby="title description">
<title id="title">${escaped(title)}</title>
<desc id="description">${escaped(said.join("; "))}</desc>
<style>${style}
</style>
<rect class="card" width="${width}" height="${height}" rx="8"/>
<text class="title" x="16" y="26">${escaped(title)}</text>
<text class="quiet" x="16" y="44">${escaped(subtitle)}</text>
${parts.join("\n")}
</svg>
`;
}

function row({ label, text, tone }: Bar, share: number, y: number): string {
  const room = width - labelWidth - textWidth - 32;
  const length = Math.max(1, Math.round(room * share * 10) / 10);
  const middle = y + barHeight / 2 + 5;
  return [
    `<text x="${labelWidth + 8}" y="${middle}" text-anchor="end">${escaped(label)}</text>`,
    `<rect class="${tone}" x="${labelWidth + 16}" y="${y}" width="${length}" height="${barHeight}" rx="3"/>`,
    `<text x="${labelWidth + 24 + length}" y="${middle}">${escaped(text)}</text>`,
  ].join("\n");
}

function escaped(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
}
