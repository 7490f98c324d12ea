import type { FormColumn } from "./canonical-form.ts";
import { BrokenText, cut, type SourceValue, valueText } from "./source-value.ts";

/** A source row that the target cannot hold, for people. */
export interface UnfitRow {
  key: string;
  /** `column: value reason` of each value that stands in the way. */
  problems: string[];
}

/** What the source's rows that cannot be in the target add up to. Plain data. */
export interface UnfitReport {
  rows: number;
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
  readonly report: UnfitReport;

  constructor(columns: FormColumn[], key: number[]) {
    this.#columns = columns;
    this.#key = key;
    this.report = { rows: 0, values: columns.map(() => 0), examples: [] };
  }

  /** @param values the row @param unfit positions of the values that do not fit */
  add(values: SourceValue[], unfit: number[]): void {
    this.report.rows += 1;
    for (const index of unfit) this.report.values[index] = (this.report.values[index] ?? 0) + 1;
    if (this.report.examples.length >= mostExamples) return;
    this.report.examples.push({
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

function described(value: SourceValue): string {
  if (value === null) return "NULL";
  const text = cut(valueText(value) ?? "");
  return typeof value === "string" ? `'${text}'` : text;
}
