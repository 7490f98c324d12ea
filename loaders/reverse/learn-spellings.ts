import type { SourceValue } from "../encode/value-problem.ts";
import { quoteIdentifier } from "../identifier.ts";
import type { ResolvedColumn, ResolvedTable } from "../resolve-table.ts";
import { affinityOf } from "../source/affinity.ts";
import { isServed } from "../source/lookup.ts";
import type { Source } from "../source/open-source.ts";
import type { TableSpellings } from "./source-record.ts";
import { formsOf, noteSpelling, type SpelledColumn, type Spellings } from "./spelling.ts";

/** Rows of a table that are looked at: all of a small one, as many spread over a large one. */
const rowsLooked = 100_000;
/** Rows of one statement: a source that is read in place must not be locked for long. */
const rowsAtOnce = 1000;

/** Looks at a source table's rows to learn how the application spells the values of each column. */
export function learnSpellings(
  source: Source,
  { source: table, columns, where }: Pick<ResolvedTable, "source" | "columns" | "where">,
  most = rowsLooked,
): TableSpellings {
  const typeOf = new Map(table.columns.map(({ name, declaredType }) => [name, declaredType]));
  const learned = columns
    .filter((column) => isUnclear(column, typeOf.get(column.source ?? "") ?? ""))
    .filter(({ lookup }) => lookup === null || isServed(source, lookup))
    .map((column) => {
      const spelled = spelledColumn(column, typeOf.get(column.source ?? "") ?? "");
      return { column, spelled, forms: formsOf(spelled), seen: {} as Spellings };
    });
  const found: TableSpellings = { looked: 0, rows: 0, columns: {} };
  if (learned.length === 0) return found;
  const values = learned.map(({ column }) => column.expression).join(", ");
  const from = `SELECT ${values} FROM ${quoteIdentifier(table.name)}`;
  const condition = where === null ? "" : `(${where})`;
  for (const rows of pages(source, table, from, condition, most)) {
    found.looked += rows.length;
    for (const row of rows) {
      for (const [i, { seen, spelled, forms }] of learned.entries()) {
        noteSpelling(seen, spelled, forms, row[i] as SourceValue);
      }
    }
  }
  found.rows = Number(
    source
      .prepare(`SELECT count(*) FROM ${quoteIdentifier(table.name)}${condition && ` WHERE ${condition}`}`)
      .pluck()
      .get(),
  );
  for (const { column, seen } of learned) found.columns[column.target] = seen;
  return found;
}

/** A resolved column as its spelling has to know it. */
export function spelledColumn(
  { type, reading, emptyIsNull }: Pick<ResolvedColumn, "type" | "reading" | "emptyIsNull">,
  declaredType: string,
): SpelledColumn {
  return { type, reading, emptyIsNull, declaredType };
}

/** Whether a value can stand in the source in more than one way. */
function isUnclear({ type, emptyIsNull, source }: ResolvedColumn, declaredType: string): boolean {
  if (type.kind === "text" || type.kind === "bytea") return false;
  if (source === null || emptyIsNull) return true;
  const affinity = affinityOf(declaredType);
  const isWhole = type.kind === "int2" || type.kind === "int4" || type.kind === "int8";
  return !(isWhole && affinity === "INTEGER");
}

function* pages(
  source: Source,
  table: ResolvedTable["source"],
  from: string,
  condition: string,
  most: number,
): Generator<SourceValue[][]> {
  if (table.rowid === null) {
    const sql = `${from}${condition && ` WHERE ${condition}`} LIMIT ${most}`;
    yield source.prepare(sql).raw(true).all() as SourceValue[][];
    return;
  }
  const { rowid } = table;
  const bound = (which: string) =>
    source
      .prepare(`SELECT ${which}(${rowid}) FROM ${quoteIdentifier(table.name)}`)
      .pluck()
      .get() as bigint | null;
  const [first, last] = [bound("min"), bound("max")];
  if (first === null || last === null) return;
  const span = last - first + 1n;
  const statement = source
    .prepare(`${from} WHERE ${rowid} BETWEEN ? AND ?${condition && ` AND ${condition}`}`)
    .raw(true);
  const wanted = BigInt(Math.ceil(most / rowsAtOnce));
  const size = BigInt(rowsAtOnce);
  const steps = span <= wanted * size ? (span + size - 1n) / size : wanted;
  const stride = span <= wanted * size ? size : span / steps;
  for (let step = 0n; step < steps; step += 1n) {
    const low = first + step * stride;
    yield statement.all(low, low + size - 1n > last ? last : low + size - 1n) as SourceValue[][];
  }
}
