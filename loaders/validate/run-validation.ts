import type pg from "pg";
import type { Connection } from "../connection.ts";
import type { LoaderDefinition } from "../define-loader.ts";
import { resolveTable } from "../resolve-table.ts";
import { openSource } from "../source/open-source.ts";
import { openSnapshot, recordedFingerprint } from "../source/snapshot.ts";
import { findSourceTable, readSourceSchema } from "../source/source-schema.ts";
import { readTargetTable } from "../target-table.ts";
import { TimeliftError } from "../timelift-error.ts";
import type { Check, ValidationReport } from "../validation-report.ts";
import { checkAbsent, checkSequences } from "./column-checks.ts";
import { type ComparedTable, compareTable } from "./compared-table.ts";
import { RowSearch } from "./differing-rows.ts";
import { checkHypertables, type ExpectedHypertable } from "./hypertable-checks.ts";
import { checkPrimaryKey, checkReferences } from "./key-checks.ts";
import { checkQuery } from "./query-checks.ts";
import { ServerCast } from "./server-cast.ts";
import { SourceScan } from "./source-scan.ts";
import { stopwatch } from "./stopwatch.ts";
import { checkContent, count } from "./table-content.ts";
import { withTarget } from "./target-session.ts";

/** How much may differ before the validation fails. */
export interface Thresholds {
  /**
   * Rows of each table that may differ, be missing or be extra.
   * @default 0
   */
  differingRows?: number;
  /**
   * Relative difference that a real in the result of a workload's query may have; stored rows get none.
   * @default 1e-12
   */
  queryTolerance?: number;
}

/** What happens while a validation runs. */
export type ValidationEvent = { kind: "rows"; table: string; rows: number } | { kind: "check"; check: Check };

/** What is validated, and against what. */
export interface ValidationArgs {
  /** The workload's name, for messages. */
  workload: string;
  loader: LoaderDefinition;
  /** The source file. */
  source: string;
  /** The private copy that the load read. */
  copyPath: string;
  /** Fingerprint of the source that was loaded; empty: whatever the source is now. */
  expectedFingerprint: string;
  /** The database itself, as a role that may read. */
  target: Connection;
  /** Tables that must be hypertables. */
  hypertables?: ExpectedHypertable[];
  thresholds?: Thresholds;
  events?: (event: ValidationEvent) => void;
  /** Stops the work, and the server's running query. */
  signal?: AbortSignal;
}

const rowsShown = 10;

/**
 * Compares every row of the loaded source with the target, and what belongs to it: keys, sequences, hypertables,
 * the workload's own queries. A difference is a FAIL in the report; an error means that nothing can be said.
 * @throws TimeliftError `source-changed`, `target-…`, and what opening a source or resolving a table throws
 */
export async function runValidation(args: ValidationArgs): Promise<ValidationReport> {
  const ms = stopwatch();
  const { signal, target, copyPath } = args;
  await requireLoadedSource(args);
  return withTarget(target, "validate: casts", signal, (castClient) =>
    withTarget(target, "validate", signal, async (client) => {
      // One snapshot for all checks: writers may go on meanwhile.
      await client.query("BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY");
      const checks: Check[] = [];
      const add = (...found: Check[]) => {
        for (const check of found) {
          checks.push(check);
          args.events?.({ kind: "check", check });
        }
      };
      const tables = await readTables(args, client);
      const cast = new ServerCast(castClient);
      let rows = 0;
      let rounding = 0;
      for (const table of tables) {
        const scan = new SourceScan(table.resolved, copyPath, cast, signal);
        const content = await checkRows(table, scan, client, args);
        rows += content.rows;
        rounding = Math.max(rounding, content.rounding);
        add(...content.checks);
        add(...(await checkAbsent(table, client)));
        add(await checkPrimaryKey(table, client));
        add(...(await checkReferences(table, tables, client)));
        add(...(await checkSequences(table, client)));
      }
      add(...(await checkHypertables(args.hypertables ?? [], client)));
      const tolerance = { relative: args.thresholds?.queryTolerance ?? 1e-12, rounding };
      for (const [name, query] of Object.entries(args.loader.queries ?? {})) {
        signal?.throwIfAborted();
        add(await checkQuery(name, query, copyPath, client, tolerance));
      }
      await client.query("COMMIT");
      const status = checks.some((check) => check.status === "FAIL") ? "FAIL" : "PASS";
      return { status, checks, tables: [], queries: [], rows, ms: ms() };
    }),
  );
}

/** The copy must be the state that was loaded; it is made anew when it is not, and then the source must be. */
async function requireLoadedSource(args: ValidationArgs): Promise<void> {
  const { source, copyPath, expectedFingerprint } = args;
  if (expectedFingerprint !== "" && recordedFingerprint(copyPath) === expectedFingerprint) return;
  const { fingerprint } = await openSnapshot(source, copyPath);
  if (expectedFingerprint === "" || fingerprint === expectedFingerprint) return;
  throw new TimeliftError({
    code: "source-changed",
    subject: source,
    problem: "the source changed since it was loaded, and the copy that was loaded is no longer there",
    remedy: "Run up again: it loads what changed, then validates.",
  });
}

async function readTables(args: ValidationArgs, client: pg.ClientBase): Promise<ComparedTable[]> {
  const source = openSource(args.copyPath);
  try {
    const schema = readSourceSchema(source);
    const tables: ComparedTable[] = [];
    for (const [name, definition] of Object.entries(args.loader.tables)) {
      const target = await readTargetTable(client, name);
      const resolved = resolveTable(definition, findSourceTable(schema, definition.from ?? name), target);
      const hypertable = args.hypertables?.find(({ table }) => table === name);
      tables.push(compareTable(resolved, target, definition.absent ?? [], hypertable?.column));
    }
    return tables;
  } finally {
    source.close();
  }
}

/** Compares a table's content; where it differs, names rows, and weighs their number against the threshold. */
async function checkRows(
  table: ComparedTable,
  scan: SourceScan,
  client: pg.ClientBase,
  args: ValidationArgs,
): Promise<{ checks: Check[]; rows: number; rounding: number }> {
  const onRows = (rows: number) => args.events?.({ kind: "rows", table: table.name, rows });
  const content = await checkContent(table, scan, client, onRows);
  if (content.same) return content;
  const allowed = args.thresholds?.differingRows ?? 0;
  const limit = Math.max(rowsShown, allowed + 1);
  const { lines, found, complete } = await new RowSearch(table, scan, client).find(rowsShown, limit);
  const tolerated = complete && found <= allowed;
  const total = `${complete ? count(found) : `at least ${count(found)}`} ${found === 1 ? "row differs" : "rows differ"}`;
  const more =
    found > lines.length ? [`… and ${complete ? "" : "at least "}${count(found - lines.length)} more`] : [];
  const verdict = tolerated ? `${total}, of ${count(allowed)} allowed` : total;
  const checks = content.checks.map((check) => {
    const accepted = check.status === "FAIL" && tolerated && content.ofRows.has(check.name);
    const status = accepted ? "PASS" : check.status;
    if (check.name !== `${table.name} checksum`)
      return { ...check, status, ...(accepted && { note: verdict }) };
    return {
      ...check,
      status,
      note: [verdict, ...lines, ...more, ...(check.note ? [check.note] : [])].join("\n"),
    };
  });
  return { checks, rows: content.rows, rounding: content.rounding };
}
