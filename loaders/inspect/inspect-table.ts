import { describeValue, type SourceValue } from "../encode/value-problem.ts";
import { quoteIdentifier } from "../identifier.ts";
import type { Source } from "../source/open-source.ts";
import type { SourceColumn, SourceTable } from "../source/source-schema.ts";
import { type ColumnCounts, countColumns } from "./column-counts.ts";
import { type ColumnDefault, targetDefault } from "./column-default.ts";
import { type ColumnForms, countForm, emptyForms, invalidTextTest } from "./column-forms.ts";
import { readDeclaredType } from "./declared-type.ts";
import { type RowSample, type SampledRow, sampleRows } from "./row-sample.ts";
import { type ColumnSuggestion, suggestColumn } from "./suggest-column.ts";
import { momentText, momentUnit } from "./value-form.ts";
import { valueTrial } from "./value-trial.ts";

/** Values that one column's suggested type cannot hold. */
export interface UnfitValues {
  /** Of the rows that were read. */
  count: number;
  /** The first one's row, as `rowid 17`. */
  row: string;
  /** The value with its class: `text "maybe"`. */
  value: string;
  /** Why the loader rejects it. */
  reason: string;
}

/** What is known of one column. */
export interface InspectedColumn extends SourceColumn {
  /** Counted over every row; null where the column cannot be computed. */
  counts: ColumnCounts | null;
  found: ColumnForms;
  suggestion: ColumnSuggestion;
  default: ColumnDefault | null;
  /** Null when every value read fits. */
  unfit: UnfitValues | null;
  /** What a person should know before the load. */
  warnings: string[];
  /** Why the column cannot be computed, null when it can. */
  error: string | null;
}

/** How much of a table is read value by value. */
export interface InspectOptions {
  /**
   * Rows of a table that are read one by one; beyond it an evenly spread sample of as many.
   * @default 200000
   */
  sampleRows?: number;
}

/** Counts, reads and judges the columns of a table or view; says too how many rows it read one by one. */
export function inspectColumns(
  source: Source,
  table: SourceTable,
  sample: RowSample,
  limit: number,
): { columns: InspectedColumn[]; rowsRead: number } {
  const counts = countColumns(
    source,
    table.name,
    table.columns.map((column) => column.name),
  );
  const readable = table.columns.filter((column) => typeof counts.get(column.name) === "object");
  const names = readable.map((column) => column.name);
  const invalid = invalidTexts(source, table);
  const rows = () => sampleRows(source, table, names, sample, limit);

  const forms = readable.map(() => emptyForms());
  const precise = readable.map((column) => readDeclaredType(column.declaredType).family === "numeric");
  let rowsRead = 0;
  for (const { first, row } of rows()) {
    if (first === 0) rowsRead += 1;
    for (let i = 0; i < row.values.length; i++) {
      const value = row.values[i] as SourceValue;
      const at = first + i;
      if (value === null) continue;
      const broken =
        typeof value === "string" && value.includes("\uFFFD") && invalid(row, names[at] as string, value);
      countForm(forms[at] as ColumnForms, value, broken, precise[at] as boolean);
    }
  }

  const inspected = table.columns.map((column): InspectedColumn => {
    const counted = counts.get(column.name);
    const known = typeof counted === "object" ? counted : null;
    const found = forms[readable.indexOf(column)] ?? emptyForms();
    const nullable = !column.notNull && !table.primaryKey.includes(column.name);
    const suggestion = suggestColumn(column, nullable, found);
    return {
      ...column,
      counts: known,
      found,
      suggestion,
      default: column.defaultSql === null ? null : targetDefault(column.defaultSql, suggestion.type),
      unfit: null,
      warnings: [],
      error: typeof counted === "string" ? counted : null,
    };
  });
  const judged = inspected.filter((column) => column.error === null);
  findUnfit(judged, rows, invalid);
  return { columns: inspected, rowsRead: readable.length === 0 ? 0 : rowsRead };
}

type InvalidTest = (row: SampledRow, column: string, text: string) => boolean;

/** Fetches a row's bytes again where a text was read with U+FFFD. */
function invalidTexts(source: Source, table: SourceTable): InvalidTest {
  const test = invalidTextTest(source);
  const key = table.rowid !== null ? [table.rowid] : table.primaryKey.map(quoteIdentifier);
  if (key.length === 0) return () => false;
  const where = key.map((name) => `${name} IS ?`).join(" AND ");
  return (row, column, text) =>
    test(
      text,
      () =>
        source
          .prepare(
            `SELECT CAST(${quoteIdentifier(column)} AS BLOB) FROM ${quoteIdentifier(table.name)} WHERE ${where}`,
          )
          .pluck()
          .get(...row.identity()) as Buffer | undefined,
    );
}

/** Tries every value that could be rejected with the loader's own encoder. */
function findUnfit(
  columns: InspectedColumn[],
  rows: () => Generator<{ first: number; row: SampledRow }>,
  invalid: InvalidTest,
): void {
  const trials = columns.map((column) =>
    needsTrial(column) ? valueTrial(column.name, column.suggestion, !column.notNull) : null,
  );
  if (trials.every((trial) => trial === null)) return;
  const doubtful = columns.map(() => ({ count: 0, row: "", value: null as SourceValue }));
  const depth = Error.stackTraceLimit;
  Error.stackTraceLimit = 0;
  try {
    for (const { first, row } of rows()) {
      for (let i = 0; i < row.values.length; i++) {
        const column = columns[first + i] as InspectedColumn;
        const trial = trials[first + i];
        const value = row.values[i] as SourceValue;
        if (!trial || value === null) continue;
        const broken =
          (column.found.forms["invalid text"] ?? 0) > 0 &&
          typeof value === "string" &&
          value.includes("\uFFFD") &&
          invalid(row, column.name, value);
        const reason = broken ? "holds bytes that are no text in the file's encoding" : trial(value);
        if (reason !== null) {
          if (column.unfit === null) {
            column.unfit = { count: 1, row: row.key(), value: describeValue(value), reason };
          } else {
            column.unfit.count += 1;
          }
        } else if (isDoubtful(column, value)) {
          const doubt = doubtful[first + i] as (typeof doubtful)[number];
          doubt.count += 1;
          if (doubt.count === 1) Object.assign(doubt, { row: row.key(), value });
        }
      }
    }
  } finally {
    Error.stackTraceLimit = depth;
  }
  for (const [i, doubt] of doubtful.entries())
    if (doubt.count > 0) warnDoubtful(columns[i] as InspectedColumn, doubt);
}

/** Whether the classes alone do not already say that every value fits. */
function needsTrial({ suggestion, counts, found }: InspectedColumn): boolean {
  if (counts === null) return false;
  const { integer, real, text, blob } = counts;
  const fails = (form: keyof typeof found.forms) => (found.forms[form] ?? 0) > 0;
  switch (suggestion.type) {
    case "text":
      return integer + real + blob > 0 || fails("text with NUL") || fails("invalid text");
    case "bigint":
      return real + text + blob > 0;
    case "double precision":
      return text + blob > 0 || fails("integer beyond 2^53");
    case "bytea":
      return integer + real + text > 0;
    default:
      return integer + real + text + blob > 0;
  }
}

/** A number that a declared unit turns into a moment nobody meant. */
function isDoubtful(column: InspectedColumn, value: SourceValue): boolean {
  const { unit } = column.suggestion;
  if (unit === null || value === null || typeof value === "object") return false;
  if (typeof value === "string" && Number.isNaN(Number(value))) return false;
  return momentUnit(Number(value)) !== unit;
}

function warnDoubtful(
  column: InspectedColumn,
  { count, row, value }: { count: number; row: string; value: SourceValue },
): void {
  const unit = column.suggestion.unit;
  if (unit === null) return;
  const becomes = momentText(Number(value), unit) ?? "a moment out of range";
  column.warnings.push(
    `${count.toLocaleString("en-US")} ${count === 1 ? "number is" : "numbers are"} no moment from 1980 to 2100 in this unit: ${value} (${row}) becomes ${becomes}`,
  );
}
