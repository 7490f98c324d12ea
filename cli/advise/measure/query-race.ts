import type Database from "better-sqlite3";
import type pg from "pg";
import type { WorkloadQuery } from "../../../loaders/define-loader.ts";
import { median } from "../../bench/median.ts";

/** One query on both engines. */
export interface RacedQuery {
  name: string;
  /** Rows that SQLite gave. */
  rows: number;
  sqliteMs: number;
  /** Of each variant; null where it failed or gave another number of rows, which `note` says. */
  timescaleMs: (number | null)[];
  note?: string;
}

const repeats = 5;
/** A query on which that much time went is not asked again. */
const patienceMs = 20_000;

/** Asks SQLite and each server's database the same by turns, warm, with the time to fetch the rows; medians. */
export async function raceQuery(
  name: string,
  query: WorkloadQuery,
  sample: Database.Database,
  variants: pg.Client[],
): Promise<RacedQuery> {
  const statement = sample.prepare(query.sqlite).raw();
  const sqlite: number[] = [];
  const servers = variants.map((client) => ({ client, times: [] as number[], failed: "" }));
  const began = performance.now();
  let rows = 0;
  for (let repeat = 0; repeat <= repeats && performance.now() - began < patienceMs; repeat += 1) {
    const start = performance.now();
    rows = statement.all().length;
    sqlite.push(performance.now() - start);
    for (const server of servers) {
      if (server.failed !== "") continue;
      const asked = performance.now();
      server.failed = await ask(server.client, query.timescale, rows);
      server.times.push(performance.now() - asked);
    }
  }
  const note = servers.find(({ failed }) => failed !== "")?.failed;
  return {
    ...{ name, rows, sqliteMs: warmMedian(sqlite) },
    timescaleMs: servers.map(({ times, failed }) => (failed === "" ? warmMedian(times) : null)),
    ...(note === undefined ? {} : { note }),
  };
}

/** Asks once, and says what was wrong with the answer; empty for nothing. */
async function ask(client: pg.Client, sql: string, rows: number): Promise<string> {
  try {
    const answer = await client.query({ text: sql, rowMode: "array" });
    return answer.rows.length === rows ? "" : `the server gave ${answer.rows.length} rows`;
  } catch (error) {
    if ((error as pg.DatabaseError).code === undefined) throw error;
    return `the server failed: ${(error as Error).message}`;
  }
}

function warmMedian(times: number[]): number {
  return median(times.length > 1 ? times.slice(1) : times);
}
