import { encodedColumns, type LoadContext } from "./copy-table.ts";
import type { DeclaredKeys, DeclaredReference } from "./declared-keys.ts";
import type { LoaderDefinition } from "./define-loader.ts";
import type { LedgerTable } from "./ledger.ts";
import { RejectFlood } from "./reject-flood.ts";
import { resolveTable } from "./resolve-table.ts";
import type { KeyedTable, ReferenceRule, UniqueRule } from "./source/keys/keyed-table.ts";
import type { RefusedRows } from "./source/refused-rows.ts";
import type { RowId } from "./source/row-id.ts";
import type { PlannedSource } from "./source/scan-source.ts";
import { findSourceTable } from "./source/source-schema.ts";
import type { RowRange } from "./source/table-reader.ts";
import { type Action, isInLine, type TableTask } from "./table-task.ts";
import { readTargetTable } from "./target-table.ts";
import { TimeliftError } from "./timelift-error.ts";

/** What the search for rows that keys refuse needs. */
export interface KeyRejectsArgs {
  context: LoadContext;
  loader: LoaderDefinition;
  planned: PlannedSource;
  tasks: TableTask[];
  /** What is to be done to each table. */
  actions: Map<string, Action>;
  keys: DeclaredKeys[];
  before: Map<string, LedgerTable>;
  fingerprint: string;
  force: boolean;
  /** Refused rows of one table after which the load stops. */
  most: number;
}

/**
 * Notes in each task which of its rows the declared keys refuse: rows that refer to one which is not loaded, and rows
 * whose key an earlier row has. Tables that are in line with the source, and have no rejects, are not looked at.
 *
 * A reference to a table that this load leaves out is judged by what the source has for it; one to a table that is not
 * loaded at all is not judged, and neither is a key with a column that does not come from the source.
 *
 * @throws RejectFlood
 */
export async function findKeyRejects(args: KeyRejectsArgs): Promise<void> {
  const { context, tasks, most } = args;
  const tables = new Map(tasks.map((task) => [task.name, keyedTable(task)]));
  const bystanders = await keyedBystanders(args, tables);
  const references = declaredReferences(args.keys, tables, bystanders);
  const wanted = tablesToSearch(args, references);
  const absent = new Map<string, RowId[]>();
  for (const name of bystanders.keys()) absent.set(name, await context.ledger.rejects.ids(name));
  const queue = tasks.filter(({ name }) => wanted.has(name)).map(({ name }) => name);
  const orphansOf = new Map<string, RefusedRows>();
  const refusedOf = new Map<string, RefusedRows>();
  for (let name = queue.shift(); name !== undefined; name = queue.shift()) {
    const table = tables.get(name) as KeyedTable;
    const own = references.get(name) ?? [];
    const isReferred = [...references].some(([child, rules]) => {
      return wanted.has(child) && rules.some(({ parent }) => parent.name === name);
    });
    const { orphans, duplicates, unfit, complete } = await context.reader.findRefused({
      table,
      unique: uniqueRules(args.keys, table),
      references: own.map((rule) => ({
        ...rule,
        absent: rule.parent.name === name ? null : (absent.get(rule.parent.name) ?? []),
      })),
      orphans: orphansOf.get(name) ?? new Map(),
      doubtful: isReferred ? await doubtfulRows(args, name) : [],
      most,
    });
    const refused = new Map([...duplicates, ...orphans]);
    if (!complete) throw flood(name, refused);
    orphansOf.set(name, orphans);
    refusedOf.set(name, refused);
    const gone = [...unfit, ...[...refused].flatMap(([id, { spared }]) => (spared === 0 ? [id] : []))];
    if (!isEqual(absent.get(name) ?? [], gone)) {
      absent.set(name, gone);
      // In a circle of tables, those that were looked at before may have lost a parent.
      const lost = [...references].flatMap(([child, rules]) =>
        child !== name && rules.some(({ parent }) => parent.name === name) ? [child] : [],
      );
      for (const child of lost) if (wanted.has(child) && !queue.includes(child)) queue.push(child);
    }
  }
  for (const task of tasks) {
    const refused = refusedOf.get(task.name);
    if (refused !== undefined && refused.size > 0) task.refused = refused;
  }
}

function keyedTable(task: TableTask): KeyedTable {
  const { name, planned, resolved } = task;
  return { name, source: resolved.source, read: planned.read, columns: encodedColumns(task) };
}

/** The tables that this load leaves out, where keys refer to them. */
async function keyedBystanders(
  { context, loader, planned, keys }: KeyRejectsArgs,
  tables: Map<string, KeyedTable>,
): Promise<Map<string, KeyedTable>> {
  const found = new Map<string, KeyedTable>();
  const named = new Set(keys.flatMap(({ references }) => references.map(({ table }) => table)));
  for (const { target, read } of planned.bystanders) {
    if (!named.has(target) || tables.has(target)) continue;
    try {
      const definition = loader.bystanders?.[target] ?? {};
      const source = findSourceTable(planned.schema, read.table);
      const resolved = resolveTable(definition, source, await readTargetTable(context.client, target));
      found.set(target, { name: target, source, read, columns: encodedColumns({ resolved }) });
    } catch (error) {
      // What is wrong with it is told when it is loaded itself.
      if (!(error instanceof TimeliftError)) throw error;
    }
  }
  return found;
}

/** Table -> the references of its rows that can be judged. */
function declaredReferences(
  keys: DeclaredKeys[],
  tables: Map<string, KeyedTable>,
  bystanders: Map<string, KeyedTable>,
): Map<string, Omit<ReferenceRule, "absent">[]> {
  const references = new Map<string, Omit<ReferenceRule, "absent">[]>();
  for (const { table: name, references: declared } of keys) {
    const table = tables.get(name);
    if (table === undefined) continue;
    const rules = declared.flatMap((reference) => {
      const parent = tables.get(reference.table) ?? bystanders.get(reference.table);
      return parent === undefined ? [] : referenceRule(table, parent, reference);
    });
    references.set(name, [...(references.get(name) ?? []), ...rules]);
  }
  return references;
}

function referenceRule(table: KeyedTable, parent: KeyedTable, reference: DeclaredReference) {
  const columns = placesOf(table, reference.columns);
  const to = placesOf(parent, reference.to);
  return columns === null || to === null || columns.length !== to.length ? [] : [{ columns, parent, to }];
}

function uniqueRules(keys: DeclaredKeys[], table: KeyedTable): UniqueRule[] {
  const declared = keys.filter((each) => each.table === table.name).flatMap(({ unique }) => unique);
  return declared.flatMap(({ columns: names, nulls }) => {
    const columns = placesOf(table, names);
    return columns === null ? [] : [{ columns, nullsDistinct: nulls === "distinct" }];
  });
}

/** Positions of columns by their target names; null where one of them is not loaded. */
function placesOf({ columns }: KeyedTable, names: string[]): number[] | null {
  const places = names.map((name) => columns.findIndex(({ target }) => target === name));
  return places.length === 0 || places.includes(-1) ? null : places;
}

/** Tables with rows that may have become, or ceased to be, rejects; and those that refer to them. */
function tablesToSearch(
  { planned, before, fingerprint, force, keys }: KeyRejectsArgs,
  references: Map<string, Omit<ReferenceRule, "absent">[]>,
): Set<string> {
  const wanted = new Set<string>();
  for (const read of planned.reads) {
    const known = before.get(read.target);
    const isSettled = isInLine(known, read, fingerprint) && known?.rejected === 0;
    if (force || !isSettled) wanted.add(read.target);
  }
  for (let size = -1; size !== wanted.size; ) {
    size = wanted.size;
    for (const [name, rules] of references) {
      if (rules.some(({ parent }) => wanted.has(parent.name))) wanted.add(name);
    }
  }
  const judged = new Set(keys.map(({ table }) => table));
  const parents = new Set([...references.values()].flat().map(({ parent }) => parent.name));
  return new Set([...wanted].filter((name) => judged.has(name) || parents.has(name)));
}

/** The rows of a table that are to be written, and those that were rejected: only their values may not fit. */
async function doubtfulRows(
  { context, actions, before, tasks }: KeyRejectsArgs,
  name: string,
): Promise<RowRange[]> {
  const action = actions.get(name);
  const rowid = tasks.find((task) => task.name === name)?.planned.read.rowid ?? null;
  if (action === undefined || action.kind === "merge" || rowid === null) return [{}];
  const ranges = action.kind === "append" ? action.ranges : [];
  if (action.kind === "append" && action.anew) return ranges;
  if ((before.get(name)?.rejected ?? 0) === 0) return ranges;
  const known = await context.ledger.rejects.rows(name);
  return [...ranges, { rowids: [...known.keys()] }];
}

function isEqual(a: RowId[], b: RowId[]): boolean {
  const known = new Set(a);
  return known.size === new Set(b).size && b.every((id) => known.has(id));
}

function flood(table: string, refused: RefusedRows): RejectFlood {
  const rows = [...refused].map(([id, { key, values }]) => ({
    rowid: typeof id === "number" ? BigInt(id) : null,
    digest: typeof id === "number" ? null : id,
    key,
    values,
  }));
  return new RejectFlood(table, rows);
}
