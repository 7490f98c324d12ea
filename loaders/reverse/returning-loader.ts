import {
  type ColumnReading,
  type LoaderDefinition,
  loadedEntries,
  sourceNameOf,
  type TableDefinition,
} from "../define-loader.ts";
import { mapColumns } from "../resolve-table.ts";
import { findSourceTable, type SourceSchema, type SourceTable } from "../source/source-schema.ts";
import { mergedColumn, sidecarName, wholeName } from "./sidecar-names.ts";

/**
 * The same loader for a file that an export wrote: what the file keeps beside the application's tables comes back from
 * there, the rows of target-only tables too. A loader of any other file stays as it is.
 */
export function returningLoader(loader: LoaderDefinition, schema: SourceSchema): LoaderDefinition {
  const loaded = new Map(loadedEntries(loader));
  const tables = Object.entries(loader.tables).map(([name, definition]): [string, TableDefinition] => {
    const whole = schema.get(wholeName(name));
    if (whole !== undefined) return [name, returning(whole, loaded.get(name), name, schema)];
    const sidecar = loaded.has(name) ? undefined : schema.get(sidecarName(name));
    return [name, sidecar === undefined ? definition : returning(sidecar, undefined, name, schema)];
  });
  return { ...loader, tables: Object.fromEntries(tables) };
}

function returning(
  from: SourceTable,
  definition: TableDefinition | undefined,
  name: string,
  schema: SourceSchema,
): TableDefinition {
  const source = definition && findSourceTable(schema, sourceNameOf(name, definition));
  const mapped = new Map(
    source ? mapColumns(definition, source).map((column) => [column.target, column]) : [],
  );
  const columns = from.columns
    .filter((column) => column.name !== mergedColumn)
    .map(({ name: to }): [string, ColumnReading] => {
      const { reading, emptyIsNull } = mapped.get(to) ?? { reading: null, emptyIsNull: false };
      return [to, { to, ...(reading && { read: reading }), ...(emptyIsNull && { empty: "null" as const }) }];
    });
  const { order } = definition ?? {};
  return { from: from.name, columns: Object.fromEntries(columns), ...(order && { order }) };
}
