import { quoteIdentifier } from "../identifier.ts";
import type { ResolvedTable } from "../resolve-table.ts";
import { quickExpression } from "../source/lookup.ts";
import type { Source } from "../source/open-source.ts";
import { type RowId, valuesId } from "../source/row-id.ts";
import { canonicalForm, type Form, jsonSource } from "./canonical-form.ts";
import type { ClaimedRows } from "./claimed-rows.ts";
import { RowBytes } from "./row-bytes.ts";
import type { RowOrigin, RowSink } from "./row-sink.ts";
import type { SourceRows } from "./source-rows.ts";
import { BrokenText, type SourceValue, valueText } from "./source-value.ts";
import { isEncoded } from "./text-encoding.ts";
import type { UnfitRows } from "./unfit-rows.ts";

/** Texts -> each as PostgreSQL writes it after its cast to jsonb; null for what it refuses. */
export type JsonbCast = (texts: string[]) => Promise<(string | null)[]>;

/** A text was read with U+FFFD in it: that may stand for bytes that are none in the encoding. */
export class DoubtfulText extends Error {}

const batchBytes = 4 * 1024 * 1024;
const batchRows = 2000;
/** Only these can be long; measuring a number would first turn it into text. */
const wideKinds = new Set<string>(["text", "json", "jsonb", "bytea"]);
const textKinds = new Set<string>(["text", "json", "jsonb"]);

/** The rows of a table or view as SQLite's own library reads them: slower, but it covers everything. */
export class QueryRows implements SourceRows, RowOrigin {
  readonly #table: ResolvedTable;
  readonly #source: Source;
  readonly #cast: JsonbCast;
  /** Whether texts are fetched as bytes, too. */
  readonly #exact: boolean;
  readonly #row: RowBytes;
  readonly #forms: Form[];
  #values: SourceValue[] = [];
  readonly rounding: number[];

  constructor(table: ResolvedTable, source: Source, cast: JsonbCast, exact: boolean) {
    this.#table = table;
    this.#source = source;
    this.#cast = cast;
    this.#exact = exact;
    this.#row = new RowBytes(table.columns.length);
    this.rounding = table.columns.map(() => 0);
    this.#forms = table.columns.map((column, at) =>
      canonicalForm(column, (distance) => {
        this.rounding[at] = Math.max(this.rounding[at] ?? 0, distance);
      }),
    );
  }

  /** @throws DoubtfulText, unless texts are read exactly */
  async each(sink: RowSink, unfit: UnfitRows, onRows: (rows: number) => void): Promise<number> {
    const row = this.#row;
    let rows = 0;
    for (const { rows: batch, ids } of this.#batches(unfit.claimed.names)) {
      const casts = await this.#casts(batch);
      for (const [at, values] of batch.entries()) {
        this.#values = values;
        const id = ids[at];
        if (this.#fill(casts)) {
          if (id === undefined || !unfit.refuses(id, () => this.texts())) sink.add(row, this);
        } else {
          this.#refuse(casts, unfit);
          if (id !== undefined) unfit.claimed.meetUnfit(id);
        }
      }
      rows += batch.length;
      onRows(rows);
    }
    return rows;
  }

  texts(): (string | null)[] {
    return this.#values.map(valueText);
  }

  #fill(casts: Casts): boolean {
    const row = this.#row;
    row.at = 0;
    for (let at = 0; at < this.#forms.length; at += 1) {
      row.starts[at] = row.at;
      if (!this.#put(at, casts)) return false;
    }
    row.starts[this.#forms.length] = row.at;
    return true;
  }

  #refuse(casts: Casts, unfit: UnfitRows): void {
    this.#row.at = 0;
    const positions = this.#values.flatMap((_value, at) => (this.#put(at, casts) ? [] : [at]));
    unfit.add(this.#values, positions);
  }

  #put(at: number, casts: Casts): boolean {
    let value = this.#values[at] as SourceValue;
    const cast = casts.get(at);
    const isEmpty = value === "" && this.#table.columns[at]?.emptyIsNull;
    if (cast !== undefined && value !== null && !isEmpty) {
      const written = value instanceof BrokenText ? undefined : cast.get(jsonSource(value) ?? "");
      if (typeof written !== "string") return false;
      value = written;
    }
    return (this.#forms[at] as Form)(value, this.#row);
  }

  /** For each jsonb column, the batch's distinct texts as PostgreSQL writes them after its own cast. */
  async #casts(batch: SourceValue[][]): Promise<Casts> {
    const casts: Casts = new Map();
    for (const [at, { type }] of this.#table.columns.entries()) {
      if (type.kind !== "jsonb") continue;
      const texts = new Set<string>();
      for (const values of batch) {
        const value = values[at] ?? null;
        const text = value === null || value instanceof BrokenText ? undefined : jsonSource(value);
        if (text !== undefined) texts.add(text);
      }
      const written = texts.size === 0 ? [] : await this.#cast([...texts]);
      casts.set(at, new Map([...texts].map((text, index) => [text, written[index] ?? null])));
    }
    return casts;
  }

  /** @param named by what rows have to be known; null where they need not be */
  *#batches(named: ClaimedRows["names"]): Generator<{ rows: SourceValue[][]; ids: RowId[] }> {
    const encoding = this.#source.pragma("encoding", { simple: true }) as string;
    const columns = this.#table.columns.map((column) => quickExpression(this.#source, column));
    const isText = this.#table.columns.map(({ type }) => textKinds.has(type.kind));
    const bytes = columns.map((column, at) =>
      isText[at] ? `CASE typeof(${column}) WHEN 'text' THEN CAST(${column} AS BLOB) END` : "NULL",
    );
    const rowid = named === "rowids" ? [this.#table.source.rowid ?? "NULL"] : [];
    const select = [...columns, ...(this.#exact ? bytes : []), ...rowid];
    const where = this.#table.where ? ` WHERE ${this.#table.where}` : "";
    const size = Math.max(1, Math.min(batchRows, Math.floor(batchBytes / Math.max(1, this.#widest(where)))));
    const rows = this.#source
      .prepare(`SELECT ${select.join(", ")} FROM ${quoteIdentifier(this.#table.source.name)}${where}`)
      .raw()
      .iterate() as IterableIterator<SourceValue[]>;
    let batch: SourceValue[][] = [];
    let ids: RowId[] = [];
    for (const values of rows) {
      if (named === "rowids") ids.push(Number(values.pop()));
      if (this.#exact) {
        const stored = values.splice(columns.length);
        for (const [at, text] of stored.entries()) {
          if (Buffer.isBuffer(text) && !isEncoded(text, encoding)) values[at] = new BrokenText(text);
        }
      } else if (
        values.some((value, at) => isText[at] && typeof value === "string" && value.includes("\uFFFD"))
      ) {
        throw new DoubtfulText();
      }
      if (named === "values") ids.push(valuesId(values.map(readAs)));
      batch.push(values);
      if (batch.length === size) {
        yield { rows: batch, ids };
        batch = [];
        ids = [];
      }
    }
    if (batch.length > 0) yield { rows: batch, ids };
  }

  /** Bytes of the texts and blobs of the widest row. */
  #widest(where: string): number {
    const wide = this.#table.columns.filter(({ type }) => wideKinds.has(type.kind));
    if (wide.length === 0) return 0;
    const widths = wide.map(
      (column) => `coalesce(octet_length(${quickExpression(this.#source, column)}), 0)`,
    );
    const widest = this.#source
      .prepare(`SELECT max(${widths.join(" + ")}) FROM ${quoteIdentifier(this.#table.source.name)}${where}`)
      .pluck()
      .get() as bigint | null;
    return Number(widest ?? 0);
  }
}

/** A value as better-sqlite3 gives it. */
function readAs(value: SourceValue): Exclude<SourceValue, BrokenText> {
  return value instanceof BrokenText ? value.bytes.toString() : value;
}

/** For each jsonb column, source text -> what PostgreSQL writes; null for what it refuses. */
type Casts = Map<number, Map<string, string | null>>;
