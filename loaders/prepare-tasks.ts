import type pg from "pg";
import { readChunkSpans } from "./chunk-span.ts";
import type { DeclaredKeys } from "./declared-keys.ts";
import { type LoaderDefinition, targetOnlyTables } from "./define-loader.ts";
import { readKeptReferences } from "./kept-references.ts";
import { didYouMean } from "./nearest-name.ts";
import { resolveTable } from "./resolve-table.ts";
import type { PlannedSource } from "./source/scan-source.ts";
import { findSourceTable } from "./source/source-schema.ts";
import { orderTables } from "./table-order.ts";
import type { TableTask } from "./table-task.ts";
import { readTargetTable } from "./target-table.ts";
import { TimeliftError } from "./timelift-error.ts";

/**
 * Pairs source and target of every entry, so that every mistake shows before the first row is written. A table comes
 * after those it refers to. A target-only table has to be there, and is no task.
 * @throws TimeliftError as `resolveTable` and `readTargetTable`; order-column-missing
 */
export async function prepareTasks(
  client: pg.ClientBase,
  loader: LoaderDefinition,
  { reads, schema }: PlannedSource,
  keys: DeclaredKeys[] = [],
): Promise<TableTask[]> {
  for (const name of targetOnlyTables(loader)) await readTargetTable(client, name);
  const tasks = new Map<string, TableTask>();
  const spans = await readChunkSpans(client);
  const kept = await readKeptReferences(client);
  for (const planned of reads) {
    const definition = loader.tables[planned.target] ?? {};
    const table = await readTargetTable(client, planned.target);
    for (const { parent, cascades } of kept.filter((each) => each.table === planned.target)) {
      table.foreignKeys.push({ table: parent, cascades });
    }
    const resolved = resolveTable(definition, findSourceTable(schema, planned.read.table), table);
    const names = resolved.columns.map((column) => column.target);
    const order = (definition.order ?? []).map((name) => {
      const position = names.indexOf(name);
      if (position >= 0) return position;
      throw new TimeliftError({
        code: "order-column-missing",
        subject: `target column ${planned.target}.${name}`,
        problem: `the loader orders by it, but no column lands there.${didYouMean(name, names)}`,
        remedy: 'Mend "order" in the loader; it takes target columns.',
      });
    });
    const declared = keys.filter((each) => each.table === planned.target).flatMap((each) => each.references);
    const parents = new Set([...table.foreignKeys, ...declared].map((key) => key.table));
    const task: TableTask = { name: planned.target, planned, resolved, table, order, parents };
    const chunks = spans.get(planned.target);
    const time = names.indexOf(chunks?.column ?? "");
    if (chunks !== undefined && time >= 0) task.chunk = { time, span: chunks.span };
    tasks.set(planned.target, task);
  }
  // Before the keys are there, the source's own references give the order.
  const targetsOf = (sourceTable: string) =>
    [...tasks.values()]
      .filter((task) => task.planned.read.table.toLowerCase() === sourceTable.toLowerCase())
      .map((task) => task.name);
  const ordered = orderTables([...tasks.keys()], (name) => [
    ...(tasks.get(name)?.parents ?? []),
    ...(tasks.get(name)?.resolved.source.foreignKeys.flatMap((key) => targetsOf(key.table)) ?? []),
  ]);
  return ordered.flatMap((name) => tasks.get(name) ?? []);
}
