import type pg from "pg";
import { quoteIdentifier } from "../identifier.ts";
import type { Check } from "../validation-report.ts";
import { isUnfit, nullField } from "./canonical-form.ts";
import { asDouble } from "./canonical-number.ts";
import { compareTimes } from "./canonical-time.ts";
import { type ComparedTable, targetSql } from "./compared-table.ts";
import { equalSums, hashItem, type RowSum, RowTally, readSum, sumSql, sumText } from "./row-sum.ts";
import { rowText, rowTextSql } from "./row-text.ts";
import type { SourceRow, SourceScan } from "./source-scan.ts";
import { stopwatch } from "./stopwatch.ts";

/** What one side holds of a table, found in one pass over every column of every row. */
interface Content {
  sum: RowSum;
  /** NULLs of each resolved column. */
  nulls: number[];
  /** First and last value of the hypertable's time column. */
  range: [string, string] | null;
  ms: number;
}

interface SourceContent extends Content {
  /** Values that their target type cannot hold, of each resolved column. */
  unfit: number[];
  /** Texts with U+FFFD, of each resolved column. */
  replaced: number[];
  /** How far rounding to the target's scale moved a value at most, of each resolved column. */
  rounding: number[];
}

/** The verdict on a table's content, and whether its rows have to be looked at one by one. */
export interface ContentChecks {
  checks: Check[];
  rows: number;
  same: boolean;
  /** Names of the checks that a differing row makes fail, which a threshold may therefore accept. */
  ofRows: Set<string>;
  /** The most that rounding to the target's scale moved a value. */
  rounding: number;
}

/**
 * Compares what a table holds on both sides: rows, a checksum over every column of every row, NULLs, and the
 * range of time. The target adds up its side in SQL while this process reads the source.
 */
export async function checkContent(
  table: ComparedTable,
  scan: SourceScan,
  client: pg.ClientBase,
  onRows?: (rows: number) => void,
): Promise<ContentChecks> {
  const ms = stopwatch();
  const target = readTargetContent(table, client);
  // Awaited below; without this, a refusal that comes while the source is read counts as unhandled.
  target.catch(() => undefined);
  const extent = scan.extent();
  const source = await readSourceContent(table, scan, onRows);
  const { sum, nulls, range, ms: targetMs } = await target;
  const same = equalSums(source.sum, sum);
  const { name } = table;
  const checks: Check[] = [
    {
      name: `${name} rows`,
      status: source.sum.rows === sum.rows && extent.rows === source.sum.rows ? "PASS" : "FAIL",
      expected: count(extent.rows),
      actual: count(sum.rows),
      ...(extent.rows !== source.sum.rows && {
        note: `SQLite counts ${count(extent.rows)} rows, but ${count(source.sum.rows)} were read`,
      }),
      ms: targetMs,
    },
    {
      name: `${name} checksum`,
      status: same ? "PASS" : "FAIL",
      expected: sumText(source.sum),
      actual: sumText(sum),
      ...noteOf(roundingNote(table, source)),
      ms: ms(),
    },
    comparison(`${name} nulls`, nullCounts(table, source.nulls), nullCounts(table, nulls), targetMs),
  ];
  if (table.time >= 0) {
    checks.push(comparison(`${name} time range`, rangeText(source.range), rangeText(range), targetMs));
  }
  const ofRows = new Set(checks.map((check) => check.name));
  checks.push(...unfitChecks(table, source), ...encodingChecks(table, scan, source));
  return { checks, rows: source.sum.rows, same, ofRows, rounding: Math.max(0, ...source.rounding) };
}

async function readSourceContent(
  table: ComparedTable,
  scan: SourceScan,
  onRows?: (rows: number) => void,
): Promise<SourceContent> {
  const ms = stopwatch();
  const { columns } = table.resolved;
  const zeros = () => new Array<number>(columns.length).fill(0);
  const content = { nulls: zeros(), unfit: zeros(), replaced: zeros(), rounding: zeros() };
  const tally = new RowTally();
  const texts = columns.map((column) => ["text", "json", "jsonb"].includes(column.type.kind));
  const rounded = columns.map(({ type }) => type.kind === "numeric" && type.scale !== null);
  const compare = columns[table.time]?.type.kind.startsWith("int") ? compareWholes : compareTimes;
  let range: [string, string] | null = null;
  const rounds = rounded.includes(true);
  await scan.each((row) => {
    const text = rowText(row.fields);
    tally.add(text);
    if (table.time >= 0) range = widened(range, row.fields[table.time] as string, compare);
    // Most rows hold nothing to count; one search of the row's text is quicker than a look at every field.
    if (!rounds && !special.test(text)) return;
    for (let index = 0; index < columns.length; index += 1) {
      const field = row.fields[index] as string;
      if (field === nullField) add(content.nulls, index);
      else if (isUnfit(field)) add(content.unfit, index);
      else if (texts[index] && String(row.values[index]).includes("\uFFFD")) add(content.replaced, index);
      else if (rounded[index]) {
        content.rounding[index] = Math.max(content.rounding[index] ?? 0, movedBy(row, index));
      }
    }
  }, onRows);
  return { ...content, sum: tally.sum(), range, ms: ms() };
}

async function readTargetContent(table: ComparedTable, client: pg.ClientBase): Promise<Content> {
  const ms = stopwatch();
  const { columns } = table.resolved;
  const items = columns.map((column, index) => `${quoteIdentifier(column.target)} AS c${index}`);
  const nulls = columns.map((column, index) =>
    column.nullable ? `(count(*) - count(c${index}))::text` : "'0'",
  );
  const range =
    table.time < 0 ? ["NULL", "NULL"] : [`min(c${table.time})::text`, `max(c${table.time})::text`];
  const { rows } = await client.query<{
    rows: string;
    high: string;
    low: string;
    nulls: string[];
    range: [string | null, string | null];
  }>(
    `SELECT ${sumSql}, ARRAY[${nulls.join(", ")}]::text[] AS nulls, ARRAY[${range.join(", ")}]::text[] AS range
     FROM (SELECT ${[hashItem(rowTextSql(columns)), ...items].join(", ")} FROM ${targetSql(table)}) AS hashed`,
  );
  const row = rows[0];
  if (!row) throw new Error("an aggregate query gave no row");
  const [first, last] = row.range;
  return {
    sum: readSum(row),
    nulls: row.nulls.map(Number),
    range: first !== null && last !== null ? [first, last] : null,
    ms: ms(),
  };
}

function comparison(name: string, expected: string, actual: string, ms: number): Check {
  return { name, status: expected === actual ? "PASS" : "FAIL", expected, actual, ms };
}

function nullCounts(table: ComparedTable, nulls: number[]): string {
  const found = table.resolved.columns.flatMap((column, index) =>
    nulls[index] ? [`${column.target} ${count(nulls[index])}`] : [],
  );
  return found.join(", ") || "none";
}

function rangeText(range: [string, string] | null): string {
  return range ? `${range[0]} to ${range[1]}` : "no rows";
}

function widened(
  range: [string, string] | null,
  field: string,
  compare: (a: string, b: string) => number,
): [string, string] | null {
  if (field === nullField || isUnfit(field)) return range;
  if (!range) return [field, field];
  if (compare(field, range[0]) < 0) return [field, range[1]];
  return compare(field, range[1]) > 0 ? [range[0], field] : range;
}

/** NULL, a value that does not fit, or a character that may stand for broken UTF-8. */
const special = /\\[NX]|\uFFFD/;

function add(counts: number[], index: number): void {
  counts[index] = (counts[index] ?? 0) + 1;
}

function compareWholes(a: string, b: string): number {
  return Number(BigInt(a) - BigInt(b));
}

function movedBy({ values, fields }: SourceRow, index: number): number {
  const value = asDouble(values[index] as Exclude<SourceRow["values"][number], null>) ?? 0;
  const moved = Math.abs(value - Number(fields[index]));
  return Number.isNaN(moved) ? 0 : moved;
}

function roundingNote(table: ComparedTable, source: SourceContent): string | undefined {
  const moved = table.resolved.columns.flatMap((column, index) =>
    source.rounding[index] ? [`${column.target} by at most ${source.rounding[index].toPrecision(3)}`] : [],
  );
  return moved.length > 0 ? `rounded to the target's scale: ${moved.join(", ")}` : undefined;
}

function noteOf(note: string | undefined): { note?: string } {
  return note === undefined ? {} : { note };
}

/** Says which column holds values that cannot be in the target, so that a failed checksum has a cause. */
function unfitChecks(table: ComparedTable, source: SourceContent): Check[] {
  return table.resolved.columns.flatMap((column, index): Check[] =>
    source.unfit[index]
      ? [
          {
            name: `${table.name} values of ${column.target}`,
            status: "FAIL",
            expected: `values that are ${column.typeText}`,
            actual: `${count(source.unfit[index])} that are not`,
            note: `source column ${column.source}`,
            ms: 0,
          },
        ]
      : [],
  );
}

/** Finds texts that are no UTF-8: read as such, they look like U+FFFD on both sides and would pass. */
function encodingChecks(table: ComparedTable, scan: SourceScan, source: SourceContent): Check[] {
  return table.resolved.columns.flatMap((column, index): Check[] => {
    const read = source.replaced[index] ?? 0;
    if (read === 0) return [];
    const ms = stopwatch();
    const broken = read - scan.replacementCharacters(column.expression);
    if (broken === 0) return [];
    return [
      {
        name: `${table.name} encoding of ${column.target}`,
        status: "FAIL",
        expected: "every text valid UTF-8",
        actual: `${count(broken)} that are not`,
        note: `source column ${column.source}; their bytes cannot be compared with the target's text`,
        ms: ms(),
      },
    ];
  });
}

/** A count as a person reads it. */
export function count(value: number): string {
  return value.toLocaleString("en-US");
}
