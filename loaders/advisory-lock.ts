import { setTimeout as sleep } from "node:timers/promises";
import type pg from "pg";
import { TimeliftError } from "./timelift-error.ts";

/** Work of which a database takes one at a time. */
export interface ExclusiveWork {
  /** Two int4 that no other work has. */
  key: readonly [number, number];
  /**
   * Two more, which every further connection of the work holds (`shareAdvisoryLock`): each ends by itself, so what it
   * does last may outlive the connection that has the lock.
   * @default there is one connection
   */
  shared?: readonly [number, number];
  /** Code of the error when another does it. */
  code: string;
  subject: string;
  /** What the holder is doing, e.g. `is loading into this database`. */
  doing: string;
}

/**
 * Takes a database's lock on some work for as long as the connection lives. A process that was killed may leave a
 * server process finishing its last statement, so it waits a while for the lock.
 *
 * @param waitMs how long; default 30000 ms
 * @throws TimeliftError `work.code`, which names the holder
 */
export async function takeAdvisoryLock(
  client: pg.ClientBase,
  work: ExclusiveWork,
  signal?: AbortSignal,
  waitMs = 30_000,
): Promise<void> {
  const start = performance.now();
  const take = async (key: readonly [number, number]) => {
    for (;;) {
      const { rows } = await client.query<{ taken: boolean }>(
        "SELECT pg_try_advisory_lock($1, $2) AS taken",
        [...key],
      );
      if (rows[0]?.taken) return;
      signal?.throwIfAborted();
      if (performance.now() - start > waitMs) throw await held(client, { ...work, key }, waitMs);
      await sleep(200);
    }
  };
  await take(work.key);
  if (work.shared === undefined) return;
  await take(work.shared);
  await client.query("SELECT pg_advisory_unlock($1, $2)", [...work.shared]);
}

/** Says that a connection takes part in some work, for as long as it lives; another connection has the work's lock. */
export async function shareAdvisoryLock(client: pg.ClientBase, { shared }: ExclusiveWork): Promise<void> {
  if (shared !== undefined) await client.query("SELECT pg_advisory_lock_shared($1, $2)", [...shared]);
}

/** A session that holds a lock; what a role may not see of another's session is null. */
export interface LockHolder {
  /** Number of the server process. */
  pid: number;
  /** What it calls itself. */
  name: string | null;
  /** `YYYY-MM-DD HH:MM:SS`, UTC. */
  since: string | null;
}

/** Who does some work in this database now; undefined when nobody does. */
export async function lockHolder(
  client: pg.ClientBase,
  work: Pick<ExclusiveWork, "key">,
): Promise<LockHolder | undefined> {
  const { rows } = await client.query<LockHolder>(
    `SELECT l.pid, a.application_name AS name, to_char(a.backend_start AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS') AS since
     FROM pg_locks l LEFT JOIN pg_stat_activity a USING (pid)
     WHERE l.locktype = 'advisory' AND l.granted AND l.classid = $1 AND l.objid = $2 AND l.objsubid = 2
       AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())`,
    [...work.key],
  );
  return rows[0];
}

async function held(client: pg.ClientBase, work: ExclusiveWork, waitMs: number): Promise<TimeliftError> {
  const holder = await lockHolder(client, work);
  const who = holder
    ? `server process ${holder.pid} ("${holder.name ?? "unknown"}"), connected since ${holder.since ?? "an unknown time"} UTC,`
    : "another session";
  return new TimeliftError({
    code: work.code,
    subject: work.subject,
    problem: `${who} ${work.doing}; waited ${Math.round(waitMs / 1000)} s.`,
    remedy: `Let it finish, or end it${holder ? `: SELECT pg_terminate_backend(${holder.pid});` : "."}`,
  });
}
