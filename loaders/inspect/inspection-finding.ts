import type { InspectedTable, Inspection } from "./inspect-source.ts";
import type { InspectedColumn } from "./inspect-table.ts";
import { literalKey, loaderRule } from "./loader-rule.ts";

/** Something a person should know, or has to declare, before a load. */
export interface Finding {
  /** A table, or a table's column. */
  where: string;
  what: string;
}

/** The findings of an inspection: what cannot be read, what is rejected, what misleads, what to declare, defaults. */
export function findingsOf(inspection: Inspection): Finding[] {
  const found: Record<"broken" | "rejected" | "warned" | "declared" | "defaults", Finding[]> = {
    ...{ broken: [], rejected: [], warned: [], declared: [], defaults: [] },
  };
  for (const table of inspection.tables) {
    if (table.error !== null)
      found.broken.push({ where: table.name, what: `cannot be read: ${table.error}` });
    found.warned.push(...orphanFindings(table), ...keyFindings(table));
    for (const column of table.columns) {
      const where = `${table.name}.${column.name}`;
      if (column.error !== null) found.broken.push({ where, what: `cannot be computed: ${column.error}` });
      if (column.unfit !== null) found.rejected.push({ where, what: rejected(column, table) });
      for (const what of column.warnings) found.warned.push({ where, what });
      const rule = loaderRule(column);
      if (rule !== null) found.declared.push({ where, what: `declare ${literalKey(column.name)}: ${rule}` });
      if (column.default?.note) found.defaults.push({ where, what: column.default.note });
    }
  }
  return Object.values(found).flat();
}

function rejected({ unfit, suggestion }: InspectedColumn, table: InspectedTable): string {
  if (unfit === null) return "";
  const count = unfit.count.toLocaleString("en-US");
  const values = unfit.count === 1 ? "value" : "values";
  const read = table.rowsRead < table.rows ? ` of ${table.rowsRead.toLocaleString("en-US")} rows read` : "";
  return `${count} ${values}${read} would be rejected as ${suggestion.type}: ${unfit.value} ${unfit.reason} (${unfit.row})`;
}

function orphanFindings(table: InspectedTable): Finding[] {
  return table.foreignKeys.flatMap((each, i) => {
    const rows = table.orphans[i] ?? 0;
    if (rows === 0) return [];
    const names = each.columns.join(", ");
    const what = `${rows.toLocaleString("en-US")} ${rows === 1 ? "row refers" : "rows refer"} to nothing in ${each.table}`;
    return [{ where: `${table.name}.${names}`, what }];
  });
}

function keyFindings(table: InspectedTable): Finding[] {
  return table.primaryKey.flatMap((name) => {
    const nulls = table.columns.find((column) => column.name === name)?.counts?.null ?? 0;
    if (nulls === 0) return [];
    const what = `${nulls.toLocaleString("en-US")} ${nulls === 1 ? "row has" : "rows have"} NULL in the primary key, which SQLite lets pass`;
    return [{ where: `${table.name}.${name}`, what }];
  });
}
