import type * as sdk from "@grafana/grafana-foundation-sdk/dashboard";

/** Columns of a dashboard. */
const columns = 24;

/** Places panels from left to right, and below where they no longer fit; Grafana's own builder lets them stick out. */
export class Grid {
  #x = 0;
  #y = 0;
  #height = 0;

  place(w: number, h: number): sdk.GridPos {
    if (this.#x + w > columns) this.#wrap();
    const at = { x: this.#x, y: this.#y, w, h };
    this.#x += w;
    this.#height = Math.max(this.#height, h);
    return at;
  }

  /** A heading, as wide as all. */
  heading(): sdk.GridPos {
    this.#wrap();
    const at = this.place(columns, 1);
    this.#wrap();
    return at;
  }

  #wrap(): void {
    this.#x = 0;
    this.#y += this.#height;
    this.#height = 0;
  }
}
