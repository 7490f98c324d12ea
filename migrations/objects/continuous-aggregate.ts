import { quoteIdentifier as identifier } from "../../loaders/identifier.ts";
import { everyText, type Interval, intervalSql, intervalText } from "../interval.ts";
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
    const quoted = literal(identifier(name));
    const addPolicy = (since: string) => `SELECT add_continuous_aggregate_policy(${quoted},
  start_offset => ${since}, end_offset => ${intervalSql(refresh.end)},
  schedule_interval => ${intervalSql(refresh.every)}, if_not_exists => true);`;
    const remaining = remainingChunks(object, around);
    const back = start ? `, ${intervalText(start)} back` : "";
    return {
      how: `continuous aggregate, ${realTime ? "real-time" : "materialized only"}, refreshed ${everyText(refresh.every)}${back}`,
      create: [
        `CREATE MATERIALIZED VIEW ${identifier(name)}
  WITH (timescaledb.continuous, timescaledb.materialized_only = ${!realTime}, timescaledb.create_group_indexes = false) AS
${query}
WITH NO DATA;`,
        ...indexesOf(object, ""),
      ],
      settle: [
        `CALL refresh_continuous_aggregate(${quoted}, NULL, NULL);`,
        addPolicy(start ? intervalSql(start) : "NULL"),
      ],
      // Made anew, or refreshed where rows were dropped, it would lose what it has seen of them.
      adjust: [
        `SELECT remove_continuous_aggregate_policy(${quoted}, if_exists => true);`,
        addPolicy(start ? intervalSql(start) : `(SELECT now() - min(range_start) FROM ${remaining})`),
      ],
      refresh: [
        {
          ask: `SELECT min(range_start)::text FROM ${remaining}`,
          sql: (since) =>
            `CALL refresh_continuous_aggregate(${quoted}, ${since === null ? "NULL" : `${literal(since)}::timestamptz`}, NULL);`,
        },
      ],
      drop: [`DROP MATERIALIZED VIEW IF EXISTS ${identifier(name)};`],
      checks: [
        {
          ...policyCheck(["policy_refresh_continuous_aggregate"], name, everyText(refresh.every)),
          about: "refresh",
        },
        aggregateRowsCheck(object, rootOf(object, around)),
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
      refresh: [{ ask: "SELECT ''", sql: () => `${refreshView(name)};` }],
      drop: [dropTask(task.name), `DROP MATERIALIZED VIEW IF EXISTS ${identifier(name)};`],
      checks: [{ ...taskCheck(task), about: "refresh" }, aggregateRowsCheck(object)],
    };
  },
};

/** The age from which the rows under an aggregate are dropped, if they are. */
function keptFor(object: ContinuousAggregate, around: Surroundings): Interval | undefined {
  const root = rootOf(object, around);
  const retention = around.declared.find(({ kind, name }) => kind === "retention" && name === root);
  return retention?.kind === "retention" ? retention.after : undefined;
}

/** The hypertable at the bottom of aggregates that read each other. */
function rootOf({ from }: ContinuousAggregate, around: Surroundings): string {
  const below = around.declared.find(({ kind, name }) => kind === "continuous aggregate" && name === from);
  return below?.kind === "continuous aggregate" ? rootOf(below, around) : from;
}

/** The chunks that retention has left under an aggregate; none where it never dropped any. */
function remainingChunks(object: ContinuousAggregate, around: Surroundings): string {
  const root = literal(rootOf(object, around));
  return `timescaledb_information.chunks
  WHERE hypertable_schema = current_schema() AND hypertable_name = ${root}
    AND EXISTS (SELECT FROM timelift.retained WHERE table_name = ${root})`;
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
