import { everyText, type Interval, intervalSql } from "../interval.ts";
import { literal } from "../literal.ts";
import type { ObjectCheck } from "./object.ts";

/** A statement that is run again and again: by TimescaleDB's jobs, by pg_cron, or by `timelift maintain`. */
export interface Task {
  /** `refresh ohlc_daily`. */
  name: string;
  every: Interval;
  /** One statement that a function may run. */
  statement: string;
}

/** SQL that schedules a task; in the target, so that it takes the scheduler which is there. */
export function scheduleTask({ name, every, statement }: Task): string {
  return `SELECT timelift.schedule_task(${literal(name)}, ${intervalSql(every)}, ${literal(cronSchedule(every))},
  $task$${statement}$task$);`;
}

/** SQL that ends a task, whoever ran it. */
export function dropTask(name: string): string {
  return `SELECT timelift.drop_task(${literal(name)});`;
}

/** Whether a task is scheduled, and its last run was no failure. */
export function taskCheck({ name, every }: Pick<Task, "name" | "every">): ObjectCheck {
  return {
    expected: everyText(every),
    sql: `SELECT count(*) = 1 AND bool_and(error IS NULL) AS pass,
  coalesce(string_agg(format('every %s by %s%s', every, scheduler, '; its last run failed: ' || error), '; '),
    'not scheduled') AS actual
FROM timelift.task WHERE name = ${literal(name)}`,
  };
}

/**
 * A schedule of cron that fires at least as often as the span; a task that is not yet due then does nothing.
 * `0 * * * *` for an hour, `0 0 * * *` for a day.
 */
export function cronSchedule({ amount, unit }: Interval): string {
  switch (unit) {
    case "minute":
      return amount < 60 && 60 % amount === 0 ? `*/${amount} * * * *` : "* * * * *";
    case "hour":
      return amount < 24 && 24 % amount === 0
        ? amount === 1
          ? "0 * * * *"
          : `0 */${amount} * * *`
        : "0 * * * *";
    case "day":
      return "0 0 * * *";
    case "week":
      return "0 0 * * 0";
    case "month":
    case "year":
      return "0 0 1 * *";
  }
}
