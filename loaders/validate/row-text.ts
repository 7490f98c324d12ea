import { hash } from "node:crypto";
import type { ResolvedColumn } from "../resolve-table.ts";
import { targetForm } from "./canonical-form.ts";

/** The text of a row: its fields between bars. Fields hold no bar, so no two rows share a text. */
export function rowText(fields: string[]): string {
  let text = fields[0] ?? "";
  for (let index = 1; index < fields.length; index += 1) text += `|${fields[index]}`;
  return text;
}

/** The same text as a SQL expression over a target row. */
export function rowTextSql(columns: Pick<ResolvedColumn, "target" | "type">[]): string {
  return columns.map((column) => targetForm(column.target, column.type)).join(" || '|' || ") || "''";
}

/** MD5 of a row text as SQL has it: 32 hex digits. PostgreSQL computes the same over UTF-8. */
export function md5Hex(text: string): string {
  return hash("md5", text, "hex");
}

/** MD5 of a row text as 16 one-byte characters: the quickest to make and to read. */
export function md5Bytes(text: string): string {
  return hash("md5", text, "binary");
}

/** `md5()` over UTF-8 whatever the database's own encoding is. */
export function md5Sql(expression: string): string {
  return `md5(convert_to(${expression}, 'UTF8'))`;
}
