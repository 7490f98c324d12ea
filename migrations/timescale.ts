import type { MigrationBuilder } from "node-pg-migrate";
import { quoteIdentifier as identifier } from "../loaders/identifier.ts";
import {
  addColumnstorePolicy,
  type ColumnstoreArgs,
  type ColumnstorePolicyArgs,
  disableColumnstore,
  enableColumnstore,
  leaveColumnstore,
  removeColumnstorePolicy,
  skippedColumnstore,
} from "./columnstore.ts";
import { type Edition, editionOf } from "./edition.ts";
import { type Interval, intervalSql } from "./interval.ts";
import { dropTable, plainTable } from "./reversal.ts";

/** What a migration may depend on besides its own text; the same for every file of a run. */
export interface MigrationContext {
  /** The workload's own options, parsed (`timelift:workloadOptions`). */
  options: Record<string, unknown>;
  /**
   * Edition of TimescaleDB that the SQL is for; `migrate` checks it against the server.
   * @default "apache", which Debian builds
   */
  edition?: Edition;
}

/** How a table becomes a hypertable. */
export interface HypertableArgs {
  /** The column that partitions: not null, timestamptz. */
  time: string;
  /** Span of one chunk. About 25 % of memory should hold the chunks being written. */
  chunk: Interval;
}

/** A reference to another table's key. */
export interface Reference {
  table: string;
  /** @default the primary key of `table` */
  columns?: string[];
  /** @default no action */
  onDelete?: "cascade" | "set null" | "restrict";
}

/** The keys of one table; built by one ALTER, which reads the rows once. */
export interface KeysArgs {
  /** Columns of the primary key. On a hypertable they include its time column. */
  primary?: string[];
  /** Unique constraints. On a hypertable each includes its time column. */
  unique?: { columns: string[]; nulls?: "distinct" | "not distinct" }[];
  /** Column -> what it refers to. */
  references?: Record<string, string | Reference>;
}

/** The words a migration is written in; every word knows its way back. */
export interface TimescaleBuilder {
  /** A plain table; columns are name -> type with its constraints, in SQL's words. */
  table(name: string, columns: Record<string, string>): void;
  /** Turns a table into a hypertable. Its way back keeps every row in a plain table. */
  hypertable(name: string, args: HypertableArgs): void;
  /** Primary key, unique constraints and foreign keys of one table, in one statement. */
  keys(name: string, args: KeysArgs): void;
  /** An index named `<table>_<columns>_idx`; columns may end in ` desc`. */
  index(table: string, columns: string[], args?: { unique?: boolean }): void;
  /**
   * Lets a hypertable keep chunks in the columnstore. It belongs before the load, which then may write old chunks
   * straight there; its way back turns them into rows again, chunk by chunk, and keeps every row. Skipped on Apache.
   */
  columnstore(table: string, args: ColumnstoreArgs): void;
  /**
   * Moves chunks to the columnstore as they grow old. It belongs after the load: a new policy runs at once, on
   * half-loaded chunks too. Skipped on Apache.
   */
  columnstorePolicy(table: string, args: ColumnstorePolicyArgs): void;
}

/** A hypertable that a migration declares; validation checks that the target has it. */
export interface DeclaredHypertable extends HypertableArgs {
  table: string;
}

/** A policy that a migration declares; the loader writes chunks that it would move straight to the columnstore. */
export interface DeclaredColumnstorePolicy extends ColumnstorePolicyArgs {
  table: string;
}

type Action = (pgm: MigrationBuilder, context: MigrationContext) => void;

/** A migration as node-pg-migrate runs it, with its way back and what it declares. */
export interface TimescaleMigration extends Action {
  readonly reverse: Action;
  readonly hypertables: (context: MigrationContext) => DeclaredHypertable[];
  readonly columnstorePolicies: (context: MigrationContext) => DeclaredColumnstorePolicy[];
}

type Step = (pgm: MigrationBuilder, edition: Edition) => void;

interface Operation {
  up: Step;
  down: Step;
  /** SQL of the way back that commits on its own, so that it can be resumed; it runs before the others' way back. */
  resumable?: (edition: Edition) => string | undefined;
  creates?: string;
  hypertable?: DeclaredHypertable;
  columnstorePolicy?: DeclaredColumnstorePolicy;
}

/**
 * Declares a migration: `export const up = timescale((db) => …); export const down = up.reverse;`
 * The way back runs the inverse of each word, last first.
 */
export function timescale(
  declare: (db: TimescaleBuilder, options: Record<string, unknown>) => void,
): TimescaleMigration {
  const operations = (context: MigrationContext): Operation[] => {
    const list: Operation[] = [];
    declare(builder(list), context.options);
    return list;
  };
  const up: Action = (pgm, context) => {
    for (const operation of operations(context)) operation.up(pgm, editionOf(context));
  };
  const reverse: Action = (pgm, context) => {
    const wayBack = operations(context).reverse();
    const resumable = wayBack.flatMap((operation) => operation.resumable?.(editionOf(context)) ?? []);
    if (resumable.length > 0) {
      pgm.noTransaction();
      for (const sql of resumable) pgm.sql(sql);
      // What follows, the runner's own bookkeeping too, is one transaction again.
      pgm.sql("BEGIN;");
    }
    for (const operation of wayBack) operation.down(pgm, editionOf(context));
  };
  return Object.assign(up, {
    reverse,
    hypertables: (context: MigrationContext) =>
      operations(context).flatMap((operation) => operation.hypertable ?? []),
    columnstorePolicies: (context: MigrationContext) =>
      operations(context).flatMap((operation) => operation.columnstorePolicy ?? []),
  });
}

function builder(list: Operation[]): TimescaleBuilder {
  return {
    table(name, columns) {
      list.push({
        creates: name,
        up: (pgm) => pgm.createTable(name, columns),
        down: (pgm) => pgm.sql(dropTable(name)),
      });
    },
    hypertable(name, args) {
      const createdHere = list.some((operation) => operation.creates === name);
      list.push({
        hypertable: { table: name, ...args },
        up: (pgm) => pgm.sql(createHypertable(name, args)),
        down: (pgm) => {
          if (!createdHere) pgm.sql(plainTable(name));
        },
      });
    },
    keys(name, args) {
      const constraints = keyConstraints(name, args);
      const each = (clause: (constraint: { name: string; sql: string }) => string) =>
        `ALTER TABLE ${identifier(name)}\n  ${constraints.map(clause).join(",\n  ")};`;
      list.push({
        up: (pgm) => pgm.sql(each((c) => `ADD CONSTRAINT ${identifier(c.name)} ${c.sql}`)),
        down: (pgm) => pgm.sql(each((c) => `DROP CONSTRAINT IF EXISTS ${identifier(c.name)}`)),
      });
    },
    index(table, columns, { unique = false } = {}) {
      const index = `${table}_${columns.map((c) => c.replace(/ .*/, "")).join("_")}_idx`;
      list.push({
        up: (pgm) =>
          pgm.sql(
            `CREATE ${unique ? "UNIQUE " : ""}INDEX ${identifier(index)} ON ${identifier(table)} (${columns.map(indexColumn).join(", ")});`,
          ),
        down: (pgm) => pgm.sql(`DROP INDEX IF EXISTS ${identifier(index)};`),
      });
    },
    columnstore(table, args) {
      list.push({
        up: onCommunity(enableColumnstore(table, args), skippedColumnstore(table, "columnstore")),
        resumable: (edition) => (edition === "community" ? leaveColumnstore(table) : undefined),
        down: onCommunity(disableColumnstore(table)),
      });
    },
    columnstorePolicy(table, args) {
      list.push({
        columnstorePolicy: { table, ...args },
        up: onCommunity(addColumnstorePolicy(table, args), skippedColumnstore(table, "columnstore policy")),
        down: onCommunity(removeColumnstorePolicy(table)),
      });
    },
  };
}

/** Every function of the columnstore, those that remove it too, is refused by the Apache edition. */
function onCommunity(sql: string, otherwise?: string): Step {
  return (pgm, edition) => {
    if (edition === "community") pgm.sql(sql);
    else if (otherwise) pgm.sql(otherwise);
  };
}

/** No default index on time: the keys, built after the load, start with the columns that queries name. */
function createHypertable(name: string, { time, chunk }: HypertableArgs): string {
  return `SELECT create_hypertable('${identifier(name)}', by_range('${time}', ${intervalSql(chunk)}),
  create_default_indexes => false, if_not_exists => true, migrate_data => true);`;
}

function keyConstraints(table: string, keys: KeysArgs): { name: string; sql: string }[] {
  const constraints: { name: string; sql: string }[] = [];
  if (keys.primary) {
    constraints.push({ name: `${table}_pkey`, sql: `PRIMARY KEY (${identifiers(keys.primary)})` });
  }
  for (const { columns, nulls = "distinct" } of keys.unique ?? []) {
    constraints.push({
      name: `${table}_${columns.join("_")}_key`,
      sql: `UNIQUE ${nulls === "not distinct" ? "NULLS NOT DISTINCT " : ""}(${identifiers(columns)})`,
    });
  }
  for (const [column, target] of Object.entries(keys.references ?? {})) {
    const reference = typeof target === "string" ? { table: target } : target;
    const columns = reference.columns ? ` (${identifiers(reference.columns)})` : "";
    const onDelete = reference.onDelete ? ` ON DELETE ${reference.onDelete.toUpperCase()}` : "";
    constraints.push({
      name: `${table}_${column}_fkey`,
      sql: `FOREIGN KEY (${identifier(column)}) REFERENCES ${identifier(reference.table)}${columns}${onDelete}`,
    });
  }
  return constraints;
}

function indexColumn(column: string): string {
  const [name = column, ...direction] = column.split(" ");
  return [identifier(name), ...direction.map((word) => word.toUpperCase())].join(" ");
}

function identifiers(names: string[]): string {
  return names.map(identifier).join(", ");
}
