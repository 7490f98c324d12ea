import { setImmediate as turn } from "node:timers/promises";
import { quoteIdentifier } from "../identifier.ts";
import type { ResolvedTable } from "../resolve-table.ts";
import { openSource, type Source } from "../source/open-source.ts";
import { jsonSource, nullField, type SourceForm, sourceForm, unfitField } from "./canonical-form.ts";
import type { ServerCast } from "./server-cast.ts";
import type { SourceValue } from "./source-value.ts";

/** One row of the source: values as stored, and the fields of its row text; both arrays are used again. */
export interface SourceRow {
  values: SourceValue[];
  fields: string[];
}

/** What SQLite itself counts in a table, apart from what the reader then reads. */
export interface SourceExtent {
  rows: number;
  /** Bytes of the texts and blobs of the widest row. */
  widest: number;
}

const batchBytes = 8 * 1024 * 1024;
const batchRows = 4000;

/** Only these can be long; measuring a number would first turn it into text. */
const wideKinds = new Set<string>(["text", "json", "jsonb", "bytea"]);

/** Reads one source table for the validator, in batches that stay small however wide the rows are. */
export class SourceScan {
  readonly #table: ResolvedTable;
  readonly #path: string;
  readonly #cast: ServerCast;
  readonly #signal: AbortSignal | undefined;
  #extent: SourceExtent | undefined;

  constructor(table: ResolvedTable, path: string, cast: ServerCast, signal?: AbortSignal) {
    this.#table = table;
    this.#path = path;
    this.#cast = cast;
    this.#signal = signal;
  }

  /** The rows as SQLite counts them, and the widest as it measures it; asked once. */
  extent(): SourceExtent {
    this.#extent ??= this.#measure();
    return this.#extent;
  }

  #measure(): SourceExtent {
    using source = closing(openSource(this.#path));
    const wide = this.#table.columns.filter((column) => wideKinds.has(column.type.kind));
    const widths = wide.map((column) => `coalesce(octet_length(${column.expression}), 0)`);
    const [rows, widest] = source.database
      .prepare(`SELECT count(*), max(${widths.join(" + ") || "0"}) FROM ${this.#from()}${this.#where()}`)
      .raw()
      .get() as [bigint, bigint | null];
    return { rows: Number(rows), widest: Number(widest ?? 0) };
  }

  /**
   * How many values of a text column are no valid UTF-8. The reader shows those with U+FFFD in them; so do the
   * rows that really hold that character, which SQLite tells apart by their bytes.
   */
  replacementCharacters(expression: string): number {
    using source = closing(openSource(this.#path));
    const condition = `instr(CAST(${expression} AS BLOB), x'EFBFBD') > 0`;
    const where = this.#table.where ? `(${this.#table.where}) AND ` : "";
    const count = source.database
      .prepare(
        `SELECT count(*) FROM ${this.#from()} WHERE ${where}typeof(${expression}) = 'text' AND ${condition}`,
      )
      .pluck()
      .get();
    return Number(count);
  }

  /** Calls `visit` for every row. `onBatch` hears how many rows were visited so far. */
  async each(visit: (row: SourceRow) => void, onBatch?: (rows: number) => void): Promise<void> {
    using source = closing(openSource(this.#path));
    const forms = this.#table.columns.map((column) => sourceForm(column.type));
    const row: SourceRow = { values: [], fields: new Array<string>(forms.length) };
    const size = Math.max(1, Math.min(batchRows, Math.floor(batchBytes / Math.max(1, this.extent().widest))));
    let visited = 0;
    for (const batch of this.#batches(source.database, size)) {
      this.#signal?.throwIfAborted();
      const casts = await this.#castBatch(batch);
      for (const values of batch) {
        row.values = values;
        fillFields(row, forms, casts);
        visit(row);
      }
      visited += batch.length;
      onBatch?.(visited);
      // The server's answers, progress and Ctrl-C get their turn.
      await turn();
    }
  }

  *#batches(source: Source, size: number): Generator<SourceValue[][]> {
    const { rowid } = this.#table.source;
    const columns = this.#table.columns.map((column) => column.expression);
    if (rowid === null) {
      yield* this.#iterated(source, columns, size);
      return;
    }
    // The rowid comes last, so that a row's values are its columns' whether or not it is there.
    const select = [...columns, rowid].join(", ");
    const where = this.#table.where ? ` AND (${this.#table.where})` : "";
    const next = (comparison: string) =>
      source
        .prepare(
          `SELECT ${select} FROM ${this.#from()} WHERE ${rowid} ${comparison} ?${where} ORDER BY ${rowid} LIMIT ${size}`,
        )
        .raw();
    let batch = next(">=").all(-(2n ** 63n)) as SourceValue[][];
    const following = next(">");
    while (batch.length > 0) {
      yield batch;
      const last = batch.at(-1)?.at(-1) as bigint;
      batch = batch.length < size ? [] : (following.all(last) as SourceValue[][]);
    }
  }

  /** For views and tables without rowid, which cannot be entered in the middle. */
  *#iterated(source: Source, columns: string[], size: number): Generator<SourceValue[][]> {
    let batch: SourceValue[][] = [];
    const rows = source.prepare(`SELECT ${columns.join(", ")} FROM ${this.#from()}${this.#where()}`).raw();
    for (const row of rows.iterate() as IterableIterator<SourceValue[]>) {
      batch.push(row);
      if (batch.length === size) {
        yield batch;
        batch = [];
      }
    }
    if (batch.length > 0) yield batch;
  }

  /** For each jsonb column, the batch's distinct texts as PostgreSQL writes them after its own cast. */
  async #castBatch(batch: SourceValue[][]): Promise<Map<number, Map<string, string | undefined>>> {
    const casts = new Map<number, Map<string, string | undefined>>();
    for (const [index, column] of this.#table.columns.entries()) {
      if (column.type.kind !== "jsonb") continue;
      const texts = new Set<string>();
      for (const row of batch) {
        const value = row[index] ?? null;
        const text = value === null ? undefined : jsonSource(value);
        if (text !== undefined) texts.add(text);
      }
      casts.set(index, await this.#cast.jsonb([...texts]));
    }
    return casts;
  }

  #from(): string {
    return quoteIdentifier(this.#table.source.name);
  }

  #where(): string {
    return this.#table.where ? ` WHERE ${this.#table.where}` : "";
  }
}

function fillFields(
  { values, fields }: SourceRow,
  forms: SourceForm[],
  casts: Map<number, Map<string, string | undefined>>,
): void {
  for (let index = 0; index < forms.length; index += 1) {
    const value = values[index] as SourceValue;
    if (value === null) {
      fields[index] = nullField;
      continue;
    }
    const form = forms[index] as SourceForm;
    const cast = casts.size === 0 ? undefined : casts.get(index);
    const text = cast?.get(jsonSource(value) ?? "");
    if (cast === undefined) fields[index] = form(value);
    else fields[index] = text === undefined ? unfitField(value) : form(text);
  }
}

/** The values of a row as text, null for NULL. */
export function sourceRowShown({ values, fields }: SourceRow): (string | null)[] {
  return fields.map((_field, index) => {
    const value = values[index] as SourceValue;
    if (value === null) return null;
    if (Buffer.isBuffer(value)) return `\\x${value.toString("hex")}`;
    return Object.is(value, -0) ? "-0" : String(value);
  });
}

function closing(database: Source): Disposable & { database: Source } {
  return { database, [Symbol.dispose]: () => database.close() };
}
