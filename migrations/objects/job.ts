import { everyText, type Interval } from "../interval.ts";
import { type ObjectKind, onlyCommunity } from "./object.ts";
import { dropTask, scheduleTask, taskCheck } from "./task.ts";

/** A statement that runs on a schedule. */
export interface JobArgs {
  every: Interval;
  /** One SQL statement, without a semicolon; it runs in a transaction, as the owner of the tables. */
  statement: string;
}

/** A job of the application's own. */
export interface Job extends JobArgs {
  kind: "job";
  name: string;
}

const stepsBy = (scheduler: string) => (job: Job) => ({
  how: `${everyText(job.every)} by ${scheduler}`,
  create: [scheduleTask(job)],
  drop: [dropTask(job.name)],
  checks: [taskCheck(job)],
});

export const job: ObjectKind<Job> = {
  choose: (_object, { edition }) =>
    edition === "community" ? { as: "native" } : { as: "fallback", reason: onlyCommunity("jobs") },
  native: stepsBy("TimescaleDB's jobs"),
  fallback: stepsBy("pg_cron, or timelift maintain where the server has none"),
};
