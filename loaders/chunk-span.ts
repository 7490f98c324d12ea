import type pg from "pg";

/** How a hypertable is cut into chunks. */
export interface ChunkSpan {
  /** The time column. */
  column: string;
  /** Microseconds; chunks begin at whole multiples of it, counted from 1970. */
  span: number;
}

/** Table -> its chunks, for every hypertable by time that the connection's search_path finds. */
export async function readChunkSpans(client: pg.ClientBase): Promise<Map<string, ChunkSpan>> {
  const { rows: known } = await client.query(
    "SELECT WHERE to_regclass('timescaledb_information.dimensions') IS NOT NULL",
  );
  if (known.length === 0) return new Map();
  const { rows } = await client.query<ChunkSpan & { table: string }>(
    `SELECT hypertable_name::text AS table, column_name::text AS column,
       (extract(epoch FROM time_interval) * 1000000)::float8 AS span
     FROM timescaledb_information.dimensions
     WHERE dimension_number = 1 AND time_interval IS NOT NULL
       AND to_regclass(format('%I.%I', hypertable_schema, hypertable_name)) = to_regclass(quote_ident(hypertable_name))`,
  );
  return new Map(rows.map(({ table, column, span }) => [table, { column, span }]));
}
