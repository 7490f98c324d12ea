import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import type { HypertableAdvice } from "../cli/advise/advice.ts";
import { type AdviseArgs, type AdvisedWorkload, adviseWorkload } from "../cli/advise/advise-workload.ts";
import { findWorkload, type Workload } from "../stacks/workload.ts";

const project = join(import.meta.dirname, "..");

/** A workload of one hypertable `bars`, by the columns and words of a test. */
export interface BarsWorkload {
  /** Words of `db` in the migration before the load. */
  chunk?: string;
  /** Type of the column `symbol`; varchar unless given. */
  symbol?: string;
  /** More words there, and after the load. */
  before?: string;
  after?: string;
  /** What the loader says of the table, in JavaScript. */
  table?: string;
  queries?: Record<string, string>;
}

/** Folders of a test file; `remove` takes them away. */
export class AdviseFixture {
  readonly folder = mkdtempSync(join(tmpdir(), "timelift-advise-test-"));
  #made = 0;

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** A source with the table `bars (id, symbol, date, close)`, or another, filled by SQL. */
  source(
    sql: string,
    table = "CREATE TABLE bars (id INTEGER PRIMARY KEY, symbol TEXT, date TEXT, close REAL)",
  ): string {
    const path = join(this.folder, `${this.#made++}.db`);
    const database = new Database(path);
    database.pragma("synchronous = off");
    database.exec(`${table}; ${sql}`);
    database.close();
    return path;
  }

  /** The same queries run on both engines. */
  workloadFolder({
    chunk = "days(30)",
    symbol = "varchar",
    before = "",
    after = "",
    table,
    queries = {},
  }: BarsWorkload): string {
    const folder = join(this.folder, `workload-${this.#made++}`);
    const write = (path: string, text: string) => writeFileSync(join(folder, path), text);
    for (const phase of ["before-load", "after-load"]) {
      mkdirSync(join(folder, "migrations", phase), { recursive: true });
    }
    symlinkSync(project, join(folder, "timelift"));
    const vocabulary = `import { days, months, years } from ${JSON.stringify(join(project, "migrations/interval.ts"))};
import { timescale } from ${JSON.stringify(join(project, "migrations/timescale.ts"))};
void [days, months, years];`;
    write(
      "loader.ts",
      `import { append, defineLoader, drop, epoch, julianDay } from ${JSON.stringify(join(project, "loaders/define-loader.ts"))};
void [append, epoch, julianDay];
export default defineLoader({
  tables: { ${table ?? "bars: { columns: { id: drop, date: 'time' } }"} },
  queries: ${JSON.stringify(Object.fromEntries(Object.entries(queries).map(([name, sql]) => [name, { sqlite: sql.replaceAll("time", "date"), timescale: sql }])))},
});\n`,
    );
    const migration = (words: string) =>
      `${vocabulary}\nexport const up = timescale((db) => {\n${words}\n});\nexport const down = up.reverse;\n`;
    write(
      "migrations/before-load/0001_bars.ts",
      migration(`db.table("bars", { time: "timestamptz not null", symbol: "${symbol} not null", close: "double precision" });
        db.hypertable("bars", { time: "time", chunk: ${chunk} }); ${before}`),
    );
    write(
      "migrations/after-load/0001_keys.ts",
      migration(after || 'db.keys("bars", { primary: ["symbol", "time"] });'),
    );
    return folder;
  }

  workload(words: BarsWorkload = {}): Promise<Workload> {
    return findWorkload({ name: "bars", path: this.workloadFolder(words), options: {} });
  }

  /** Advises on a source for the Community edition, unless told otherwise. */
  async advise(
    path: string,
    words: BarsWorkload = {},
    args: Partial<AdviseArgs> = {},
  ): Promise<AdvisedWorkload & { bars: HypertableAdvice }> {
    const workload = await this.workload(words);
    const advised = await adviseWorkload({
      ...{ workload, path, source: path, edition: "community", memoryMb: 2048, ...args },
    });
    return { ...advised, bars: advised.advice.hypertables[0] as HypertableAdvice };
  }
}

/**
 * SQL that fills `bars` with one row for each of `symbols` symbols on each of `days` days from 2020-01-01 on, in the
 * order of the days.
 */
export function daily(symbols: number, days: number): string {
  return `WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < ${symbols * days - 1})
    INSERT INTO bars (symbol, date, close)
    SELECT 's' || (i % ${symbols}), date('2020-01-01', (i / ${symbols}) || ' days'), (i * 7919 % 10007) / 7.0 FROM n`;
}
