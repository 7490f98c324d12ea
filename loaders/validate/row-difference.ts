import type { ColumnDifference, RowDifference } from "../validation-report.ts";
import type { ComparedTable } from "./compared-table.ts";
import type { FoundRow } from "./row-capture.ts";
import { cut } from "./source-value.ts";

const keyColumnsShown = 6;

/** A difference as a value, and as a line for people. */
export interface DescribedRow {
  difference: RowDifference;
  line: string;
}

/** Says what is wrong with the rows of one key: one difference for each row that has no equal on the other side. */
export function describeRow(table: ComparedTable, source: FoundRow[], target: FoundRow[]): DescribedRow[] {
  const ours = without(source, target);
  const theirs = without(target, source);
  return Array.from({ length: Math.max(ours.length, theirs.length) }, (_, index): DescribedRow => {
    const [our, their] = [ours[index], theirs[index]];
    const difference: RowDifference = {
      kind: our && their ? "changed" : our ? "missing" : "extra",
      key: keyText(table, our ?? (their as FoundRow)),
      columns: columnsOf(table, our, their),
    };
    return { difference, line: lineOf(difference, source.length, target.length) };
  });
}

function lineOf({ kind, key, columns }: RowDifference, inSource: number, inTarget: number): string {
  if (kind === "changed") {
    const changes = columns.map(
      ({ column, source, target }) =>
        `${column} is ${shown(source)} in the source, ${shown(target)} in the target`,
    );
    return `${key}: ${changes.join("; ")}`;
  }
  const both = inSource > 0 && inTarget > 0;
  const counted = both ? ` (${inSource} in the source, ${inTarget} in the target)` : "";
  return `${key}: ${kind} in the target${counted}`;
}

/** The rows of `rows` that have no equal in `others`, each of which answers for one only. */
function without(rows: FoundRow[], others: FoundRow[]): FoundRow[] {
  const left = others.map(({ fields }) => fields.join(""));
  return rows.filter(({ fields }) => {
    const at = left.indexOf(fields.join(""));
    if (at >= 0) left.splice(at, 1);
    return at < 0;
  });
}

function columnsOf(table: ComparedTable, our?: FoundRow, their?: FoundRow): ColumnDifference[] {
  return table.resolved.columns.flatMap(({ target }, at) =>
    our && their && our.fields[at] === their.fields[at]
      ? []
      : [{ column: target, source: our?.texts[at] ?? null, target: their?.texts[at] ?? null }],
  );
}

function keyText(table: ComparedTable, row: FoundRow): string {
  const columns = table.key.slice(0, keyColumnsShown);
  const parts = columns.map((at) => `${table.resolved.columns[at]?.target} ${shown(row.texts[at])}`);
  return parts.join(", ") + (columns.length < table.key.length ? ", …" : "");
}

/** Quoted, so that a trailing space shows. */
function shown(text: string | null | undefined): string {
  return text === null || text === undefined ? "NULL" : `'${cut(text)}'`;
}
