import { open } from "node:fs/promises";
import { resolve } from "node:path";
import { Command, InvalidArgumentError } from "commander";
import type pg from "pg";
import { connect } from "../loaders/connection.ts";
import { type RejectLine, RejectLog } from "../loaders/reject-log.ts";
import { describeGroup } from "../loaders/rows-rejected.ts";
import { rowCount } from "../loaders/source/row-count.ts";
import { TimeliftError } from "../loaders/timelift-error.ts";
import { findWorkload, workloadReference } from "../stacks/workload.ts";
import { readStackConfig } from "./stack-config.ts";
import { connectionAs } from "./stack-services.ts";

interface Options {
  stack: string;
  table?: string;
  summary: boolean;
  csv?: string;
  json: boolean;
  limit: number;
}

/**
 * `timelift rejects`: the rows of a stack's source that were not loaded, with every value that stood in the way;
 * `timelift rejects retry` loads those that fit by now.
 */
export function rejectsCommand(): Command {
  const command = new Command("rejects")
    .description("Lists the rows that were not loaded because a value does not fit, and why.")
    .option("-s, --stack <name>", "the stack", "dev")
    .option("--table <name>", "only this target table")
    .option("--summary", "only how many values, by table, column and reason", false)
    .option("--limit <count>", "values a table to list; exports hold all", lineLimit, 100)
    .option("--csv <file>", "write every value to a CSV file instead")
    .option("--json", "print every value (with --summary, every reason) as one JSON array", false)
    .action((options: Options) => onTarget(options, (client, workload) => show(client, workload, options)));
  command
    .command("retry")
    .description("Loads the rejected rows that fit by now, after a correction in source, loader or target.")
    .option("-s, --stack <name>", "the stack", "dev")
    .option("--table <name>", "only this target table")
    .action(async (own: Pick<Options, "stack" | "table">, { parent }: Command) => {
      // Given before "retry", an option belongs to the command above.
      const given = parent?.opts<Options>();
      const stack = own.stack === "dev" && given ? given.stack : own.stack;
      await retry({ stack, table: own.table ?? given?.table });
    });
  return command;
}

function lineLimit(text: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw new InvalidArgumentError("a whole number, at least 1.");
}

async function onTarget(
  { stack }: Pick<Options, "stack">,
  work: (client: pg.Client, workload: string) => Promise<void>,
): Promise<void> {
  const target = await connectionAs(stack, "timelift_readonly");
  const { name } = await findWorkload(workloadReference(await readStackConfig(stack)));
  const client = await connect(target, "rejects");
  try {
    await work(client, name);
  } finally {
    await client.end();
  }
}

/** Rejected rows of each target table that has any, in the order of their names. */
async function rejectedTables(client: pg.Client, workload: string, table?: string) {
  const made = await client.query("SELECT to_regclass('timelift.reject') IS NOT NULL AS there");
  if (!made.rows[0]?.there) return [];
  const { rows } = await client.query<{ table: string; rows: number }>(
    `SELECT table_name AS table, sum(rejected)::float8 AS rows FROM timelift.load_part
     WHERE workload = $1 GROUP BY 1 HAVING sum(rejected) > 0 ORDER BY 1`,
    [workload],
  );
  if (table === undefined || rows.some((each) => each.table === table)) {
    return rows.filter((each) => table === undefined || each.table === table);
  }
  const known = rows.map((each) => each.table).join(", ");
  throw new TimeliftError({
    code: "rejects-none",
    subject: `table ${table}`,
    problem: `no row of it is rejected${known ? `; there are some of ${known}` : ""}.`,
    remedy: "Leave --table out to see every table; it takes names of target tables.",
  });
}

async function show(client: pg.Client, workload: string, options: Options): Promise<void> {
  const tables = await rejectedTables(client, workload, options.table);
  const names = tables.map(({ table }) => table);
  const log = new RejectLog(client, workload);
  if (options.csv !== undefined) return exportCsv(log, names, resolve(options.csv));
  if (options.json) return printJson(log, names, options.summary);
  if (tables.length === 0) return console.log(`${workload}: no row is rejected`);
  const groups = await log.groups(names);
  for (const { table, rows } of tables) {
    console.log(`${table}: ${rowCount(rows)} rejected`);
    for (const group of groups.filter((each) => each.table === table))
      console.log(`  ${describeGroup(group)}`);
    if (options.summary) continue;
    const lines = await log.lines([table], options.limit);
    for (const line of aligned(lines)) console.log(`    ${line}`);
    const values = groups.reduce((sum, group) => sum + (group.table === table ? group.values : 0), 0);
    if (values > lines.length) {
      console.log(`    and ${(values - lines.length).toLocaleString("en-US")} more (--csv FILE writes all)`);
    }
  }
  if (!options.summary) {
    console.log("Correct them in the source, or declare a rule in the loader; then: timelift rejects retry");
  }
}

function aligned(lines: RejectLine[]): string[] {
  const cells = lines.map(({ key, column, value, reason }) => [key, column, value, reason]);
  const width = (at: number) => Math.min(60, Math.max(...cells.map((row) => row[at]?.length ?? 0)));
  const widths = [width(0), width(1), width(2)];
  return cells.map((row) => row.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join("  "));
}

const fields = ["table", "sourceTable", "rowid", "key", "column", "value", "reason", "run", "at"] as const;

async function exportCsv(log: RejectLog, tables: string[], path: string): Promise<void> {
  const file = await open(path, "w", 0o600).catch((error: Error) => {
    throw unwritable(path, error);
  });
  let count = 0;
  try {
    let text = `${fields.join(",")}\n`;
    for await (const line of log.all(tables)) {
      count += 1;
      text += `${csvLine(line)}\n`;
      if (text.length < 1_000_000) continue;
      await file.appendFile(text);
      text = "";
    }
    await file.appendFile(text);
  } catch (error) {
    throw (error as NodeJS.ErrnoException).syscall === undefined ? error : unwritable(path, error as Error);
  } finally {
    await file.close();
  }
  console.log(`${path}: ${count.toLocaleString("en-US")} rejected value${count === 1 ? "" : "s"}`);
}

function csvLine(line: RejectLine): string {
  return fields
    .map((name) => {
      const value = line[name];
      const text = value instanceof Date ? value.toISOString() : (value ?? "");
      return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
    })
    .join(",");
}

function unwritable(path: string, error: Error): TimeliftError {
  return new TimeliftError({
    code: "file-unwritable",
    subject: path,
    problem: `it cannot be written: ${error.message}.`,
    remedy: "Name a file in a folder that exists and that you may write to.",
    cause: error,
  });
}

async function printJson(log: RejectLog, tables: string[], summary: boolean): Promise<void> {
  if (summary) return console.log(JSON.stringify(await log.groups(tables)));
  let separator = "[";
  for await (const line of log.all(tables)) {
    process.stdout.write(`${separator}${JSON.stringify(line)}`);
    separator = ",\n";
  }
  console.log(separator === "[" ? "[]" : "]");
}

/** Runs the load of the tables that have rejects. */
async function retry({ stack, table }: { stack: string; table: string | undefined }): Promise<void> {
  let names: string[] = [];
  await onTarget({ stack }, async (client, workload) => {
    names = (await rejectedTables(client, workload, table)).map((each) => each.table);
  });
  if (names.length === 0) return console.log("no row is rejected");
  const { loadStack } = await import("./load/load-stack.ts");
  await loadStack({
    ...{ stack, tables: names, force: false, dryRun: false, json: false, status: false, watch: false },
  });
}
