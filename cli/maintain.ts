import { Command } from "commander";
import type pg from "pg";
import { connect } from "../loaders/connection.ts";
import { TimeliftError } from "../loaders/timelift-error.ts";
import { connectionAs } from "./stack-services.ts";

interface MaintainOptions {
  stack: string;
  all: boolean;
  list: boolean;
}

interface Task {
  name: string;
  every: string;
  scheduler: string;
  last: string | null;
  error: string | null;
}

/**
 * `timelift maintain [TASK…]`: runs what stands in for TimescaleDB's policies and has no scheduler in the server, as far
 * as it is due. One shot, for cron, a systemd timer or anything else that calls it; exit code 1 when a task failed.
 */
export function maintainCommand(): Command {
  return new Command("maintain")
    .description("Runs the due tasks that no scheduler of the server runs: refreshes, retention, jobs.")
    .argument("[tasks...]", "these tasks at once, whoever schedules them, e.g. 'refresh ohlc_daily'")
    .option("-s, --stack <name>", "the stack", "dev")
    .option("--all", "every task at once, whoever schedules it", false)
    .option("--list", "say which tasks there are, who runs them, and how their last run went", false)
    .action(maintain);
}

async function maintain(names: string[], { stack, all, list }: MaintainOptions): Promise<void> {
  const client = await connect(await connectionAs(stack, "timelift_owner"), "maintain");
  try {
    const tasks = await readTasks(client);
    for (const name of names) requireTask(name, tasks);
    if (list)
      return console.log(tasks.map(describe).join("\n") || "no task: the server has policies for all of it");
    const chosen = tasks.filter(({ name, scheduler }) =>
      names.length > 0 ? names.includes(name) : all || scheduler === "maintain",
    );
    for (const { name } of chosen) await runTask(client, name, all || names.length > 0);
    if (chosen.length === 0) console.log("nothing to do here: the server's own scheduler runs every task");
  } finally {
    await client.end();
  }
}

async function readTasks(client: pg.Client): Promise<Task[]> {
  const { rows: found } = await client.query("SELECT to_regclass('timelift.task') IS NOT NULL AS there");
  if (!found[0]?.there) return [];
  const { rows } = await client.query<Task>(
    `SELECT name, every::text, scheduler, date_trunc('second', started_at)::text AS last, error
     FROM timelift.task ORDER BY name`,
  );
  return rows;
}

async function runTask(client: pg.Client, name: string, atOnce: boolean): Promise<void> {
  const started = performance.now();
  const before = await lastRun(client, name);
  await client.query("SELECT timelift.run_task($1, $2)", [name, atOnce]);
  const { started_at: last, error } = await lastRun(client, name);
  if (error === null || last?.getTime() === before.started_at?.getTime()) {
    const ran = last?.getTime() !== before.started_at?.getTime();
    console.log(`${name}: ${ran ? `done in ${Math.round(performance.now() - started)} ms` : "not due"}`);
    return;
  }
  console.error(`${name}: ${error}`);
  process.exitCode = 1;
}

async function lastRun(
  client: pg.Client,
  name: string,
): Promise<{ started_at: Date | null; error: string | null }> {
  const { rows } = await client.query("SELECT started_at, error FROM timelift.task WHERE name = $1", [name]);
  return rows[0] ?? { started_at: null, error: null };
}

function describe({ name, every, scheduler, last, error }: Task): string {
  const how =
    last === null ? "never run" : error === null ? `last ${last}` : `last ${last}, failed: ${error}`;
  return `${name.padEnd(32)} every ${every.padEnd(9)} by ${scheduler.padEnd(11)} ${how}`;
}

function requireTask(name: string, tasks: Task[]): void {
  if (tasks.some((task) => task.name === name)) return;
  throw new TimeliftError({
    code: "task-unknown",
    subject: `task ${name}`,
    problem: "the target has no such task",
    remedy:
      tasks.length > 0
        ? `choose one of ${tasks.map((task) => `'${task.name}'`).join(", ")}`
        : "none is needed: the server has policies for all of it",
  });
}
