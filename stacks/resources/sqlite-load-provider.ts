import { createHash } from "node:crypto";
import { rmSync } from "node:fs";
import { isDeepStrictEqual } from "node:util";
import type { dynamic } from "@pulumi/pulumi";
import type { Connection } from "../../loaders/connection.ts";
import type { LoaderDefinition } from "../../loaders/define-loader.ts";
import type { LoadResult, Part, TablePlan } from "../../loaders/load-result.ts";
import { readFingerprint } from "../../loaders/source/fingerprint.ts";
import { rowCount } from "../../loaders/source/row-count.ts";
import type { HypertableSettings } from "../../migrations/hypertable-settings.ts";
import { findWorkload, type WorkloadReference } from "../workload.ts";
import { checked } from "./checked.ts";
import { runCommand } from "./command.ts";
import { isElsewhere } from "./endpoint.ts";
import { readLoadedParts, writeLoadedParts } from "./loaded-parts.ts";
import { copyPathIn, sourceFolder } from "./source-folder.ts";
import type { SqliteLoadArgs } from "./sqlite-load.ts";

/** What `check` adds: the source as it is now, and a line a table for the reviewer. */
interface Plan {
  fingerprint: string;
  /** Digest of the loader's definition: another mapping is another load. */
  mapping: string;
  /** Table -> rows that will go. */
  plan: Record<string, string>;
  /** Source tables that no loader entry names, so that none is forgotten unseen. */
  notLoaded: string[];
}
type Inputs = Omit<SqliteLoadArgs, "password" | "tables" | "held"> &
  Plan & { password: string; tables: string[]; held: string[] };
type Outputs = Inputs & {
  loaded: string;
  rows: number;
  summary: Record<string, string>;
  /** LoadResult.parts as JSON: many, and of no interest to a reader. */
  parts: string;
};

/** One load, as `timelift load --request` reads it. */
export interface LoadCommandRequest {
  workload: WorkloadReference;
  /** Path of the SQLite file; a relative one starts at the current folder. */
  source: string;
  /** Where the private copy of the source is kept. */
  copyPath: string;
  /** The database itself, as the loading role. */
  target: Connection;
  /**
   * Rows that may be rejected, as `RunLoadArgs.maxRejects`.
   * @default "0"
   */
  maxRejects?: string;
  /** @default {} */
  hypertables?: Record<string, HypertableSettings>;
}

export function check(olds: Partial<Inputs>, news: Inputs): Promise<dynamic.CheckResult> {
  return checked("source", news, async () => {
    const { loader } = await findWorkload(news.workload);
    const fingerprint = readFingerprint(news.source);
    const mapping = digestOf(loader);
    if (olds.plan && olds.fingerprint === fingerprint && olds.mapping === mapping) {
      return { fingerprint, mapping, plan: olds.plan, notLoaded: olds.notLoaded ?? [] };
    }
    const last = olds.plan && readLoadedParts(news.stateDir);
    const { scanSource } = await import("../../loaders/source/scan-source.ts");
    const scan = await scanSource({
      source: news.source,
      copyPath: copyPathIn(news.stateDir),
      loader,
      ...(last?.mapping === mapping && { previous: last.parts, previousFingerprint: last.fingerprint }),
    });
    const tables = Object.entries(scan.tables);
    return {
      fingerprint: scan.fingerprint,
      mapping,
      plan: Object.fromEntries(tables.map(([table, each]) => [table, describe(each, last?.parts[table])])),
      notLoaded: scan.ignored,
    };
  });
}

export async function diff(_id: string, olds: Outputs, news: Inputs): Promise<dynamic.DiffResult> {
  const changes =
    (olds.loaded !== news.fingerprint && news.held.length === 0) ||
    olds.mapping !== news.mapping ||
    (olds.maxRejects ?? "0") !== (news.maxRejects ?? "0") ||
    isElsewhere(olds.target, news.target) ||
    !isDeepStrictEqual(olds.tables, news.tables) ||
    !isDeepStrictEqual(olds.held, news.held);
  return { changes };
}

export async function create(inputs: Inputs): Promise<dynamic.CreateResult> {
  return { id: inputs.workload.name, outs: await load(inputs) };
}

export async function update(_id: string, _olds: Outputs, news: Inputs): Promise<dynamic.UpdateResult> {
  return { outs: await load(news) };
}

/** The private copy of the source goes; rows in the target stay with the service that keeps them. */
export async function remove(_id: string, { stateDir }: Outputs): Promise<void> {
  rmSync(sourceFolder(stateDir), { recursive: true, force: true });
}

async function load(inputs: Inputs): Promise<Outputs> {
  const { workload, source, stateDir, target, user, password, held, maxRejects, hypertables } = inputs;
  if (held.length > 0) {
    const why = `nothing is loaded while timelift:migrateTo leaves ${held.join(", ")} down`;
    return { ...inputs, loaded: "", rows: 0, summary: { "-": why }, parts: "{}" };
  }
  const request: LoadCommandRequest = {
    workload,
    source,
    copyPath: copyPathIn(stateDir),
    target: { ...target, user: user ?? "timelift_loader_a", password },
    ...(maxRejects !== undefined && { maxRejects }),
    ...(hypertables && { hypertables }),
  };
  const result = await runCommand<LoadResult>(["load", "--request"], request);
  const summary = Object.entries(result.tables).map(([table, done]) => {
    const { rows, inserted, updated, deleted, rejected = 0 } = done;
    const without = rejected === 0 ? "" : `, ${rejected} rejected`;
    return [
      table,
      `${rowCount(rows)}; ${inserted} inserted, ${updated} updated, ${deleted} deleted${without}`,
    ];
  });
  const { fingerprint, parts, rows } = result;
  writeLoadedParts(stateDir, { fingerprint, mapping: inputs.mapping, parts });
  return {
    ...inputs,
    loaded: fingerprint,
    rows,
    summary: Object.fromEntries(summary),
    parts: JSON.stringify(parts),
  };
}

/** "5,665 rows" at first and while they stay, so that only tables that changed differ; else with what changed. */
function describe({ rows, change }: TablePlan, before: Part[] | undefined): string {
  const total = rowCount(rows);
  return change === "unchanged" || !before?.length ? total : `${total} (${change})`;
}

function digestOf(loader: LoaderDefinition): string {
  const text = JSON.stringify(loader.tables, (_key, value) =>
    typeof value === "symbol" ? String(value) : value,
  );
  return createHash("sha256").update(text).digest("hex").slice(0, 16);
}
