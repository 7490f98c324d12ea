import pg from "pg";
import type { WorkloadQuery } from "../define-loader.ts";
import { quoteIdentifier } from "../identifier.ts";
import { openSource } from "../source/open-source.ts";
import type { TargetType } from "../target-table.ts";
import type { Check } from "../validation-report.ts";
import { nullField, sourceForm, targetForm } from "./canonical-form.ts";
import { cut, type SourceValue } from "./source-value.ts";
import { stopwatch } from "./stopwatch.ts";
import { count } from "./table-content.ts";

/** Types that a workload's query may return, by PostgreSQL's own numbers for them. */
const resultTypes: Record<number, TargetType> = {
  16: { kind: "bool" },
  20: { kind: "int8" },
  21: { kind: "int2" },
  23: { kind: "int4" },
  25: { kind: "text", length: null },
  700: { kind: "float4" },
  701: { kind: "float8" },
  1043: { kind: "text", length: null },
  1082: { kind: "date" },
  1114: { kind: "timestamp", digits: 6 },
  1184: { kind: "timestamptz", digits: 6 },
  1700: { kind: "numeric", precision: null, scale: null },
};

/** The server ended the query or the session: that says nothing about the query. */
const interrupted = /^(57|08)/;

/** Result of one query on one side: its rows as canonical fields, and the time of the first run. */
interface Answer {
  rows: string[][];
  ms: number;
}

/** Beside the fields, which of them SQLite gave as reals: only those are inexact. */
interface SourceAnswer extends Answer {
  reals: boolean[][];
}

/** How far a real may lie from the target's number. */
export interface QueryTolerance {
  /** Share of its size: engines add up in different orders. */
  relative: number;
  /** The most that a declared rounding moved a stored value. */
  rounding: number;
}

/**
 * Runs one of the application's queries on both sides: the same rows in the same order, and how long each took.
 * Reals may differ by `tolerance`.
 */
export async function checkQuery(
  name: string,
  query: WorkloadQuery,
  copyPath: string,
  client: pg.ClientBase,
  tolerance: QueryTolerance,
): Promise<Check> {
  const ms = stopwatch();
  await client.query("SAVEPOINT query");
  try {
    const columns = await resultColumns(query.timescale, client);
    const target = await runTarget(query.timescale, columns, client);
    const source = runSource(query.sqlite, columns, copyPath);
    return {
      ...verdict(name, source, target, firstDifference(columns, source, target.rows, tolerance)),
      ms: ms(),
    };
  } catch (error) {
    if (error instanceof pg.DatabaseError && interrupted.test(error.code ?? "")) throw error;
    // A query that does not run is the workload's fault, and no reason to hide the other checks.
    await client.query("ROLLBACK TO SAVEPOINT query");
    const note = (error as Error).message;
    return {
      name: `query ${name}`,
      status: "FAIL",
      expected: "an answer",
      actual: "an error",
      note,
      ms: ms(),
    };
  }
}

function verdict(
  name: string,
  source: Answer,
  target: Answer,
  difference: string | undefined,
): Omit<Check, "ms"> {
  const empty = source.rows.length === 0 && target.rows.length === 0;
  const times = `SQLite ${source.ms} ms, TimescaleDB ${target.ms} ms`;
  const note = difference ?? (empty ? "this source has no row for it, so it shows nothing" : undefined);
  return {
    name: `query ${name}`,
    status: difference !== undefined ? "FAIL" : empty ? "SKIP" : "PASS",
    expected: `${count(source.rows.length)} rows`,
    actual: `${count(target.rows.length)} rows`,
    note: note === undefined ? times : `${note}\n${times}`,
  };
}

interface ResultColumn {
  name: string;
  type: TargetType;
}

async function resultColumns(sql: string, client: pg.ClientBase): Promise<ResultColumn[]> {
  const { fields } = await client.query(`SELECT * FROM (${sql}) AS answer LIMIT 0`);
  return fields.map((field) => {
    const type = resultTypes[field.dataTypeID];
    if (!type) throw new Error(`column ${field.name} of the query has a type that cannot be compared`);
    return { name: field.name, type };
  });
}

async function runTarget(sql: string, columns: ResultColumn[], client: pg.ClientBase): Promise<Answer> {
  const ms = stopwatch();
  await client.query({ text: sql, rowMode: "array" });
  const took = ms();
  const names = columns.map((_column, index) => `c${index}`);
  const forms = columns.map((column, index) => targetForm(`c${index}`, column.type));
  const { rows } = await client.query<{ fields: string[] }>(
    `SELECT ARRAY[${forms.join(", ")}]::text[] AS fields
     FROM (${sql}) AS answer(${names.map(quoteIdentifier).join(", ")})`,
  );
  return { rows: rows.map(({ fields }) => fields), ms: took };
}

function runSource(sql: string, columns: ResultColumn[], copyPath: string): SourceAnswer {
  const source = openSource(copyPath);
  try {
    const forms = columns.map((column) => sourceForm(column.type));
    const statement = source.prepare(sql).raw();
    const ms = stopwatch();
    const rows = statement.all() as SourceValue[][];
    const took = ms();
    const fields = rows.map((row) =>
      row.map((value, index) => (value === null ? nullField : (forms[index]?.(value) ?? ""))),
    );
    const reals = rows.map((row) => row.map((value) => typeof value === "number"));
    return { rows: fields, reals, ms: took };
  } finally {
    source.close();
  }
}

function firstDifference(
  columns: ResultColumn[],
  { rows, reals }: SourceAnswer,
  target: string[][],
  tolerance: QueryTolerance,
): string | undefined {
  for (const [row, ours] of rows.entries()) {
    const theirs = target[row];
    if (!theirs) return `row ${row + 1} is missing in the target: ${ours.map(cut).join(" | ")}`;
    if (ours.length !== columns.length) {
      return `${ours.length} columns in the source, ${columns.length} in the target`;
    }
    for (const [index, column] of columns.entries()) {
      const [our = "", their = ""] = [ours[index], theirs[index]];
      if (our === their) continue;
      const number = (field: string) => numberOf(column.type, field);
      if (reals[row]?.[index] && near(number(our), number(their), tolerance)) continue;
      const text = (field: string) => (column.type.kind === "float8" ? String(number(field)) : cut(field));
      return `row ${row + 1}, ${column.name}: ${text(our)} in the source, ${text(their)} in the target`;
    }
  }
  const extra = target[rows.length];
  return extra && `row ${rows.length + 1} is extra in the target: ${extra.map(cut).join(" | ")}`;
}

function near(a: number, b: number, { relative, rounding }: QueryTolerance): boolean {
  return Math.abs(a - b) <= rounding + relative * Math.max(Math.abs(a), Math.abs(b));
}

/** The number in a field: the bits of a double, or decimal digits; NaN for anything else. */
function numberOf({ kind }: TargetType, field: string): number {
  if (kind === "numeric") return Number(field);
  return /^[0-9a-f]{16}$/.test(field) ? Buffer.from(field, "hex").readDoubleBE() : Number.NaN;
}
