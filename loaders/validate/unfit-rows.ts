import type { RowId } from "../source/row-id.ts";
import type { FormColumn } from "./canonical-form.ts";
import { ClaimedRows } from "./claimed-rows.ts";
import { BrokenText, cut, type SourceValue, valueText } from "./source-value.ts";

/** A source row that the target cannot hold, for people. */
export interface UnfitRow {
  key: string;
  /** `column: value reason` of each value that stands in the way. */
  problems: string[];
}

/** What the source's rows that cannot be in the target add up to. Plain data. */
export interface UnfitReport {
  /** All of them, those that a key refuses too. */
  rows: number;
  /** Rows that the load rejected for a key, rightly. */
  refused: number;
  /** Rows that the load says it rejected, although nothing stands in their way. */
  untrue: { rows: number; examples: string[] };
  /** Values of each column that stand in the way. */
  values: number[];
  /** The first rows. */
  examples: UnfitRow[];
}

const mostExamples = 5;

/** Counts the rows of a source that the target cannot hold, and remembers the first. */
export class UnfitRows {
  readonly #columns: FormColumn[];
  readonly #key: number[];
  readonly #report: Omit<UnfitReport, "untrue">;
  readonly #untrue: string[] = [];
  /** What the load says of the rows. */
  readonly claimed: ClaimedRows;

  constructor(columns: FormColumn[], key: number[], claimed = new ClaimedRows()) {
    this.#columns = columns;
    this.#key = key;
    this.claimed = claimed;
    this.#report = { rows: 0, refused: 0, values: columns.map(() => 0), examples: [] };
  }

  /** What was found; once all rows are through. */
  get report(): UnfitReport {
    const missing = this.claimed.names === null ? [] : this.claimed.missing;
    const examples = [
      ...this.#untrue,
      ...missing
        .slice(0, mostExamples)
        .map((id) => `${typeof id === "number" ? `rowid ${id}` : "a row"}: the source has no such row`),
    ];
    const rows = this.claimed.untrue.length + missing.length;
    return { ...this.#report, untrue: { rows, examples: examples.slice(0, mostExamples) } };
  }

  /**
   * Whether a row whose values fit is left out all the same, because a key refuses it.
   * @param texts the row, for people
   */
  refuses(id: RowId, texts: () => (string | null)[]): boolean {
    const verdict = this.claimed.meet(id);
    if (verdict === "untrue" && this.#untrue.length < mostExamples) {
      const all = texts();
      const key = this.#key
        .map((index) => `${this.#columns[index]?.target} ${shownText(all[index] ?? null)}`)
        .join(", ");
      this.#untrue.push(`${key}: its values fit, and no key refuses it`);
    }
    if (verdict !== "left out") return false;
    this.#report.rows += 1;
    this.#report.refused += 1;
    return true;
  }

  /** @param values the row @param unfit positions of the values that do not fit */
  add(values: SourceValue[], unfit: number[]): void {
    this.#report.rows += 1;
    for (const index of unfit) this.#report.values[index] = (this.#report.values[index] ?? 0) + 1;
    if (this.#report.examples.length >= mostExamples) return;
    this.#report.examples.push({
      key: this.#key
        .map((index) => `${this.#columns[index]?.target} ${described(values[index] ?? null)}`)
        .join(", "),
      problems: unfit.map((index) => {
        const column = this.#columns[index] as FormColumn;
        const value = values[index] ?? null;
        return `${column.target}: ${described(value)} ${reason(column, value)}`;
      }),
    });
  }
}

function reason({ typeText, emptyIsNull }: FormColumn, value: SourceValue): string {
  if (value === null || (value === "" && emptyIsNull)) return "is refused by NOT NULL";
  if (value instanceof BrokenText) return "holds bytes that are none in the database's encoding";
  return `is no ${typeText}`;
}

function shownText(text: string | null): string {
  return text === null ? "NULL" : `'${cut(text)}'`;
}

function described(value: SourceValue): string {
  if (value === null) return "NULL";
  const text = cut(valueText(value) ?? "");
  return typeof value === "string" ? `'${text}'` : text;
}
