import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import type pg from "pg";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Connection, connect } from "../loaders/connection.ts";
import {
  append,
  defineLoader,
  drop,
  type LoaderDefinition,
  type TableDefinition,
} from "../loaders/define-loader.ts";
import { runLoad } from "../loaders/run-load.ts";
import { columnstoreAges } from "../migrations/declared.ts";
import type { Edition } from "../migrations/edition.ts";
import { type MigrateResult, migrate } from "../migrations/migrate.ts";
import { listMigrations, phases } from "../migrations/migration-files.ts";
import { renderUp } from "../migrations/render.ts";
import { type CommunityDatabase, communityDatabase, noCommunity } from "./community.ts";
import { databaseFromTemplate } from "./postgres.ts";

const vocabulary = join(import.meta.dirname, "..", "migrations");
const day = 86_400_000;

const columns: TableDefinition["columns"] = { id: drop, date: "time" };
const appending = defineLoader({ tables: { bars: { columns, change: append("id") } } });
const comparing = defineLoader({ tables: { bars: { columns } } });

let folder: string;
let source: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "timelift-columnstore-"));
  source = join(folder, "app.db");
  const imports = `import { timescale } from ${JSON.stringify(join(vocabulary, "timescale.ts"))};
import { days } from ${JSON.stringify(join(vocabulary, "interval.ts"))};`;
  const write = (phase: string, name: string, body: string) =>
    writeFileSync(
      join(folder, phase, `${name}.ts`),
      `${imports}\nexport const up = timescale((db) => { ${body} });\nexport const down = up.reverse;\n`,
    );
  symlinkSync(vocabulary, join(folder, "timelift"));
  for (const phase of phases) mkdirSync(join(folder, phase));
  write(
    "before-load",
    "0001_bars",
    `db.table("bars", { time: "timestamptz not null", symbol: "text not null", close: "double precision", volume: "bigint" });
     db.hypertable("bars", { time: "time", chunk: days(400) });`,
  );
  write(
    "before-load",
    "0002_columnstore",
    `db.columnstore("bars", { segmentBy: ["symbol"], orderBy: ["time desc"] });`,
  );
  write("after-load", "0001_key", `db.keys("bars", { primary: ["symbol", "time"] });`);
  write("after-load", "0002_policy", `db.columnstorePolicy("bars", { after: days(90) });`);
  const database = new Database(source);
  database.exec(
    "CREATE TABLE bars (id INTEGER PRIMARY KEY, symbol TEXT, date TEXT, close REAL, volume INTEGER)",
  );
  database.close();
});
afterEach(() => rmSync(folder, { recursive: true }));

type Bar = [symbol: string, date: string];

/** Bars of `count` days of a symbol, up to a day that lies `ago` days back. */
function bars(symbol: string, ago: number, count: number): Bar[] {
  const last = Math.floor(Date.now() / day) - ago;
  return Array.from({ length: count }, (_, i) => {
    return [symbol, new Date((last - count + 1 + i) * day).toISOString().slice(0, 10)];
  });
}

function insert(rows: Bar[]): void {
  const database = new Database(source);
  const add = database.prepare(
    "INSERT INTO bars (symbol, date, close, volume) VALUES (?, ?, abs(random() % 100000) / 7.0, random())",
  );
  database.transaction(() => {
    for (const row of rows) add.run(...row);
  })();
  database.close();
}

/** What the source holds, as the target should. */
function sourceRows(): string[] {
  const database = new Database(source, { readonly: true }).defaultSafeIntegers();
  const rows = database.prepare("SELECT symbol, date, close, volume FROM bars ORDER BY 1, 2").raw().all();
  database.close();
  return (rows as unknown[][]).map((row) => row.join(" "));
}

/** A target with the tables of before-load, its rows and chunks. */
class Target {
  readonly edition: Edition;
  readonly connection: Connection;
  readonly client: pg.Client;

  constructor(edition: Edition, connection: Connection, client: pg.Client) {
    this.edition = edition;
    this.connection = connection;
    this.client = client;
  }

  migrate(phase: (typeof phases)[number], to?: string | null): Promise<MigrateResult> {
    const { connection: target, edition } = this;
    return migrate({ target, workloadDir: folder, phase, to, context: { options: {}, edition } }, () => {});
  }

  async load({ partRows, loader = appending }: { partRows?: number; loader?: LoaderDefinition } = {}) {
    const copyPath = join(folder, "state", "copy.db");
    const columnstoreAfter = () => columnstoreAges(folder, { options: {} });
    expect(await columnstoreAfter()).toEqual({ bars: "90 days" });
    const target = this.connection;
    return runLoad({ workload: "bars", loader, source, copyPath, target, partRows, columnstoreAfter });
  }

  async column<Value>(sql: string): Promise<Value[]> {
    const { rows } = await this.client.query({ text: sql, rowMode: "array" });
    return rows.map((row: Value[]) => row[0] as Value);
  }

  rows(): Promise<string[]> {
    return this.column(
      `SELECT concat_ws(' ', symbol, to_char(time, 'YYYY-MM-DD'), close, volume)
       FROM bars ORDER BY symbol COLLATE "C", time`,
    );
  }

  /** Of each chunk, earliest first, whether it is in the columnstore. */
  chunks(): Promise<boolean[]> {
    return this.column(
      "SELECT is_compressed FROM timescaledb_information.chunks WHERE hypertable_name = 'bars' ORDER BY range_start",
    );
  }

  /** Rows that lie in batches of the columnstore. */
  async columnstoreRows(): Promise<number> {
    const stores = await this.column<string>(
      "SELECT compress_relid::text FROM _timescaledb_catalog.compression_settings WHERE compress_relid IS NOT NULL",
    );
    let rows = 0;
    for (const store of stores) {
      const [count] = await this.column<string>(`SELECT sum(_ts_meta_count) FROM ${store}`);
      rows += Number(count);
    }
    return rows;
  }
}

describe("on the Apache edition", () => {
  let database: Awaited<ReturnType<typeof databaseFromTemplate>>;
  let target: Target;
  beforeEach(async () => {
    database = await databaseFromTemplate("columnstore");
    target = new Target("apache", database.owner, await connect(database.owner, "test"));
  });
  afterEach(async () => {
    await target.client.end();
    await database.drop();
  });

  test("a columnstore is skipped in plain sight, up, down and up again, and the load is plain", async () => {
    const rendered = await Promise.all(
      phases.map(async (phase) => {
        const [file] = listMigrations(folder, phase).slice(-1);
        return renderUp(file as NonNullable<typeof file>, { options: {} });
      }),
    );
    const why = "skipped: the Apache edition of TimescaleDB has no columnstore";
    expect(rendered).toEqual([
      [`-- columnstore bars: ${why};`],
      [`-- columnstore policy bars: ${why} to move chunks to;`],
    ]);

    insert([...bars("a", 0, 900), ...bars("b", 0, 900)]);
    expect((await target.migrate("before-load")).up).toEqual(["0001_bars", "0002_columnstore"]);
    await target.load();
    expect((await target.migrate("after-load")).up).toEqual(["0001_key", "0002_policy"]);
    expect(await target.rows()).toEqual(sourceRows());
    expect(new Set(await target.chunks())).toEqual(new Set([false]));

    const { down } = await target.migrate("before-load", "0001_bars");
    expect(down).toEqual(["0002_policy", "0001_key", "0002_columnstore"]);
    expect((await target.migrate("before-load")).up).toEqual(["0002_columnstore"]);
    expect((await target.migrate("after-load")).up).toEqual(["0001_key", "0002_policy"]);
    expect(await target.rows()).toEqual(sourceRows());
  });

  test("migrations for the Community edition are refused before the first of them", async () => {
    const community = new Target("community", target.connection, target.client);
    await expect(community.migrate("before-load")).rejects.toMatchObject({
      code: "edition-mismatch",
      message: expect.stringContaining("runs the apache edition"),
    });
    expect(await target.column("SELECT to_regclass('bars')")).toEqual([null]);
  });
});

describe("on the Community edition", () => {
  let database: CommunityDatabase;
  let target: Target;
  beforeEach(async ({ skip }) => {
    if (noCommunity) return skip(noCommunity);
    database = await communityDatabase("columnstore");
    target = new Target("community", database.owner, database.client);
  });
  afterEach(() => database?.drop());

  test("old chunks end in the columnstore, the others as rows, and all goes down and up again", async () => {
    insert([...bars("a", 0, 900), ...bars("b", 0, 900), ...bars("c", 300, 600)]);
    await target.migrate("before-load");
    await target.load();
    expect(await target.rows()).toEqual(sourceRows());
    const chunks = await target.chunks();
    expect(chunks[0]).toBe(true);
    expect(chunks.at(-1)).toBe(false);
    const cutoff = await target.column<Date>(
      `SELECT min(range_start) FROM timescaledb_information.chunks
       WHERE hypertable_name = 'bars' AND range_end > now() - interval '90 days'`,
    );
    const recent = await target.column<string>(
      `SELECT count(*) FROM bars WHERE time >= '${cutoff[0]?.toISOString()}'`,
    );
    expect(Number(recent[0])).toBeGreaterThan(0);
    expect(await target.columnstoreRows()).toBe(2400 - Number(recent[0]));
    expect(chunks.filter((inColumnstore) => !inColumnstore).length).toBeLessThanOrEqual(2);

    await target.migrate("after-load");
    expect(await target.chunks()).toEqual(chunks);
    expect(await target.rows()).toEqual(sourceRows());
    const policies =
      "SELECT config->>'compress_after' FROM timescaledb_information.jobs WHERE hypertable_name = 'bars'";
    expect(await target.column(policies)).toEqual(["90 days"]);
    const again = "INSERT INTO bars SELECT * FROM bars WHERE symbol = 'b' ORDER BY time LIMIT 1";
    await expect(target.client.query(again)).rejects.toMatchObject({ code: "23505" });

    await target.migrate("before-load", "0001_bars");
    expect(new Set(await target.chunks())).toEqual(new Set([false]));
    expect(await target.column(policies)).toEqual([]);
    expect(await target.rows()).toEqual(sourceRows());
    expect((await target.migrate("before-load")).up).toEqual(["0002_columnstore"]);
    expect((await target.migrate("after-load")).up).toEqual(["0001_key", "0002_policy"]);
    expect(await target.rows()).toEqual(sourceRows());
  });

  test("a key added after a direct load finds rows that are there twice", async () => {
    insert([...bars("a", 300, 600), ...bars("a", 400, 1)]);
    await target.migrate("before-load");
    await target.load();
    expect((await target.chunks())[0]).toBe(true);
    await expect(target.migrate("after-load")).rejects.toMatchObject({
      code: "migration-failed",
      message: expect.stringContaining("23505"),
    });
  });

  test("rows that come back to an earlier time are sorted by the server, and read in order", async () => {
    const all = bars("a", 500, 2200);
    insert([
      ...all.filter((_, i) => i % 2 === 0),
      ...all.filter((_, i) => i % 2 === 1),
      ...bars("b", 500, 900),
    ]);
    await target.migrate("before-load");
    await target.load({ partRows: 1100 });
    expect(await target.columnstoreRows()).toBe(3100);
    const latestFirst = "SELECT to_char(time, 'YYYY-MM-DD') FROM bars WHERE symbol = 'a' ORDER BY time DESC";
    const dates = await target.column<string>(latestFirst);
    expect(dates).toEqual(all.map(([, date]) => date).reverse());
    expect(await target.rows()).toEqual(sourceRows());
  });

  test("a later load adds its rows to chunks that are there", async () => {
    insert(bars("a", 300, 600));
    await target.migrate("before-load");
    await target.load();
    await target.migrate("after-load");
    insert([...bars("b", 300, 600), ...bars("a", 0, 300)]);
    const { tables } = await target.load();
    expect(tables.bars).toMatchObject({ inserted: 900, rows: 1500 });
    expect(await target.rows()).toEqual(sourceRows());
  });

  test("updates and deletes reach rows in the columnstore", async () => {
    insert([...bars("a", 300, 600), ...bars("b", 300, 600)]);
    await target.migrate("before-load");
    await target.load({ loader: comparing, partRows: 400 });
    await target.migrate("after-load");
    expect(await target.columnstoreRows()).toBeGreaterThan(800);
    const database = new Database(source);
    database.exec(`UPDATE bars SET volume = 7 WHERE symbol = 'a' AND id % 100 = 3;
      DELETE FROM bars WHERE symbol = 'a' AND id % 100 = 5`);
    database.close();
    await target.client.query(
      `ALTER DATABASE ${target.connection.database} SET timescaledb.max_tuples_decompressed_per_dml_transaction = 10`,
    );
    const { tables } = await target.load({ loader: comparing, partRows: 400 });
    expect(tables.bars).toMatchObject({ rows: 1194, updated: 6, deleted: 6 });
    expect(await target.rows()).toEqual(sourceRows());
  });

  test("few rows a segment and chunk stay rows, for the policy", async () => {
    insert(Array.from({ length: 60 }, (_, i) => bars(`s${i}`, 300, 20)).flat());
    await target.migrate("before-load");
    await target.load();
    expect(new Set(await target.chunks())).toEqual(new Set([false]));
    expect(await target.rows()).toEqual(sourceRows());
  });

  test("a table that has its key already is loaded as rows", async () => {
    insert(bars("a", 300, 600));
    await target.migrate("before-load");
    await target.migrate("after-load", "0001_key");
    await target.load();
    expect(new Set(await target.chunks())).toEqual(new Set([false]));
    expect(await target.rows()).toEqual(sourceRows());
  });

  test("a way back that was interrupted goes on where it was", async () => {
    insert(bars("a", 300, 1000));
    await target.migrate("before-load");
    await target.load();
    expect((await target.chunks()).length).toBeGreaterThan(1);
    const [first] = await target.column<string>("SELECT show_chunks('bars')::text LIMIT 1");
    await target.client.query(`CALL convert_to_rowstore('${first}')`);
    expect(new Set(await target.chunks())).toEqual(new Set([true, false]));
    await target.migrate("before-load", "0001_bars");
    expect(new Set(await target.chunks())).toEqual(new Set([false]));
    expect(await target.rows()).toEqual(sourceRows());
  });

  test("migrations for the Apache edition are refused before the first of them", async () => {
    const apache = new Target("apache", target.connection, target.client);
    await expect(apache.migrate("before-load")).rejects.toMatchObject({
      code: "edition-mismatch",
      message: expect.stringContaining("pulumi config set timelift:edition community"),
    });
  });
});
