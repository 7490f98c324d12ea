import { html, type Markup } from "./markup.ts";
import type { Scale } from "./scale.ts";

/** The values along a scale, below a plot; some are spared where the page is narrow. */
export function axis(scale: Scale, text: (value: number) => string): Markup {
  const last = scale.ticks.length - 1;
  return html`<div class="axis" aria-hidden="true"><span></span><div>${scale.ticks.map((tick, index) => {
    const between = index * 2 === last ? "" : " spare";
    const edge = index === 0 ? " first" : index === last ? " last" : between;
    return html`<span class="tick${edge}" style="left:${scale.at(tick)}%">${text(tick)}</span>`;
  })}</div><span></span></div>`;
}
