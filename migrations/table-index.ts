import { quoteIdentifier as identifier } from "../loaders/identifier.ts";
import { orderColumn } from "./objects/columnstore.ts";

/** The name of an index on some columns; one that is given wins. */
export function indexName(table: string, columns: string[], name?: string): string {
  return name ?? `${table}_${columns.map((column) => column.replace(/ .*/, "")).join("_")}_idx`;
}

/** The SQL of an index; columns may end in ` desc`. */
export function indexSql(
  table: string,
  columns: string[],
  unique: "" | "UNIQUE " | string,
  name?: string,
): string {
  return `CREATE ${unique}INDEX ${identifier(indexName(table, columns, name))} ON ${identifier(table)} (${columns.map(orderColumn).join(", ")});`;
}
