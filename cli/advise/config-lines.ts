import type { HypertableAdvice } from "./advice.ts";
import { isAsDeclared } from "./advice.ts";

/** The commands that put an advice into the stack's config; none for what is as declared. */
export function configLines({
  table,
  chunk,
  columnstore,
}: Pick<HypertableAdvice, "table" | "chunk" | "columnstore">): string[] {
  const lines: string[] = [];
  const set = (key: string, value: string) => {
    const path = /^\w+$/.test(table) ? `timelift:hypertables.${table}` : `timelift:hypertables["${table}"]`;
    lines.push(`pulumi config set --path ${shell(`${path}.${key}`)} ${shell(value)}`);
  };
  const setList = (key: string, values: string[]) => {
    if (values.length === 0) set(key, "[]");
    for (const [at, value] of values.entries()) set(`${key}[${at}]`, value);
  };
  if (!isAsDeclared(chunk)) set("chunk", chunk.advised);
  if (columnstore) {
    const { segmentBy, orderBy, after } = columnstore;
    if (!isAsDeclared(segmentBy)) setList("segmentBy", segmentBy.advised);
    if (!isAsDeclared(orderBy)) setList("orderBy", orderBy.advised);
    if (!isAsDeclared(after)) set("columnstoreAfter", after.advised);
  }
  return lines;
}

function shell(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
