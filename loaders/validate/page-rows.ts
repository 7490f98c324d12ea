import { quoteIdentifier } from "../identifier.ts";
import type { ResolvedTable } from "../resolve-table.ts";
import type { Source } from "../source/open-source.ts";
import { canonicalForm, type Form } from "./canonical-form.ts";
import type { PagePlan, StoredColumn } from "./page-plan.ts";
import { RowBytes } from "./row-bytes.ts";
import type { RowOrigin, RowSink } from "./row-sink.ts";
import type { SourceRows } from "./source-rows.ts";
import { type SourceValue, textOf, valueText } from "./source-value.ts";
import { damaged } from "./sqlite-file/damage.ts";
import type { PageSource } from "./sqlite-file/page-source.ts";
import { RecordCells } from "./sqlite-file/record.ts";
import { TablePages } from "./sqlite-file/table-pages.ts";
import { type StoredForm, storedForm } from "./stored-form.ts";
import type { UnfitRows } from "./unfit-rows.ts";

const rowsBetweenReports = 50_000;

/** The rows of a table from the file's own pages: no value of an ordinary row becomes one of JavaScript. */
export class PageRows implements SourceRows, RowOrigin {
  readonly #table: ResolvedTable;
  readonly #plan: PagePlan;
  readonly #source: Source;
  readonly #file: PageSource;
  readonly #record: RecordCells;
  readonly #row: RowBytes;
  readonly #quick: (StoredForm | undefined)[];
  readonly #forms: Form[];
  /** What a row that was written before the column was added holds in it. */
  readonly #added = new Map<number, SourceValue>();
  readonly rounding: number[];

  constructor(table: ResolvedTable, plan: PagePlan, source: Source, file: PageSource) {
    this.#table = table;
    this.#plan = plan;
    this.#source = source;
    this.#file = file;
    this.#record = new RecordCells(file, Math.max(0, ...plan.columns.map(({ index }) => index + 1)));
    this.#row = new RowBytes(table.columns.length);
    this.rounding = table.columns.map(() => 0);
    const moved = (at: number) => (distance: number) => {
      if (distance > (this.rounding[at] as number)) this.rounding[at] = distance;
    };
    this.#quick = table.columns.map((column, at) =>
      storedForm(column, plan.columns[at]?.real === true, moved(at)),
    );
    this.#forms = table.columns.map((column, at) => canonicalForm(column, moved(at)));
  }

  async each(sink: RowSink, unfit: UnfitRows, onRows: (rows: number) => void): Promise<number> {
    const record = this.#record;
    const row = this.#row;
    const { path, usable } = this.#file;
    const isClaimed = unfit.claimed.names !== null;
    let rows = 0;
    new TablePages(this.#file).eachLeaf(this.#plan.root, (bytes, view, base, header) => {
      const cells = view.getUint16(header + 3);
      const pointers = header + 8;
      const end = base + usable;
      if (pointers + cells * 2 > end) throw damaged(path, "a page of a table is overfull.");
      for (let cell = 0; cell < cells; cell += 1) {
        record.read(bytes, view, base + view.getUint16(pointers + cell * 2), end);
        if (this.#fill()) {
          if (!isClaimed || !unfit.refuses(Number(record.rowid), () => this.texts())) sink.add(row, this);
        } else this.#refuse(unfit);
        rows += 1;
        if (rows % rowsBetweenReports === 0) onRows(rows);
      }
    });
    return rows;
  }

  texts(): (string | null)[] {
    return this.#plan.columns.map((_column, at) => valueText(this.#value(at)));
  }

  /** Writes the record in canonical bytes; false when a value does not fit. */
  #fill(): boolean {
    const row = this.#row;
    const record = this.#record;
    const columns = this.#plan.columns;
    const { types, offsets } = record;
    row.at = 0;
    for (let at = 0; at < columns.length; at += 1) {
      row.starts[at] = row.at;
      const { index } = columns[at] as StoredColumn;
      if (index >= 0 && index < record.count) {
        const quick = this.#quick[at];
        if (quick?.(record, offsets[index] as number, types[index] as number, row)) continue;
      }
      if (!(this.#forms[at] as Form)(this.#value(at), row)) return false;
    }
    row.starts[columns.length] = row.at;
    return true;
  }

  #refuse(unfit: UnfitRows): void {
    const values = this.#plan.columns.map((_column, at) => this.#value(at));
    this.#row.at = 0;
    const positions = values.flatMap((value, at) =>
      (this.#forms[at] as Form)(value, this.#row) ? [] : [at],
    );
    unfit.add(values, positions);
    unfit.claimed.meetUnfit(Number(this.#record.rowid));
  }

  #value(at: number): SourceValue {
    const { index, real } = this.#plan.columns[at] as StoredColumn;
    if (index < 0) return this.#record.rowid;
    if (index >= this.#record.count) return this.#addedValue(at);
    const value = this.#record.value(index);
    if (value === null || typeof value === "number" || Buffer.isBuffer(value)) return value;
    if (typeof value === "bigint") return real ? Number(value) : value;
    return textOf(value.text);
  }

  /** SQLite itself says what it makes of the column's default; that is the same in all such rows. */
  #addedValue(at: number): SourceValue {
    const known = this.#added.get(at);
    if (known !== undefined) return known;
    const { source, columns } = this.#table;
    const value = this.#source
      .prepare(
        `SELECT ${columns[at]?.expression} FROM ${quoteIdentifier(source.name)} WHERE ${source.rowid} = ?`,
      )
      .pluck()
      .get(this.#record.rowid) as SourceValue | undefined;
    if (value === undefined) {
      throw damaged(this.#file.path, `SQLite does not find row ${this.#record.rowid} of ${source.name}.`);
    }
    this.#added.set(at, value);
    return value;
  }
}
