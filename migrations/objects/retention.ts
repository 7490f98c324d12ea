import { quoteIdentifier as identifier } from "../../loaders/identifier.ts";
import { days, type Interval, intervalSql, intervalText, parseInterval } from "../interval.ts";
import { literal } from "../literal.ts";
import { type ObjectKind, onlyCommunity, type TimescaleObject } from "./object.ts";
import { policyCheck } from "./policy-check.ts";
import { dropTask, scheduleTask, taskCheck } from "./task.ts";

/** How long a hypertable keeps its rows. */
export interface RetentionArgs {
  /** A chunk goes when all of it is older than this. */
  after: Interval;
  /**
   * Whether it holds without being asked for. False: it is declared, and the stack's config turns it on
   * (`timelift:hypertables.TABLE.retention`).
   * @default true
   */
  enabled?: boolean;
}

/** The job that drops a hypertable's old chunks. */
export interface Retention {
  kind: "retention";
  /** The hypertable. */
  name: string;
  after: Interval;
}

/**
 * drop_chunks fires no trigger of a row. Where guards or references are kept by triggers, the task `timelift.retain`
 * deletes what belongs to the rows first.
 */
export const retention: ObjectKind<Retention> = {
  choose: ({ name }, { edition, declared }) => {
    if (edition === "apache") return { as: "fallback", reason: onlyCommunity("retention policy") };
    const kept = declared.filter((object) => dependsOn(object, name)).map(({ kind }) => kind);
    if (kept.length === 0) return { as: "native" };
    const what = [...new Set(kept)].map((kind) => `${kind}s`).join(" and ");
    return {
      as: "fallback",
      reason: `a retention policy would leave behind what ${what} of ${name} keep by triggers`,
    };
  },
  native: ({ name, after }) => ({
    how: `chunks go when they are ${intervalText(after)} old`,
    create: [remember(name)],
    // A policy runs at once: by now the aggregates have seen the rows.
    settle: [
      `SELECT add_retention_policy(${literal(identifier(name))}, drop_after => ${intervalSql(after)}, if_not_exists => true);`,
    ],
    drop: [`SELECT remove_retention_policy(${literal(identifier(name))}, if_exists => true);`],
    checks: [policyCheck(["policy_retention"], name, `after ${intervalText(after)}`)],
  }),
  fallback: (object) => ({
    how: `chunks go, with what refers to their rows, when they are ${intervalText(object.after)} old, by drop_chunks once a day`,
    create: [remember(object.name)],
    settle: [scheduleTask(taskOf(object))],
    drop: [dropTask(taskOf(object).name)],
    checks: [taskCheck(taskOf(object))],
  }),
};

/** For good: what an aggregate has seen of dropped rows is not seen again. */
function remember(table: string): string {
  return `INSERT INTO timelift.retained VALUES (${literal(table)}) ON CONFLICT DO NOTHING;`;
}

/** The age in what `how` says of a retention; undefined where it says none. */
export function retentionAge(how: string): Interval | undefined {
  const [, age] = /^chunks go.* when they are (\d+ \w+) old/.exec(how) ?? [];
  return age === undefined ? undefined : parseInterval(age, how);
}

function taskOf({ name, after }: Retention) {
  return {
    name: `retain ${name}`,
    every: days(1),
    statement: `SELECT timelift.retain(${literal(name)}, ${intervalSql(after)})`,
  };
}

function dependsOn(object: TimescaleObject, table: string): boolean {
  return (
    (object.kind === "guard" && object.table === table) ||
    (object.kind === "reference" && object.parent === table)
  );
}
