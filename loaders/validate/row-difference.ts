import type { ComparedTable } from "./compared-table.ts";
import { shown } from "./source-value.ts";

/** A row found on one side. */
export interface FoundRow {
  /** Hash of the key's fields. */
  key: string;
  fields: string[];
  /** Each value as a person reads it; null for NULL. */
  shown: (string | null)[];
}

const keyColumnsShown = 6;

/** Says what is wrong with the rows of one key: a line for each row that has no equal on the other side. */
export function describeRow(table: ComparedTable, source: FoundRow[], target: FoundRow[]): string[] {
  const ours = without(source, target);
  const theirs = without(target, source);
  const lines: string[] = [];
  for (let index = 0; index < Math.max(ours.length, theirs.length); index += 1) {
    const [our, their] = [ours[index], theirs[index]];
    const name = keyText(table, our ?? (their as FoundRow));
    if (our && their) lines.push(`${name}: ${changes(table, our, their)}`);
    else if (our) lines.push(`${name}: missing in the target${counted(source, target)}`);
    else lines.push(`${name}: extra in the target${counted(source, target)}`);
  }
  return lines;
}

/** The rows of `rows` that have no equal in `others`, each of which answers for one only. */
function without(rows: FoundRow[], others: FoundRow[]): FoundRow[] {
  const left = others.map((row) => row.fields.join("|"));
  return rows.filter((row) => {
    const at = left.indexOf(row.fields.join("|"));
    if (at >= 0) left.splice(at, 1);
    return at < 0;
  });
}

function changes(table: ComparedTable, source: FoundRow, target: FoundRow): string {
  const different = table.resolved.columns.flatMap((column, index) =>
    source.fields[index] === target.fields[index]
      ? []
      : [`${column.target} is ${text(source, index)} in the source, ${text(target, index)} in the target`],
  );
  return different.join("; ");
}

function keyText(table: ComparedTable, row: FoundRow): string {
  const columns = table.key.slice(0, keyColumnsShown);
  const parts = columns.map((index) => `${table.resolved.columns[index]?.target} ${text(row, index)}`);
  return parts.join(", ") + (columns.length < table.key.length ? ", …" : "");
}

function text(row: FoundRow, index: number): string {
  return shown(row.shown[index]);
}

function counted(source: FoundRow[], target: FoundRow[]): string {
  if (source.length === 0 || target.length === 0) return "";
  return ` (${source.length} in the source, ${target.length} in the target)`;
}
