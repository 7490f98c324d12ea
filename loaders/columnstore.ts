import type pg from "pg";
import { quoteIdentifier } from "./identifier.ts";
import type { ResolvedColumn } from "./resolve-table.ts";
import type { ColumnstoreLayout } from "./source/columnstore-rows.ts";
import type { TableTask } from "./table-task.ts";

/** Whether rows of a table may go straight to the columnstore, and if not, why. */
export type DirectLoad = { layout: ColumnstoreLayout } | { reason: string };

/** What the catalog says of a hypertable's columnstore. */
export interface ColumnstoreFacts {
  /** What `timescaledb.license` says; null where TimescaleDB is not loaded. */
  license: string | null;
  /** Whether this version writes COPY straight to the columnstore (2.21 and later). */
  direct: boolean;
  /** Whether the hypertable has a columnstore. */
  enabled: boolean;
  segmentBy: string[];
  orderBy: { column: string; descending: boolean }[];
  /** Unique, exclusion and foreign keys, and triggers; TimescaleDB switches the direct way off for each. */
  hindrances: string[];
  /** Dimensions of the hypertable's chunks. */
  dimensions: number;
  timeColumn: string;
  /** Span of a chunk in microseconds. */
  chunk: number;
  /** End of the last chunk that is old enough, in microseconds since 2000-01-01 UTC. */
  before: number;
}

/**
 * Reads what decides about a direct load.
 * @param after age from which a chunk belongs into the columnstore, as PostgreSQL's interval reads it
 */
export async function readColumnstore(
  client: pg.ClientBase,
  table: string,
  after: string,
): Promise<ColumnstoreFacts | null> {
  const { rows: found } = await client.query<{ license: string | null; direct: boolean; known: boolean }>(
    `SELECT current_setting('timescaledb.license', true) AS license,
       current_setting('timescaledb.enable_direct_compress_copy_client_sorted', true) IS NOT NULL AS direct,
       to_regclass('timescaledb_information.compression_settings') IS NOT NULL AS known`,
  );
  const server = found[0];
  if (!server?.known) return null;
  const name = quoteIdentifier(table);
  const { rows } = await client.query<Omit<ColumnstoreFacts, "license" | "direct">>(factsSql, [name, after]);
  return rows[0] ? { license: server.license, direct: server.direct, ...rows[0] } : null;
}

/** Chunks begin at whole multiples of their span, counted from 1970. */
const factsSql = `
  SELECT d.column_name::text AS "timeColumn", h.num_dimensions::int AS dimensions, h.compression_enabled AS enabled,
    coalesce(s."segmentBy", '{}') AS "segmentBy", coalesce(s."orderBy", '[]') AS "orderBy",
    array(SELECT 'key ' || conname::text FROM pg_constraint
            WHERE conrelid = to_regclass($1) AND contype IN ('p', 'u', 'x', 'f')
          UNION ALL
          SELECT 'index ' || relname::text FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid
            WHERE indrelid = to_regclass($1) AND indisunique
              AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid)
          UNION ALL
          SELECT 'trigger ' || tgname::text FROM pg_trigger
            WHERE tgrelid = to_regclass($1) AND NOT tgisinternal AND tgname <> 'ts_insert_blocker'
          ORDER BY 1) AS hindrances,
    (extract(epoch FROM d.time_interval) * 1000000)::float8 AS chunk,
    (extract(epoch FROM time_bucket(d.time_interval, current_timestamp - $2::interval, origin => timestamptz 'epoch')
      - timestamptz '2000-01-01 00:00+00') * 1000000)::float8 AS before
  FROM timescaledb_information.hypertables h
    JOIN timescaledb_information.dimensions d USING (hypertable_schema, hypertable_name)
    CROSS JOIN LATERAL (
      SELECT array_agg(attname::text ORDER BY segmentby_column_index) FILTER (WHERE segmentby_column_index > 0)
          AS "segmentBy",
        json_agg(json_build_object('column', attname, 'descending', NOT orderby_asc) ORDER BY orderby_column_index)
          FILTER (WHERE orderby_column_index > 0) AS "orderBy"
      FROM timescaledb_information.compression_settings c
      WHERE c.hypertable_schema = h.hypertable_schema AND c.hypertable_name = h.hypertable_name) s
  WHERE to_regclass(format('%I.%I', h.hypertable_schema, h.hypertable_name)) = to_regclass($1)
    AND d.dimension_number = 1 AND d.time_interval IS NOT NULL`;

/**
 * Lets this session change rows in the columnstore: TimescaleDB turns their batches into rows first, by default no more
 * than 100,000 rows in a transaction, where a merge may reach every row of a table.
 */
export async function allowChanges(client: pg.ClientBase): Promise<void> {
  await client.query(
    "SELECT set_config(name, '0', false) FROM pg_settings WHERE name = 'timescaledb.max_tuples_decompressed_per_dml_transaction'",
  );
}

/**
 * Notes in each task how its rows are laid out, where they may go straight to the columnstore.
 * @param after table -> age from which its chunks belong into the columnstore
 */
export async function planDirectLoads(
  client: pg.ClientBase,
  tasks: TableTask[],
  after: Record<string, string>,
): Promise<void> {
  for (const task of tasks) {
    const age = after[task.name];
    if (age === undefined) continue;
    const direct = planDirectLoad(await readColumnstore(client, task.name, age), task.resolved.columns);
    if ("layout" in direct) task.columnstore = direct.layout;
  }
}

/** Decides whether rows may go straight to the columnstore; how many of them do, each part decides for itself. */
export function planDirectLoad(facts: ColumnstoreFacts | null, columns: ResolvedColumn[]): DirectLoad {
  if (facts === null) return { reason: "it is no hypertable by time" };
  if (facts.license === "apache") return { reason: "the Apache edition of TimescaleDB has no columnstore" };
  if (!facts.enabled) return { reason: "the table has no columnstore" };
  if (!facts.direct) return { reason: "this version of TimescaleDB is older than 2.21" };
  const [hindrance] = facts.hindrances;
  if (hindrance) return { reason: `${hindrance} is there already` };
  if (facts.dimensions > 1) return { reason: "its chunks have more than one dimension" };
  const positionOf = (name: string) => columns.findIndex((column) => column.target === name);
  const time = positionOf(facts.timeColumn);
  if (!/^timestamp/.test(columns[time]?.type.kind ?? "")) {
    return { reason: `${facts.timeColumn} is no timestamp that comes from the source` };
  }
  const segment = facts.segmentBy.map(positionOf);
  if (segment.includes(-1))
    return { reason: "a column that it is segmented by does not come from the source" };
  // TimescaleDB 2.29.2 writes chunks that it then cannot sort: "missing operator 1(1043,1043) in opfamily 1994".
  const varchar = facts.orderBy.find(({ column }) =>
    columns[positionOf(column)]?.typeText.startsWith("character varying"),
  );
  if (varchar) return { reason: `it is ordered by ${varchar.column}, a varchar; text would do` };
  const [first, ...more] = facts.orderBy;
  const byTime = first?.column === facts.timeColumn && more.length === 0;
  const { chunk, before } = facts;
  return { layout: { segment, time, descending: first?.descending ?? true, byTime, chunk, before } };
}
