import type pg from "pg";
import type { Connection } from "../connection.ts";
import type { DeclaredKeys } from "../declared-keys.ts";
import { type LoaderDefinition, loadedEntries, sourceNameOf, targetOnlyTables } from "../define-loader.ts";
import { resolveTable } from "../resolve-table.ts";
import { openSource, requireSound } from "../source/open-source.ts";
import { openSnapshot, recordedFingerprint, type Snapshot } from "../source/snapshot.ts";
import { findSourceTable, readSourceSchema } from "../source/source-schema.ts";
import { isStill } from "../source/still-source.ts";
import { readTargetTable } from "../target-table.ts";
import { TimeliftError } from "../timelift-error.ts";
import type { Check, TableReport, ValidationReport } from "../validation-report.ts";
import { keysOf } from "./claimed-keys.ts";
import { checkAbsent, checkSequences } from "./column-checks.ts";
import { type ComparedTable, compareTable } from "./compared-table.ts";
import { checkDeclared, type DeclaredObject } from "./declared-checks.ts";
import { type BothSides, findDifferences } from "./differing-rows.ts";
import { checkHypertables, type ExpectedHypertable } from "./hypertable-checks.ts";
import { checkPrimaryKey, checkReferences } from "./key-checks.ts";
import { checkQuery } from "./query-checks.ts";
import { checkRejects, type LoadRejects, readLoadRejects } from "./reject-checks.ts";
import { rowSeed } from "./row-hash.ts";
import { ServerCast } from "./server-cast.ts";
import { SourceSide } from "./source-side.ts";
import { stopwatch } from "./stopwatch.ts";
import { bothSides, checkContent, count } from "./table-content.ts";
import { checkTargetOnly } from "./target-only.ts";
import { withTarget } from "./target-session.ts";
import { allowedRows, strictThresholds, type Thresholds, thresholdChecks } from "./thresholds.ts";
import type { UnfitReport } from "./unfit-rows.ts";

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
  /** What must be there besides tables and keys. */
  declared?: DeclaredObject[];
  /**
   * Tells the keys that migrations build, as `RunLoadArgs.keys`: a row that the load rejected for one of them is left out
   * when the source shows that it was right. Asked only where such a row is claimed.
   * @default only those that the target itself has
   */
  keys?: () => Promise<DeclaredKeys[]>;
  thresholds?: Thresholds;
  /**
   * A snapshot that another session exported (`pg_export_snapshot`): the target is compared as it was then.
   * @default the target as it is now
   */
  targetSnapshot?: string;
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
  const { signal, target, workload } = args;
  const found = await findLoadedSource(args);
  return withTarget(target, "validate: casts", signal, (castClient) =>
    withTarget(target, "validate", signal, async (client) => {
      // One snapshot for all checks: writers may go on meanwhile.
      await client.query("BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY");
      const { targetSnapshot } = args;
      if (targetSnapshot)
        await client.query(`SET TRANSACTION SNAPSHOT ${client.escapeLiteral(targetSnapshot)}`);
      const rejects = await readLoadRejects(client, workload);
      const { path, mark } = rejects.claimed.size > 0 ? await asCopy(args, found) : found;
      const source = new SourceSide(path, new ServerCast(castClient));
      const stop = () => void source.close();
      signal?.addEventListener("abort", stop);
      try {
        const report = await compare({ ...args, copyPath: path }, rejects, source, client);
        await client.query("COMMIT");
        if (mark !== null && !isStill(mark)) throw changed(args.source, "while it was compared");
        return report;
      } finally {
        signal?.removeEventListener("abort", stop);
        await source.close();
      }
    }),
  );
}

async function compare(
  args: ValidationArgs,
  rejects: LoadRejects,
  source: SourceSide,
  client: pg.ClientBase,
): Promise<ValidationReport> {
  const ms = stopwatch();
  const { signal, copyPath, thresholds = strictThresholds } = args;
  const report: ValidationReport = {
    status: "PASS",
    checks: [],
    tables: [],
    queries: [],
    rows: 0,
    ms: 0,
    thresholds,
  };
  const add = (...found: Check[]) => {
    for (const check of found) {
      report.checks.push(check);
      args.events?.({ kind: "check", check });
    }
  };
  const tables = await readTables(args, client, rejects);
  await upholdClaims(args, tables, source, client);
  let rounding = 0;
  for (const table of tables) {
    const found = await checkRows(bothSides(table, source, client, rowSeed), thresholds, (rows) =>
      args.events?.({ kind: "rows", table: table.name, rows }),
    );
    rounding = Math.max(rounding, found.rounding);
    report.tables.push(found.report);
    report.rows += found.report.sourceRows;
    add(...found.checks, checkRejects(table.name, found.unfit, rejects, thresholds));
    add(...(await checkAbsent(table, client)));
    add(await checkPrimaryKey(table, client));
    add(...(await checkReferences(table, tables, client)));
    add(...(await checkSequences(table, client)));
  }
  for (const name of targetOnlyTables(args.loader)) add(await checkTargetOnly(name, client));
  // The queries need memory of their own.
  await source.close();
  add(...(await checkHypertables(args.hypertables ?? [], client)));
  add(...(await checkDeclared(args.declared ?? [], client)));
  const tolerance = { relative: thresholds.queryTolerance ?? 1e-12, rounding };
  for (const [name, query] of Object.entries(args.loader.queries ?? {})) {
    signal?.throwIfAborted();
    const { check, time } = await checkQuery(name, query, copyPath, client, tolerance);
    add(check);
    if (time) report.queries.push(time);
  }
  add(...thresholdChecks(report.tables, report.queries, thresholds));
  const failed = report.checks.some((check) => check.status === "FAIL");
  return { ...report, status: failed ? "FAIL" : "PASS", ms: ms() };
}

type LoadedSource = Pick<Snapshot, "path" | "mark" | "fingerprint">;

/**
 * The state that was loaded: the copy of it, or the source itself while that is still the same. It is read in place
 * where pages alone are read; a statement of SQLite's could keep a writer waiting.
 */
async function findLoadedSource(args: ValidationArgs): Promise<LoadedSource> {
  const { source, copyPath, expectedFingerprint, loader } = args;
  if (expectedFingerprint !== "" && recordedFingerprint(copyPath) === expectedFingerprint) {
    return { path: copyPath, mark: null, fingerprint: expectedFingerprint };
  }
  let snapshot = await openSnapshot(source, copyPath, { inPlace: true });
  if (snapshot.mark !== null) {
    if (needsStatements(snapshot.path, loader)) snapshot = await openSnapshot(source, copyPath);
    else requireSound(snapshot.path);
  }
  if (expectedFingerprint === "" || snapshot.fingerprint === expectedFingerprint) return snapshot;
  throw changed(source, "since it was loaded, and there is no copy of what was loaded");
}

/** Claims of rejects are looked into by statements that take their time, so not in place. */
async function asCopy({ source, copyPath }: ValidationArgs, found: LoadedSource): Promise<LoadedSource> {
  if (found.mark === null) return found;
  const snapshot = await openSnapshot(source, copyPath);
  if (snapshot.fingerprint === found.fingerprint) return snapshot;
  throw changed(source, "while it was compared");
}

/** Whether anything has to be asked of SQLite that takes longer than a look. */
function needsStatements(path: string, { tables, queries = {} }: LoaderDefinition): boolean {
  if (Object.keys(queries).length > 0) return true;
  const source = openSource(path);
  try {
    const schema = readSourceSchema(source);
    return loadedEntries({ tables }).some(([name, definition]) => {
      const { rowid, columns } = findSourceTable(schema, sourceNameOf(name, definition));
      const cast = columns.some(
        ({ declaredType, generated }) => generated === "virtual" || /json/i.test(declaredType),
      );
      const derives = Object.keys(definition.derive ?? {}).length > 0;
      return definition.where !== undefined || derives || rowid === null || cast;
    });
  } finally {
    source.close();
  }
}

function changed(source: string, when: string): TimeliftError {
  return new TimeliftError({
    code: "source-changed",
    subject: source,
    problem: `the source changed ${when}.`,
    remedy: "Run up again: it loads what changed, then validates.",
  });
}

/** Finds out which of the rows that the load rejected for a key it rejected rightly. */
async function upholdClaims(
  { keys }: ValidationArgs,
  tables: ComparedTable[],
  source: SourceSide,
  client: pg.ClientBase,
): Promise<void> {
  const claimed = tables.filter((table) => table.claimed.size > 0);
  const declared = claimed.length === 0 ? [] : ((await keys?.()) ?? []);
  for (const table of claimed) {
    const rules = await keysOf(table, tables, declared, client);
    table.upheld = await source.uphold({ table: table.resolved, rejected: table.claimed, ...rules });
  }
}

async function readTables(
  args: ValidationArgs,
  client: pg.ClientBase,
  rejects: LoadRejects,
): Promise<ComparedTable[]> {
  const source = openSource(args.copyPath);
  try {
    const schema = readSourceSchema(source);
    const tables: ComparedTable[] = [];
    for (const [name, definition] of loadedEntries(args.loader)) {
      const target = await readTargetTable(client, name);
      const from = findSourceTable(schema, sourceNameOf(name, definition));
      const resolved = resolveTable(definition, from, target);
      const hypertable = args.hypertables?.find(({ table }) => table === name);
      const claimed = rejects.claimed.get(name);
      tables.push(compareTable(resolved, target, definition.absent ?? [], hypertable?.column, claimed));
    }
    return tables;
  } finally {
    source.close();
  }
}

/** What was found out about the rows of a table. */
interface RowsFound {
  checks: Check[];
  report: TableReport;
  unfit: UnfitReport;
  rounding: number;
}

/** Compares a table's content; where it differs, names rows, and weighs their number against the thresholds. */
async function checkRows(
  sides: BothSides,
  thresholds: Thresholds,
  onRows: (rows: number) => void,
): Promise<RowsFound> {
  const ms = stopwatch();
  const { checks, source, target, same, ofRows, rounding } = await checkContent(sides, onRows);
  const { read, unfit } = source;
  const allowed = allowedRows(read, thresholds);
  const { rows, found, complete } = same
    ? { rows: [], found: 0, complete: true }
    : await findDifferences(
        sides,
        { source: source.result, target },
        rowsShown,
        Math.max(rowsShown, allowed + 1),
      );
  const report: TableReport = {
    ...{ name: sides.table.name, sourceRows: read, targetRows: target.rows, unfitRows: unfit.rows },
    ...{ differingRows: found, complete, differences: rows.map(({ difference }) => difference), ms: ms() },
  };
  const lines = rows.map(({ line }) => line);
  return { checks: judged(checks, report, lines, allowed, ofRows), report, unfit, rounding };
}

/** The checks with the rows that differ, accepted where a threshold allows so many. */
function judged(
  checks: Check[],
  report: TableReport,
  described: string[],
  allowed: number,
  ofRows: Set<string>,
): Check[] {
  const { name, differingRows: found, complete } = report;
  if (found === 0) return checks;
  const tolerated = complete && found <= allowed;
  const total = `${complete ? count(found) : `at least ${count(found)}`} ${found === 1 ? "row differs" : "rows differ"}`;
  const verdict = tolerated ? `${total}, of ${count(allowed)} allowed` : total;
  const more =
    found > described.length
      ? [`… and ${complete ? "" : "at least "}${count(found - described.length)} more`]
      : [];
  return checks.map((check) => {
    const accepted = check.status === "FAIL" && tolerated && ofRows.has(check.name);
    const status = accepted ? "PASS" : check.status;
    const lines =
      check.name === `${name} checksum` ? [verdict, ...described, ...more] : accepted ? [verdict] : [];
    const note = [...lines, ...(check.note ? [check.note] : [])].join("\n");
    return { ...check, status, ...(note !== "" && { note }) };
  });
}
