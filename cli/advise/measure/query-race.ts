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
  /** By variant; null where the server refused it or gave another number of rows, which `note` says. */
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
  const servers = variants.map((): number[] => []);
  const notes = new Set<string>();
  const began = performance.now();
  let rows = 0;
  for (let repeat = 0; repeat <= repeats && performance.now() - began < patienceMs; repeat += 1) {
    const start = performance.now();
    rows = statement.all().length;
    sqlite.push(performance.now() - start);
    for (const [at, client] of variants.entries()) {
      try {
        const asked = performance.now();
        const answer = await client.query({ text: query.timescale, rowMode: "array" });
        servers[at]?.push(performance.now() - asked);
        if (answer.rows.length !== rows) notes.add(`the server gave ${answer.rows.length} rows`);
      } catch (error) {
        notes.add(`the server refused it: ${(error as Error).message}`);
      }
    }
  }
  const note = [...notes][0];
  return {
    ...{ name, rows, sqliteMs: warmMedian(sqlite) },
    timescaleMs: servers.map((times) =>
      note !== undefined || times.length === 0 ? null : warmMedian(times),
    ),
    ...(note === undefined ? {} : { note }),
  };
}

function warmMedian(times: number[]): number {
  return median(times.length > 1 ? times.slice(1) : times);
}
