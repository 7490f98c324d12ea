import pg from "pg";
import type { WorkloadQuery } from "../define-loader.ts";
import { quoteIdentifier } from "../identifier.ts";
import { openSource } from "../source/open-source.ts";
import type { TargetType } from "../target-table.ts";
import type { Check, QueryTime } from "../validation-report.ts";
import { canonicalForm } from "./canonical-form.ts";
import { RowBytes } from "./row-bytes.ts";
import type { RowOrigin, RowSink } from "./row-sink.ts";
import { cut, type SourceValue, valueText } from "./source-value.ts";
import { stopwatch } from "./stopwatch.ts";
import { count } from "./table-content.ts";
import { readTarget } from "./target-rows.ts";

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

/** Columns in which a real may stand beside a number that is not the same to the last bit. */
const numbers = new Set<string>(["float4", "float8", "numeric"]);

/** The server ended the query or the session: that says nothing about the query. */
const interrupted = /^(57|08)/;

/** One value of an answer. */
interface Field {
  /** Its canonical bytes; undefined where its type cannot hold it. */
  bytes: string | undefined;
  text: string | null;
  /** Whether SQLite gave a real: only those are inexact. */
  real: boolean;
}

/** Result of one query on one side, and the time of the first run. */
interface Answer {
  rows: Field[][];
  ms: number;
}

/** How far a real may lie from the target's number. */
export interface QueryTolerance {
  /** Share of its size: engines add up in different orders. */
  relative: number;
  /** The most that a declared rounding moved a stored value. */
  rounding: number;
}

/** The verdict on a query; its times where both sides answered. */
export interface QueryVerdict {
  check: Check;
  time?: QueryTime;
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
): Promise<QueryVerdict> {
  const ms = stopwatch();
  await client.query("SAVEPOINT query");
  try {
    const columns = await resultColumns(query.timescale, client);
    const target = await runTarget(query.timescale, columns, client);
    const source = runSource(query.sqlite, columns, copyPath);
    const difference = firstDifference(columns, source, target, tolerance);
    const time: QueryTime = {
      ...{ name, analytical: query.analytical ?? false, rows: source.rows.length },
      ...{ sqliteMs: source.ms, timescaleMs: target.ms },
    };
    return { check: { ...verdict(name, source, target, difference), ms: ms() }, time };
  } catch (error) {
    if (error instanceof pg.DatabaseError && interrupted.test(error.code ?? "")) throw error;
    // A query that does not run is the workload's fault, and no reason to hide the other checks.
    await client.query("ROLLBACK TO SAVEPOINT query");
    const note = (error as Error).message;
    const told = { expected: "an answer", actual: "an error", note };
    return { check: { name: `query ${name}`, status: "FAIL", ...told, ms: ms() } };
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
  const names = columns.map((_column, index) => quoteIdentifier(`c${index}`));
  const answer = new AnswerRows();
  const types = columns.map(({ type }) => type);
  await readTarget(client, names, types, `(${sql}) AS answer(${names.join(", ")})`, true, answer);
  return { rows: answer.rows, ms: took };
}

/** Keeps every row of an answer, in its order. */
class AnswerRows implements RowSink {
  readonly rows: Field[][] = [];

  add({ bytes, starts }: RowBytes, origin: RowOrigin): void {
    const fields = origin.texts().map((text, at): Field => {
      return { bytes: bytes.toString("latin1", starts[at], starts[at + 1]), text, real: false };
    });
    this.rows.push(fields);
  }
}

function runSource(sql: string, columns: ResultColumn[], copyPath: string): Answer {
  const source = openSource(copyPath);
  try {
    const forms = columns.map(({ name, type }) =>
      canonicalForm({
        ...{ source: name, target: name, type, typeText: type.kind },
        ...{ nullable: true, reading: null, emptyIsNull: false },
      }),
    );
    const statement = source.prepare(sql).raw();
    const ms = stopwatch();
    const rows = statement.all() as SourceValue[][];
    const took = ms();
    const row = new RowBytes(columns.length);
    const fields = rows.map((values) =>
      values.map((value, at): Field => {
        row.at = 0;
        const fits = forms[at]?.(value, row) ?? false;
        const bytes = fits ? row.bytes.toString("latin1", 0, row.at) : undefined;
        return { bytes, text: valueText(value), real: typeof value === "number" };
      }),
    );
    return { rows: fields, ms: took };
  } finally {
    source.close();
  }
}

function firstDifference(
  columns: ResultColumn[],
  source: Answer,
  target: Answer,
  tolerance: QueryTolerance,
): string | undefined {
  for (const [row, ours] of source.rows.entries()) {
    const theirs = target.rows[row];
    if (!theirs) return `row ${row + 1} is missing in the target: ${rowText(ours)}`;
    if (ours.length !== columns.length) {
      return `${ours.length} columns in the source, ${columns.length} in the target`;
    }
    for (const [at, { name, type }] of columns.entries()) {
      const [our, their] = [ours[at] as Field, theirs[at] as Field];
      if (our.bytes === their.bytes || (our.real && numbers.has(type.kind) && near(our, their, tolerance)))
        continue;
      return `row ${row + 1}, ${name}: ${shown(our)} in the source, ${shown(their)} in the target`;
    }
  }
  const extra = target.rows[source.rows.length];
  return extra && `row ${source.rows.length + 1} is extra in the target: ${rowText(extra)}`;
}

function near(our: Field, their: Field, { relative, rounding }: QueryTolerance): boolean {
  if (their.text === null || their.text === "") return false;
  const [a, b] = [Number(our.text), Number(their.text)];
  return Math.abs(a - b) <= rounding + relative * Math.max(Math.abs(a), Math.abs(b));
}

function rowText(fields: Field[]): string {
  return fields.map(shown).join(" | ");
}

function shown({ text }: Field): string {
  return text === null ? "NULL" : cut(text);
}
