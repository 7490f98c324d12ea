import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { redisUsers } from "../../services/redis-users.ts";
import { tellRedis } from "./redis-conversation.ts";

/** Asks one question; throws when there is no answer, or the wrong one. */
export type Question = () => Promise<void>;

/** How long one question may take, in ms. */
const patience = 5000;

/** Longest wait for a database that says that it is reading its log after a crash, in seconds. */
const recoverySeconds = 900;

/**
 * Asks until there is an answer. Gives up, with the last error, when the process is gone or the time is over;
 * a database that recovers from a crash gets more time, for it says so.
 */
export async function answered(
  ask: Question,
  isAlive: () => boolean,
  timeoutSeconds: number,
): Promise<{ error?: unknown }> {
  const begin = Date.now();
  for (let pause = 10; ; pause = Math.min(pause * 1.5, 200)) {
    try {
      await ask();
      return {};
    } catch (error) {
      const seconds = (Date.now() - begin) / 1000;
      const allowed = isRecovering(error) ? recoverySeconds : timeoutSeconds;
      if (!isAlive() || seconds > allowed) return { error };
    }
    await sleep(pause);
  }
}

function isRecovering(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "57P03";
}

/** Connects, runs a query, and leaves. */
export async function askSql(config: pg.ClientConfig, query: string): Promise<void> {
  const client = new pg.Client({
    ...config,
    application_name: "timelift health",
    connectionTimeoutMillis: patience,
    query_timeout: patience,
  });
  // An error after the answer (the server stops) is not ours to report.
  client.on("error", () => {});
  try {
    await client.connect();
    await client.query(query);
  } finally {
    await client.end().catch(() => {});
  }
}

/** Logs in to Redis as the applications do, says PING, and expects PONG. */
export async function askRedis(port: number, password: string): Promise<void> {
  const [answer] = await tellRedis(port, { user: redisUsers.app, password }, [["PING"]]);
  if (answer !== "PONG") throw new Error(`redis answered ${answer}`);
}

/** Expects status 200. */
export async function askHttp(port: number, path: string): Promise<void> {
  const response = await fetch(`http://127.0.0.1:${port}${path}`, { signal: AbortSignal.timeout(patience) });
  await response.text();
  if (!response.ok) throw new Error(`${path} answered with status ${response.status}`);
}
