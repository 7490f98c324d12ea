import { quoteIdentifier } from "../identifier.ts";
import type { ResolvedColumn, ResolvedTable } from "../resolve-table.ts";
import { quickExpression } from "../source/lookup.ts";
import type { Source } from "../source/open-source.ts";
import { type RowId, valuesId } from "../source/row-id.ts";
import { canonicalForm } from "./canonical-form.ts";
import type { RowCounts } from "./claimed-rows.ts";
import { RowBytes } from "./row-bytes.ts";
import { BrokenText, type SourceValue } from "./source-value.ts";

/** A key that no two rows of a table may have in common; columns by their positions. */
export interface UniqueClaim {
  columns: number[];
  nullsDistinct: boolean;
}

/** Columns whose values a row of another table must have. */
export interface ReferenceClaim {
  columns: number[];
  parent: ResolvedTable;
  to: number[];
  /** Rows of the parent that the load rejected. */
  rejected: RowId[];
}

/** What is claimed of one table: these rows were rejected for one of these keys. Plain data: it crosses threads. */
export interface KeyClaims {
  table: ResolvedTable;
  /** All rows that were rejected, for whatever reason: none of them keeps another out. */
  rejected: RowCounts;
  /** Those whose values fit, so that a key must have been the reason. */
  doubtful: RowId[];
  unique: UniqueClaim[];
  references: ReferenceClaim[];
}

/** The doubtful rows that a key refuses indeed: an equal row comes before them, or no parent of theirs is loaded. */
export function upheldClaims(source: Source, claims: KeyClaims): RowCounts {
  const upheld: RowCounts = new Map();
  const doubtful = new Set(claims.doubtful);
  const uphold = (id: RowId) => upheld.set(id, claims.rejected.get(id) ?? 0);
  for (const id of duplicates(source, claims, doubtful)) uphold(id);
  for (const reference of claims.references) {
    for (const id of orphans(source, claims, reference, doubtful)) uphold(id);
  }
  return upheld;
}

/** Reads the whole table: rows that were not rejected are looked up among the keys of those that were. */
function* duplicates(source: Source, claims: KeyClaims, doubtful: Set<RowId>): Generator<RowId> {
  const { table, rejected, unique } = claims;
  if (unique.length === 0) return;
  const readers = unique.map(({ columns }) => columns.map((at) => table.columns[at] as ResolvedColumn));
  const keysOf = (values: Keys) =>
    values.map(({ key, nulls }, rule) => (nulls && unique[rule]?.nullsDistinct ? null : key));
  /** For each key, value -> the doubtful rows that have it. */
  const sought = unique.map(() => new Map<string, RowId[]>());
  const met = new Map<RowId, number>();
  for (const { id, keys } of keyRows(source, table, readers, rejected)) {
    if (!doubtful.has(id)) continue;
    const before = met.get(id) ?? 0;
    met.set(id, before + 1);
    // More rows with these very values than were rejected: one of them is there.
    if (before === (rejected.get(id) ?? 0) && keysOf(keys).some((key) => key !== null)) yield id;
    keysOf(keys).forEach((key, rule) => {
      if (key === null || before > 0) return;
      const ids = sought[rule]?.get(key) ?? [];
      ids.push(id);
      sought[rule]?.set(key, ids);
    });
  }
  for (const { id, keys } of keyRows(source, table, readers, rejected)) {
    if (rejected.has(id)) continue;
    for (const [rule, key] of keysOf(keys).entries()) {
      if (key === null) continue;
      for (const later of sought[rule]?.get(key) ?? []) if (comesBefore(id, later)) yield later;
    }
  }
}

/** Rows without a rowid have no order that can be told. */
function comesBefore(id: RowId, other: RowId): boolean {
  return typeof id === "string" || id < (other as number);
}

function* orphans(
  source: Source,
  { table, rejected }: KeyClaims,
  { columns, parent, to, rejected: absent }: ReferenceClaim,
  doubtful: Set<RowId>,
): Generator<RowId> {
  const its = to.map((at) => parent.columns[at] as ResolvedColumn);
  // As a value of the parent's type: only so can it equal one.
  const own = columns.map((at, i): ResolvedColumn => {
    const column = table.columns[at] as ResolvedColumn;
    return { ...column, type: its[i]?.type ?? column.type };
  });
  const sought = new Map<string, RowId[]>();
  for (const { id, keys } of keyRows(source, table, [own], rejected)) {
    const [key] = keys;
    if (!doubtful.has(id) || key === undefined || key.nulls) continue;
    // Not even a value of the parent's type.
    if (key.key === null) yield id;
    else sought.set(key.key, [...(sought.get(key.key) ?? []), id]);
  }
  if (sought.size === 0) return;
  const away: RowCounts = new Map(absent.map((id) => [id, 1]));
  for (const { id, keys } of keyRows(source, parent, [its], away)) {
    const key = keys[0]?.key;
    if (key !== null && key !== undefined && !away.has(id)) sought.delete(key);
  }
  for (const ids of sought.values()) yield* ids;
}

/** Of each key its canonical bytes, as a text that is only compared; null where a value does not fit. */
type Keys = { key: string | null; nulls: boolean }[];

/** Every row of a table with its keys; its id is of the kind that `named` has. */
function* keyRows(
  source: Source,
  table: ResolvedTable,
  keys: ResolvedColumn[][],
  named: RowCounts,
): Generator<{ id: RowId; keys: Keys }> {
  const [some] = named.keys();
  const byValues = typeof some === "string";
  const idColumns = byValues
    ? table.columns.map((column) => quickExpression(source, column))
    : [table.source.rowid ?? "NULL"];
  const wanted = keys.flat().map((column) => quickExpression(source, column));
  const forms = keys.map((columns) => columns.map((column) => canonicalForm({ ...column, nullable: true })));
  const where = table.where === null ? "" : ` WHERE (${table.where})`;
  const rows = source
    .prepare(
      `SELECT ${[...idColumns, ...wanted].join(", ")} FROM ${quoteIdentifier(table.source.name)}${where}`,
    )
    .raw()
    .iterate() as IterableIterator<(null | bigint | number | string | Buffer)[]>;
  const bytes = new RowBytes(1);
  for (const values of rows) {
    const ids = values.slice(0, idColumns.length);
    let at = idColumns.length;
    const found = forms.map((columns) => {
      bytes.at = 0;
      const given = values.slice(at, at + columns.length);
      at += columns.length;
      const fits = columns.every((form, i) => form(zeroOf(given[i] ?? null), bytes));
      const key = fits ? bytes.bytes.toString("latin1", 0, bytes.at) : null;
      return { key, nulls: given.some((value, i) => isNull(columns[i], value)) };
    });
    yield { id: byValues ? valuesId(ids) : Number(ids[0]), keys: found };
  }
}

/** Minus zero equals zero. */
function zeroOf(value: SourceValue): SourceValue {
  return Object.is(value, -0) ? 0 : value;
}

function isNull(form: ReturnType<typeof canonicalForm> | undefined, value: SourceValue): boolean {
  if (value === null || value instanceof BrokenText) return value === null;
  if (value !== "" || form === undefined) return false;
  const probe = new RowBytes(1, 8);
  return form(value, probe) && probe.view.getInt32(0) === -1;
}
