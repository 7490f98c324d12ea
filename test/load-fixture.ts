import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import type pg from "pg";
import { connect } from "../loaders/connection.ts";
import type { LoaderDefinition } from "../loaders/define-loader.ts";
import { quoteIdentifier } from "../loaders/identifier.ts";
import type { LoadEvent } from "../loaders/load-event.ts";
import { type RunLoadArgs, runLoad } from "../loaders/run-load.ts";
import { scanSource } from "../loaders/source/scan-source.ts";
import { databaseFromTemplate, type TestDatabase } from "./postgres.ts";

/** A small SQLite file, a target database, and what it takes to load one into the other. */
export class LoadFixture {
  readonly folder: string;
  readonly source: string;
  readonly copyPath: string;
  readonly database: TestDatabase;
  /** The target, as its owner. */
  readonly owner: pg.Client;
  /** The ledger keeps workloads apart, so each fresh start is a workload of its own. */
  #workload = 0;

  private constructor(folder: string, database: TestDatabase, owner: pg.Client) {
    this.folder = folder;
    this.source = join(folder, "app.db");
    this.copyPath = join(folder, "state", "source.db");
    this.database = database;
    this.owner = owner;
  }

  static async make(name: string): Promise<LoadFixture> {
    const database = await databaseFromTemplate(name);
    const owner = await connect(database.owner, "test");
    await owner.query("SET TimeZone = 'UTC'");
    return new LoadFixture(mkdtempSync(join(tmpdir(), "timelift-load-")), database, owner);
  }

  async remove(): Promise<void> {
    await this.owner.end();
    await this.database.drop();
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** Runs SQL on the source, as the application would. */
  write(sql: string): void {
    const source = new Database(this.source);
    source.exec(sql);
    source.close();
  }

  /** Starts from a new source and an empty target. */
  async fresh(sqlite: string, postgres: string): Promise<void> {
    for (const suffix of ["", "-wal", "-shm", "-journal"]) rmSync(this.source + suffix, { force: true });
    this.write(sqlite);
    const { rows } = await this.owner.query<{ name: string }>(
      "SELECT relname AS name FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace",
    );
    for (const { name } of rows)
      await this.owner.query(`DROP TABLE IF EXISTS ${quoteIdentifier(name)} CASCADE`);
    await this.owner.query(postgres);
    this.#workload += 1;
  }

  args(loader: LoaderDefinition, more: Partial<RunLoadArgs> = {}): RunLoadArgs {
    const { source, copyPath } = this;
    return {
      workload: `test ${this.#workload}`,
      loader,
      source,
      copyPath,
      target: this.database.loader,
      ...more,
    };
  }

  load(loader: LoaderDefinition, more: Partial<RunLoadArgs> = {}) {
    return runLoad(this.args(loader, more));
  }

  scan(loader: LoaderDefinition, previous?: Awaited<ReturnType<typeof runLoad>>) {
    const { source, copyPath } = this;
    return scanSource({
      ...{ source, copyPath, loader },
      ...(previous ? { previous: previous.parts, previousFingerprint: previous.fingerprint } : {}),
    });
  }

  /** Runs SQL on the target as the loading role. */
  async asLoader(sql: string): Promise<void> {
    const client = await connect(this.database.loader, "test");
    try {
      await client.query(sql);
    } finally {
      await client.end();
    }
  }

  /** Rows of a query on the target, each as one text. */
  async rows(sql: string): Promise<string[]> {
    const { rows } = await this.owner.query({ text: sql, rowMode: "array" });
    return rows.map((row: unknown[]) => row.map(String).join(" "));
  }
}

/** Collects the events of a load. */
export function recorder(): { seen: LoadEvent[]; events: (event: LoadEvent) => void } {
  const seen: LoadEvent[] = [];
  return { seen, events: (event) => void seen.push(event) };
}
