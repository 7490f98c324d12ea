import type pg from "pg";
import { type Connection, connect, describeTarget } from "../../loaders/connection.ts";
import type { DeclaredKeys } from "../../loaders/declared-keys.ts";
import type { LoaderDefinition } from "../../loaders/define-loader.ts";
import { quoteIdentifier } from "../../loaders/identifier.ts";
import { Ledger, type LedgerTable } from "../../loaders/ledger.ts";
import type { Part } from "../../loaders/load-result.ts";
import { resolveTable } from "../../loaders/resolve-table.ts";
import { openSource } from "../../loaders/source/open-source.ts";
import { rowCount } from "../../loaders/source/row-count.ts";
import { planSource, scanSource } from "../../loaders/source/scan-source.ts";
import { openSnapshot } from "../../loaders/source/snapshot.ts";
import { findSourceTable } from "../../loaders/source/source-schema.ts";
import type { PlannedRead } from "../../loaders/source/table-read.ts";
import { isInLine } from "../../loaders/table-task.ts";
import { targetError } from "../../loaders/target-error.ts";
import { readTargetTable } from "../../loaders/target-table.ts";
import { TimeliftError } from "../../loaders/timelift-error.ts";

/** What a load would do to one table. */
export interface TableOutlook {
  table: string;
  /** Rows that the source has for it. */
  rows: number;
  /** One line: "5,665 rows to load", "unchanged", "1 of 12 parts changed (+1 row)". */
  change: string;
}

export interface OutlookArgs {
  workload: string;
  loader: LoaderDefinition;
  /** As `runLoad` takes it. */
  columnstoreAfter: () => Promise<Record<string, string>>;
  /** As `runLoad` takes it. */
  keys: () => Promise<DeclaredKeys[]>;
  /** Path of the SQLite file. */
  source: string;
  /** Where the private copy is kept. */
  copyPath: string;
  target: Connection;
  /** Whether the load would be one with `force`. */
  force: boolean;
  /** Rows that the load may reject. */
  maxRejects: number | string;
}

/**
 * Finds what a load would do, from source and ledger, and writes nothing.
 * @throws TimeliftError as a load does that cannot begin
 */
export async function outlookOf(args: OutlookArgs): Promise<TableOutlook[]> {
  const { path, fingerprint } = await openSnapshot(args.source, args.copyPath, { inPlace: true });
  const { reads, schema } = planSource(path, args.loader);
  const outlooks = new Map<string, Outlook>();
  await reading(args.target, async (client) => {
    const ledger = await Ledger.read(client, args.workload);
    for (const planned of reads) {
      const { target, read } = planned;
      const definition = args.loader.tables[target] ?? {};
      resolveTable(definition, findSourceTable(schema, read.table), await readTargetTable(client, target));
      const known = ledger.get(target);
      outlooks.set(target, await decideOutlook(client, planned, known, { fingerprint, force: args.force }));
    }
  });
  const scan = await scanSource({ ...args, ...toScan(args.loader, outlooks) });
  return reads.map(({ target: table }) => {
    const outlook = outlooks.get(table);
    if (outlook?.kind === "unchanged") return { table, rows: outlook.rows, change: "unchanged" };
    const { rows = 0, change = "" } = scan.tables[table] ?? {};
    return { table, rows, change: outlook?.kind === "told" ? outlook.change(rows) : change };
  });
}

type Outlook =
  | { kind: "unchanged"; rows: number }
  /** The number of rows is all that is not known yet. */
  | { kind: "told"; change: (rows: number) => string }
  /** The parts tell, once they are compared with the source. */
  | { kind: "compare"; parts: Part[] };

function toScan(loader: LoaderDefinition, outlooks: Map<string, Outlook>) {
  const previous: Record<string, Part[]> = {};
  const tables: LoaderDefinition["tables"] = {};
  for (const [table, outlook] of outlooks) {
    if (outlook.kind !== "unchanged") tables[table] = loader.tables[table] ?? {};
    if (outlook.kind === "compare") previous[table] = outlook.parts;
  }
  return { loader: { tables }, previous };
}

async function decideOutlook(
  client: pg.ClientBase,
  planned: PlannedRead,
  known: LedgerTable | undefined,
  { fingerprint, force }: { fingerprint: string; force: boolean },
): Promise<Outlook> {
  const told = (words: string, why = ""): Outlook => ({
    kind: "told",
    change: (rows) => `${rowCount(rows)} ${words}${why}`,
  });
  const { rows } = await client.query<{ any: boolean }>(
    `SELECT EXISTS (SELECT FROM ${quoteIdentifier(planned.target)}) AS any`,
  );
  const isOccupied = rows[0]?.any ?? false;
  if (known === undefined) {
    if (!isOccupied) return { kind: "compare", parts: [] };
    return { kind: "told", change: () => "refused: the target holds rows that timelift did not load" };
  }
  if (known.rows > 0 && !isOccupied) return told("to load", ": the target was emptied");
  if (force) return told("to compare with the target");
  if (known.definition !== planned.seed) {
    return told("to compare with the target", ": loaded by other rules before");
  }
  if (isInLine(known, planned, fingerprint)) return { kind: "unchanged", rows: known.rows };
  return { kind: "compare", parts: known.parts };
}

/**
 * Refuses a narrowing that would take rows out of the target: they were loaded before, and the source still has them.
 * @throws TimeliftError narrow-leaves-rows
 */
export async function requireNothingLeft(args: OutlookArgs): Promise<void> {
  const { path } = await openSnapshot(args.source, args.copyPath, { inPlace: true });
  const { reads } = planSource(path, args.loader);
  const ledger = await reading(args.target, (client) => Ledger.read(client, args.workload));
  const source = openSource(path);
  try {
    for (const { target, read, seed } of reads) {
      const known = ledger.get(target);
      if (known === undefined || known.definition === seed) continue;
      const loaded = conditionIn(known.definition) ?? "true";
      const sql = `SELECT count(*) FROM ${quoteIdentifier(read.table)} WHERE (${loaded}) AND NOT coalesce((${read.where ?? "true"}), false)`;
      const left = Number(source.prepare(sql).pluck().get());
      if (left > 0) throw leavesRows(target, left);
    }
  } finally {
    source.close();
  }
}

/** The condition under which a table was loaded: part of the definition that the ledger keeps. */
function conditionIn(definition: string): string | null {
  return JSON.parse(definition)[4];
}

function leavesRows(table: string, rows: number): TimeliftError {
  return new TimeliftError({
    code: "narrow-leaves-rows",
    subject: `target table ${table}`,
    problem: `to load by these options would take ${rowCount(rows)} out of the target, which the source still has.`,
    remedy:
      "Leave the options out: everything that is new or changed is loaded. --force makes the target hold the chosen rows alone.",
  });
}

/** A session in which nothing can be written. */
async function reading<T>(target: Connection, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = await connect(target, "outlook");
  try {
    await client.query("SET default_transaction_read_only = on");
    return await work(client);
  } catch (error) {
    throw targetError(describeTarget(target), error);
  } finally {
    await client.end();
  }
}
