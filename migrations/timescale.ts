import type { MigrationBuilder } from "node-pg-migrate";
import type { DeclaredKeys } from "../loaders/declared-keys.ts";
import { type Edition, editionOf } from "./edition.ts";
import type { HypertableSettings } from "./hypertable-settings.ts";
import type { Interval } from "./interval.ts";
import type { ColumnstoreArgs } from "./objects/columnstore.ts";
import type { ColumnstorePolicyArgs } from "./objects/columnstore-policy.ts";
import type { ContinuousAggregateArgs } from "./objects/continuous-aggregate.ts";
import type { GuardArgs } from "./objects/guard.ts";
import type { JobArgs } from "./objects/job.ts";
import type { Surroundings, TimescaleObject } from "./objects/object.ts";
import { describeRealisation, type Realisation, realise, titleOf } from "./objects/realise.ts";
import type { HypertableReferenceArgs } from "./objects/reference.ts";
import type { RetentionArgs } from "./objects/retention.ts";
import type { SqlFunctionArgs } from "./sql-function.ts";
import type { KeysArgs } from "./table-keys.ts";
import { builderOf } from "./timescale-builder.ts";

/** What a migration may depend on besides its own text; the same for every file of a run. */
export interface MigrationContext {
  /** The workload's own options, parsed (`timelift:workloadOptions`). */
  options: Record<string, unknown>;
  /**
   * Edition of TimescaleDB that the SQL is for; `migrate` checks it against the server.
   * @default "apache", which Debian builds
   */
  edition?: Edition;
  /** Version of TimescaleDB that runs; `migrate` finds it out, a preview does not know it. */
  version?: string;
  /**
   * What the stack sets in place of what the migrations declare, hypertable by hypertable (`timelift:hypertables`).
   * @default {}
   */
  hypertables?: Record<string, HypertableSettings>;
  /**
   * Every object of the workload, for those whose way depends on others; `withDeclared` fills it in.
   * @default those of the same migration
   */
  declared?: TimescaleObject[];
}

/** How a table becomes a hypertable. */
export interface HypertableArgs {
  /** The column that partitions: not null, timestamptz. */
  time: string;
  /** Span of one chunk. About 25 % of memory should hold the chunks being written. */
  chunk: Interval;
}

/** The words a migration is written in; every word knows its way back. */
export interface TimescaleBuilder {
  /** A plain table; columns are name -> type with its constraints, in SQL's words. */
  table(name: string, columns: Record<string, string>): void;
  /** Turns a table into a hypertable. Its way back keeps every row in a plain table. */
  hypertable(name: string, args: HypertableArgs): void;
  /** Gives a hypertable's next chunks another span; `was` is its way back. */
  chunkInterval(table: string, args: { to: Interval; was: Interval }): void;
  /** Primary key, unique constraints and foreign keys of one table, in one statement. */
  keys(name: string, args: KeysArgs): void;
  /** An index named `<table>_<columns>_idx`, unless `name` says otherwise; columns may end in ` desc`. */
  index(table: string, columns: string[], args?: { unique?: boolean; name?: string }): void;
  /** A function in SQL, which only reads. */
  sqlFunction(name: string, args: SqlFunctionArgs): void;
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
  /**
   * A summary by time, filled after the migration's commit and then kept up to date. It belongs after the load, behind
   * what it reads. On Apache a materialized view that is refreshed concurrently.
   */
  continuousAggregate(name: string, args: ContinuousAggregateArgs): void;
  /** Drops chunks as they grow old; behind the aggregates, which would lose what they have not seen. */
  retention(table: string, args: RetentionArgs): void;
  /** Rewrites full chunks in the order of an index. Skipped on Apache. */
  reorder(table: string, args: { index: string }): void;
  /** A statement that runs on a schedule. */
  job(name: string, args: JobArgs): void;
  /** Keeps a uniqueness without regard to time, which no index of a hypertable can. It belongs after the load. */
  guard(table: string, args: GuardArgs & { time: string }): void;
  /** A foreign key into a hypertable, kept by triggers, behind the guard of its parent's key. */
  hypertableReference(table: string, args: HypertableReferenceArgs): void;
}

/** A hypertable that a migration declares; validation checks that the target has it. */
export interface DeclaredHypertable extends HypertableArgs {
  table: string;
}

/** What one word does. */
export interface Operation {
  /** SQL that is the same on every edition and in every stack, with its way back; in the history of migrations. */
  fixed?: { up: Step; down: Step };
  /** What each edition has its own way for; null where the stack's config leaves it out. */
  object?: (context: MigrationContext) => TimescaleObject | null;
  /** What a preview says where the config leaves it out. */
  off?: string;
  /** A table that comes into being. */
  creates?: string;
  hypertable?: DeclaredHypertable;
  /** The new span of an earlier hypertable's chunks. */
  chunks?: { table: string; to: Interval };
  keys?: DeclaredKeys;
}

type Step = (pgm: MigrationBuilder) => void;
type Action = (pgm: MigrationBuilder, context: MigrationContext) => void;

/** A migration as node-pg-migrate runs it, with its way back and what it declares. */
export interface TimescaleMigration extends Action {
  /** The way back of what is fixed; objects go before it, by what the target remembers of them. */
  readonly reverse: Action;
  /** `up` without objects: the part that the history of migrations holds on to. */
  readonly fixed: Action;
  readonly operations: (context: MigrationContext) => Operation[];
  /** Every object, with the way it is realised. */
  readonly realisations: (context: MigrationContext) => Realisation[];
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
    declare(builderOf(list), context.options);
    return list;
  };
  const realiseIn = (context: MigrationContext, all: Operation[]) => {
    const around = surroundings(context, all);
    return ({ object }: Operation): Realisation | undefined => {
      const found = object?.(context);
      return found ? realise(found, around) : undefined;
    };
  };
  const up: Action = (pgm, context) => {
    const all = operations(context);
    const realisation = realiseIn(context, all);
    for (const operation of all) {
      operation.fixed?.up(pgm);
      const found = realisation(operation);
      if (found !== undefined) createObject(pgm, found);
      else if (operation.off !== undefined) pgm.sql(`-- ${operation.off}`);
    }
  };
  const fixed: Action = (pgm, context) => {
    for (const operation of operations(context)) operation.fixed?.up(pgm);
  };
  const reverse: Action = (pgm, context) => {
    for (const operation of operations(context).reverse()) operation.fixed?.down(pgm);
  };
  const realisations = (context: MigrationContext) => {
    const all = operations(context);
    const realisation = realiseIn(context, all);
    return all.flatMap((operation) => realisation(operation) ?? []);
  };
  return Object.assign(up, { reverse, fixed, operations, realisations });
}

function surroundings(context: MigrationContext, own: Operation[]): Surroundings {
  const declared = context.declared ?? own.flatMap(({ object }) => object?.(context) ?? []);
  const { version } = context;
  return { edition: editionOf(context), declared, ...(version !== undefined && { version }) };
}

function createObject(pgm: MigrationBuilder, realisation: Realisation): void {
  if (realisation.as !== "native") {
    pgm.sql(`-- ${titleOf(realisation.object)}: ${describeRealisation(realisation)}`);
  }
  for (const sql of realisation.create) pgm.sql(sql);
}
