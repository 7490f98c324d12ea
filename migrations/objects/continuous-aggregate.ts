import { quoteIdentifier as identifier } from "../../loaders/identifier.ts";
import { everyText, type Interval, intervalSql } from "../interval.ts";
import { literal } from "../literal.ts";
import { indexSql } from "../table-index.ts";
import { aggregateRowsCheck } from "./aggregate-rows-check.ts";
import { type ObjectKind, onlyCommunity, type Surroundings } from "./object.ts";
import { policyCheck } from "./policy-check.ts";
import { dropTask, scheduleTask, taskCheck } from "./task.ts";

/** A summary of a hypertable by time, kept up to date. */
export interface ContinuousAggregateArgs {
  /** The hypertable that the query reads, or another aggregate. */
  from: string;
  /**
   * The SELECT, without a semicolon: `time_bucket(…) AS <bucket>`, the columns of `groupBy`, aggregates. On Apache it is
   * the query of a materialized view, so it uses what both have: first, last, count, sum, min, max, avg, histogram.
   */
  query: string;
  /** The column of the result that holds the bucket's time. */
  bucket: string;
  /** The other columns that tell the result's rows apart. */
  groupBy: string[];
  refresh: {
    /** How often. */
    every: Interval;
    /**
     * How far back a refresh looks for changes; at least two buckets more than `end`.
     * @default all of it, or as far as the table's retention keeps rows
     */
    start?: Interval;
    /** Buckets younger than this are left out: rows still come. */
    end: Interval;
  };
  /**
   * Whether a query also sees rows that came after the last refresh, at the price of aggregating them. A materialized
   * view, which stands in on Apache, never does.
   * @default false
   */
  realTime?: boolean;
  /** Columns of more indexes; each may end in ` desc`. The key (groupBy, bucket) has one. */
  indexes?: string[][];
}

/** An aggregate under its name. */
export interface ContinuousAggregate extends ContinuousAggregateArgs {
  kind: "continuous aggregate";
  name: string;
}

export const continuousAggregate: ObjectKind<ContinuousAggregate> = {
  choose: (_object, { edition }) =>
    edition === "community"
      ? { as: "native" }
      : { as: "fallback", reason: onlyCommunity("continuous aggregates") },

  native: (object, around) => {
    const { name, query, refresh, realTime = false } = object;
    const kept = keptFor(object, around);
    const start = refresh.start ?? kept;
    const refreshSince = (since: string) =>
      `CALL refresh_continuous_aggregate(${literal(identifier(name))}, ${since}, NULL);`;
    return {
      how: `continuous aggregate, ${realTime ? "real-time" : "materialized only"}, refreshed ${everyText(refresh.every)}`,
      create: [
        `CREATE MATERIALIZED VIEW ${identifier(name)}
  WITH (timescaledb.continuous, timescaledb.materialized_only = ${!realTime}, timescaledb.create_group_indexes = false) AS
${query}
WITH NO DATA;`,
        ...indexesOf(object, ""),
      ],
      settle: [
        // The first sees every row; later ones must not look where rows were dropped.
        refreshSince("NULL"),
        `SELECT add_continuous_aggregate_policy(${literal(identifier(name))},
  start_offset => ${start ? intervalSql(start) : "NULL"}, end_offset => ${intervalSql(refresh.end)},
  schedule_interval => ${intervalSql(refresh.every)}, if_not_exists => true);`,
      ],
      refresh: [refreshSince(kept ? `(now() - ${intervalSql(kept)})::timestamptz` : "NULL")],
      drop: [`DROP MATERIALIZED VIEW IF EXISTS ${identifier(name)};`],
      checks: [
        {
          ...policyCheck(["policy_refresh_continuous_aggregate"], name, everyText(refresh.every)),
          about: "refresh",
        },
        aggregateRowsCheck(object, kept !== undefined),
      ],
    };
  },

  fallback: (object, around) => {
    const { name, query, refresh } = object;
    const task = { name: `refresh ${name}`, every: refresh.every, statement: refreshView(name) };
    const loses = keptFor(object, around) ? "; it knows no row that retention dropped" : "";
    return {
      how: `materialized view, refreshed concurrently ${everyText(refresh.every)}${loses}`,
      create: [
        `CREATE MATERIALIZED VIEW ${identifier(name)} AS\n${query}\nWITH NO DATA;`,
        // A refresh that locks no reader out asks for a unique index.
        ...indexesOf(object, "UNIQUE "),
      ],
      settle: [`${refreshView(name)};`, scheduleTask(task)],
      refresh: [`${refreshView(name)};`],
      drop: [dropTask(task.name), `DROP MATERIALIZED VIEW IF EXISTS ${identifier(name)};`],
      checks: [{ ...taskCheck(task), about: "refresh" }, aggregateRowsCheck(object, false)],
    };
  },
};

/** The age from which the rows under an aggregate are dropped, if they are. */
function keptFor({ from }: ContinuousAggregate, around: Surroundings): Interval | undefined {
  const below = around.declared.find(({ kind, name }) => kind === "continuous aggregate" && name === from);
  if (below?.kind === "continuous aggregate") return keptFor(below, around);
  const retention = around.declared.find(({ kind, name }) => kind === "retention" && name === from);
  return retention?.kind === "retention" ? retention.after : undefined;
}

function indexesOf({ name, bucket, groupBy, indexes = [] }: ContinuousAggregate, unique: string): string[] {
  return [
    indexSql(name, [...groupBy, bucket], unique),
    ...indexes.map((columns) => indexSql(name, columns, "")),
  ];
}

function refreshView(name: string): string {
  return `SELECT timelift.refresh_view(${literal(name)})`;
}
