import type { RowId } from "../source/row-id.ts";

/** Rows by their ids, and how many of each: rows without a rowid may be equal in all their values. Plain data. */
export type RowCounts = Map<RowId, number>;

/**
 * Rows of one table that the load says it rejected. Those whose values do not fit need no further proof; of the others,
 * only those are left out of the comparison whose claim was upheld.
 */
export class ClaimedRows {
  readonly #claimed: RowCounts;
  readonly #upheld: RowCounts;
  readonly #left = new Map<RowId, number>();
  readonly #seen = new Set<RowId>();
  /** Rows whose values fit, and whose claim was not upheld. */
  readonly untrue: RowId[] = [];

  constructor(claimed: RowCounts = new Map(), upheld: RowCounts = new Map()) {
    this.#claimed = claimed;
    this.#upheld = upheld;
  }

  /** By what the claims name rows; null where there are none. */
  get names(): "rowids" | "values" | null {
    const [first] = this.#claimed.keys();
    return first === undefined ? null : typeof first === "number" ? "rowids" : "values";
  }

  /** Notes a row whose values do not fit. */
  meetUnfit(id: RowId): void {
    this.#seen.add(id);
  }

  /** Whether a row whose values fit is left out all the same; `untrue` where the load only says so. */
  meet(id: RowId): "compared" | "left out" | "untrue" {
    if (!this.#claimed.has(id)) return "compared";
    const isFirst = !this.#seen.has(id);
    this.#seen.add(id);
    const left = this.#left.get(id) ?? 0;
    if (left < (this.#upheld.get(id) ?? 0)) {
      this.#left.set(id, left + 1);
      return "left out";
    }
    if (this.#upheld.has(id) || !isFirst) return "compared";
    this.untrue.push(id);
    return "untrue";
  }

  /** Rows that the source does not even have. */
  get missing(): RowId[] {
    return [...this.#claimed.keys()].filter((id) => !this.#seen.has(id));
  }
}
