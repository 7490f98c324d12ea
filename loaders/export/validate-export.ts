import type pg from "pg";
import { type LoaderDefinition, none } from "../define-loader.ts";
import { returningLoader } from "../reverse/returning-loader.ts";
import { openSource, type Source } from "../source/open-source.ts";
import { asOwnCopy } from "../source/snapshot.ts";
import { readSourceSchema, type SourceSchema } from "../source/source-schema.ts";
import { readTargetTable } from "../target-table.ts";
import { runValidation } from "../validate/run-validation.ts";
import { stopwatch } from "../validate/stopwatch.ts";
import type { Check, ValidationReport } from "../validation-report.ts";
import type { RunExportArgs } from "./run-export.ts";

/** What a written file is compared with. */
export interface ValidateExportArgs extends RunExportArgs {
  /** The session that wrote it, its transaction still open: the file is compared with the rows that it saw. */
  client: pg.ClientBase;
}

/** Compares a written file with the target as a source that was loaded, every row, and has SQLite check it. */
export async function validateExport(args: ValidateExportArgs): Promise<ValidationReport> {
  const { client, file, target, workload, signal } = args;
  const own = checkFile(file, args.loader);
  const { loader, left } = await comparable(client, args.loader, file);
  const snapshot = await client.query<{ id: string }>("SELECT pg_export_snapshot() AS id");
  const report = await asOwnCopy(file, (expectedFingerprint) =>
    runValidation({
      // Another name than the load's: what the load rejected is no matter of this file.
      ...{ workload: `${workload} (export)`, loader, source: file, copyPath: file, expectedFingerprint },
      ...{ target, signal, targetSnapshot: snapshot.rows[0]?.id },
    }),
  );
  const checks = [...report.checks, ...left, ...own];
  const failed = checks.some(({ status }) => status === "FAIL");
  return { ...report, checks, status: failed ? "FAIL" : "PASS" };
}

/** The loader that reads the file, without tables that the validator has no word for. */
async function comparable(
  client: pg.ClientBase,
  given: LoaderDefinition,
  file: string,
): Promise<{ loader: LoaderDefinition; left: Check[] }> {
  const source = openSource(file);
  let schema: SourceSchema;
  try {
    schema = readSourceSchema(source);
  } finally {
    source.close();
  }
  const returning = returningLoader(given, schema);
  const left: Check[] = [];
  const tables: LoaderDefinition["tables"] = {};
  for (const [name, definition] of Object.entries(returning.tables)) {
    const { columns } = await readTargetTable(client, name);
    const odd = columns
      .filter(({ type, generated }) => type === null && !generated)
      .map(({ typeText }) => typeText);
    if (odd.length === 0) tables[name] = definition;
    else {
      const note = `it has columns of types that timelift does not compare: ${odd.join(", ")}`;
      left.push({
        name: `${name} rows`,
        status: "SKIP",
        expected: "equal rows",
        actual: "not compared",
        note,
        ms: 0,
      });
    }
    // A table of the source's name that the loader does not load.
    const isOwn = definition.from === none && schema.get(name)?.kind === "table";
    if (isOwn && odd.length === 0) tables[name] = {};
  }
  // Aggregates may lag behind the rows: queries are no matter of the file.
  return { loader: { tables }, left };
}

/** What SQLite itself says of the file. */
function checkFile(file: string, given: LoaderDefinition): Check[] {
  const source = openSource(file);
  try {
    const integrity = stopwatch();
    const findings = source.prepare("PRAGMA integrity_check(10)").pluck().all() as string[];
    const isSound = findings[0] === "ok";
    const sound: Check = {
      ...{
        name: "file integrity",
        status: isSound ? "PASS" : "FAIL",
        expected: "ok",
        actual: findings.join("; "),
      },
      ms: integrity(),
    };
    return [sound, checkReferences(source, given)];
  } finally {
    source.close();
  }
}

/**
 * Whether every row has its parent. Where keys are the target's own values, and every row is equal, the target has no
 * parent for it either: then it is said, and no fault of the file. Keys that a `reverse` gives back must agree.
 */
function checkReferences(source: Source, { tables }: LoaderDefinition): Check {
  const ms = stopwatch();
  const orphans = source
    .prepare('SELECT "table", parent, count(*) AS rows FROM pragma_foreign_key_check GROUP BY 1, 2')
    .all() as { table: string; parent: string; rows: bigint }[];
  const given = new Set(
    Object.entries(tables).flatMap(([name, { from = name, reverse }]) =>
      reverse && typeof from === "string" ? [from.toLowerCase()] : [],
    ),
  );
  const isGiven = orphans.some(
    ({ table, parent }) => given.has(table.toLowerCase()) || given.has(parent.toLowerCase()),
  );
  const none = "no row without its parent";
  const found = orphans.map(({ table, parent, rows }) => `${rows} of ${table} in ${parent}`).join(", ");
  return {
    name: "file foreign keys",
    status: orphans.length === 0 ? "PASS" : isGiven ? "FAIL" : "SKIP",
    expected: none,
    actual: orphans.length === 0 ? none : `without a parent: ${found}`,
    ...(orphans.length > 0 && !isGiven && { note: "the parents are not in what was exported" }),
    ms: ms(),
  };
}
