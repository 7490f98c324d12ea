import type pg from "pg";
import { quoteIdentifier } from "./identifier.ts";
import { didYouMean } from "./nearest-name.ts";
import { TimeliftError } from "./timelift-error.ts";

/** A type of the target that timelift can write. */
export type TargetType =
  /** text and varchar; `length` in characters, null for no limit. */
  | { kind: "text"; length: number | null }
  /** `precision` and `scale` null for a numeric without limits. */
  | { kind: "numeric"; precision: number | null; scale: number | null }
  | { kind: "bool" | "int2" | "int4" | "int8" | "float4" | "float8" }
  /** `digits` of the second's fraction, 6 unless the column says less. */
  | { kind: "timestamp" | "timestamptz"; digits: number }
  | { kind: "date" | "uuid" | "json" | "jsonb" | "bytea" };

/** One column of a target table, as the catalog has it. */
export interface TargetColumn {
  name: string;
  /** Null for a type that timelift cannot write. */
  type: TargetType | null;
  /** The type as PostgreSQL writes it, e.g. `numeric(20,6)`. */
  typeText: string;
  nullable: boolean;
  hasDefault: boolean;
  identity: "no" | "by default" | "always";
  /** GENERATED ALWAYS AS (…) STORED: nothing can be written there. */
  generated: boolean;
}

export interface TargetForeignKey {
  /** The table referred to. */
  table: string;
  /** Whether a delete there takes rows along. */
  cascades: boolean;
}

/** One target table, as the catalog has it. */
export interface TargetTable {
  name: string;
  columns: TargetColumn[];
  primaryKey: string[];
  /** Columns of unique indexes without expression or condition, the primary key's first. */
  uniqueKeys: string[][];
  foreignKeys: TargetForeignKey[];
}

/**
 * Reads a target table from the catalog, found by the connection's search_path.
 * @throws TimeliftError target-table-missing
 */
export async function readTargetTable(client: pg.ClientBase, table: string): Promise<TargetTable> {
  const found = await client.query<{ oid: string | null }>("SELECT to_regclass($1)::oid::text AS oid", [
    quoteIdentifier(table),
  ]);
  const oid = found.rows[0]?.oid;
  if (!oid) throw await missingTable(client, table);
  const [columns, keys, foreign] = [
    await client.query<ColumnRow>(columnsSql, [oid]),
    await client.query<{ primary: boolean; columns: string[] }>(keysSql, [oid]),
    await client.query<TargetForeignKey>(foreignKeysSql, [oid]),
  ];
  return {
    name: table,
    columns: columns.rows.map(toColumn),
    primaryKey: keys.rows.find((key) => key.primary)?.columns ?? [],
    uniqueKeys: keys.rows.map((key) => key.columns),
    foreignKeys: foreign.rows,
  };
}

interface ColumnRow {
  name: string;
  base: string;
  typmod: number;
  text: string;
  nullable: boolean;
  default: boolean;
  identity: string;
  generated: string;
}

const columnsSql = `
  SELECT a.attname AS name, t.typname AS base, a.atttypmod AS typmod, format_type(a.atttypid, a.atttypmod) AS text,
         NOT a.attnotnull AS nullable, a.atthasdef AS default, a.attidentity AS identity, a.attgenerated AS generated
  FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
  WHERE a.attrelid = $1::oid AND a.attnum > 0 AND NOT a.attisdropped
  ORDER BY a.attnum`;

const keysSql = `
  SELECT i.indisprimary AS primary,
         array(SELECT a.attname::text FROM unnest(i.indkey::int2[]) WITH ORDINALITY k(attnum, n)
               JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
               WHERE k.n <= i.indnkeyatts ORDER BY k.n) AS columns
  FROM pg_index i
  WHERE i.indrelid = $1::oid AND i.indisunique AND i.indisvalid AND i.indimmediate
    AND i.indpred IS NULL AND i.indexprs IS NULL
  ORDER BY i.indisprimary DESC, i.indnkeyatts, i.indexrelid`;

const foreignKeysSql = `
  SELECT f.relname::text AS table, bool_or(c.confdeltype = 'c') AS cascades
  FROM pg_constraint c JOIN pg_class f ON f.oid = c.confrelid
  WHERE c.conrelid = $1::oid AND c.contype = 'f'
  GROUP BY f.relname`;

function toColumn(row: ColumnRow): TargetColumn {
  return {
    name: row.name,
    type: toType(row.base, row.typmod),
    typeText: row.text,
    nullable: row.nullable,
    hasDefault: row.default,
    identity: row.identity === "a" ? "always" : row.identity === "d" ? "by default" : "no",
    generated: row.generated !== "",
  };
}

/** The type that the catalog calls `base` (pg_type.typname), with its modifier; null for one that timelift cannot write. */
export function toType(base: string, typmod: number): TargetType | null {
  switch (base) {
    case "text":
      return { kind: "text", length: null };
    case "varchar":
      return { kind: "text", length: typmod < 0 ? null : typmod - 4 };
    case "numeric": {
      if (typmod < 0) return { kind: "numeric", precision: null, scale: null };
      const packed = typmod - 4;
      // The scale is an 11-bit signed field: numeric(3,-2) exists since PostgreSQL 15.
      return { kind: "numeric", precision: packed >> 16, scale: ((packed & 0x7ff) ^ 1024) - 1024 };
    }
    case "timestamp":
    case "timestamptz":
      return { kind: base, digits: typmod < 0 ? 6 : typmod };
    case "bool":
    case "int2":
    case "int4":
    case "int8":
    case "float4":
    case "float8":
    case "date":
    case "uuid":
    case "json":
    case "jsonb":
    case "bytea":
      return { kind: base };
    default:
      return null;
  }
}

async function missingTable(client: pg.ClientBase, table: string): Promise<TimeliftError> {
  const existing = await client.query<{ name: string }>(
    `SELECT relname::text AS name FROM pg_class
     WHERE relkind IN ('r', 'p') AND pg_table_is_visible(oid) AND relnamespace <> 'pg_catalog'::regnamespace
     ORDER BY 1`,
  );
  const names = existing.rows.map((row) => row.name);
  return new TimeliftError({
    code: "target-table-missing",
    subject: `target table ${table}`,
    problem: `the loader writes it, but the database has no such table. It has: ${names.join(", ") || "none"}.${didYouMean(table, names)}`,
    remedy: "Add a before-load migration that creates it, or rename the entry in the loader.",
  });
}
