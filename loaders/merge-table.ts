import type pg from "pg";
import { quoteIdentifier } from "./identifier.ts";
import type { ResolvedTable } from "./resolve-table.ts";
import type { TargetTable } from "./target-table.ts";

/** Rows of one table, staged, on their way into the target. All of it happens in the caller's transaction. */
export class Merge {
  readonly #client: pg.ClientBase;
  readonly #target: string;
  readonly #columns: string[];
  /** Columns that tell rows apart, null where the target has no such key (yet). */
  readonly #key: string[] | null;
  /** Columns of other unique keys, which TimescaleDB lets nobody update in a chunk of the columnstore. */
  readonly #unique: string[];
  /** The staging table as SQL. */
  readonly stage: string;
  /** Whether an update had to delete rows and insert them again, so that a cascade may have taken others along. */
  replacedRows = false;

  constructor(client: pg.ClientBase, resolved: ResolvedTable, table: TargetTable, number: number) {
    this.#client = client;
    this.#target = quoteIdentifier(resolved.target);
    this.#columns = resolved.columns.map((column) => column.target);
    this.#key = mergeKey(resolved, table);
    const unique = new Set(table.uniqueKeys.flat());
    this.#unique = this.#columns.filter((column) => unique.has(column) && !this.#key?.includes(column));
    this.stage = quoteIdentifier(`timelift_stage_${number}`);
  }

  /** Whether rows can be told apart; without a key the table is written anew. */
  get keyed(): boolean {
    return this.#key !== null;
  }

  /** Makes the staging table, which ends with the transaction. */
  async begin(): Promise<void> {
    await this.#client.query(
      `CREATE TEMP TABLE ${this.stage} ON COMMIT DROP AS SELECT ${this.#list()} FROM ${this.#target} WITH NO DATA`,
    );
  }

  /** Empties the staging table, for another range. */
  async restart(): Promise<void> {
    await this.#client.query(`TRUNCATE ${this.stage}`);
  }

  /** Lets the planner know how much was staged. */
  async staged(): Promise<void> {
    await this.#client.query(`ANALYZE ${this.stage}`);
  }

  /** Deletes target rows whose key the source no longer has. */
  async delete(): Promise<number> {
    return this.#run(
      `DELETE FROM ${this.#target} t WHERE NOT EXISTS (SELECT FROM ${this.stage} s WHERE ${this.#match()})`,
    );
  }

  /** Updates rows that differ in any byte (0 and -0, 1.0 and 1.00), json included. */
  async update(): Promise<number> {
    const free = this.#columns.filter(
      (column) => !this.#key?.includes(column) && !this.#unique.includes(column),
    );
    const moved = await this.#updateUnique();
    if (free.length === 0) return moved;
    return moved + (await this.#run(this.#updateSql(free)));
  }

  /** Rows whose other keys changed: updated, or, where TimescaleDB refuses that, deleted and inserted again. */
  async #updateUnique(): Promise<number> {
    if (this.#unique.length === 0) return 0;
    const differing = `${this.#match()} AND ${this.#differs(this.#unique)}`;
    const { rowCount } = await this.#client.query(
      `SELECT FROM ${this.#target} t JOIN ${this.stage} s ON ${differing} LIMIT 1`,
    );
    if (rowCount === 0) return 0;
    // The whole row, so that each counts once.
    const rest = this.#columns.filter((column) => !this.#key?.includes(column));
    await this.#client.query("SAVEPOINT timelift_update");
    try {
      const updated = await this.#run(`${this.#updateSql(rest)} AND ${this.#differs(this.#unique)}`);
      await this.#client.query("RELEASE timelift_update");
      return updated;
    } catch (error) {
      if ((error as { code?: string }).code !== "0A000") throw error;
      await this.#client.query("ROLLBACK TO timelift_update");
    }
    this.replacedRows = true;
    const again = this.#columns.map((column) => `s.${quoteIdentifier(column)}`).join(", ");
    return this.#run(
      `WITH moved AS (DELETE FROM ${this.#target} t USING ${this.stage} s WHERE ${differing} RETURNING ${again})
       INSERT INTO ${this.#target} (${this.#list()}) OVERRIDING SYSTEM VALUE SELECT ${this.#list()} FROM moved`,
    );
  }

  #updateSql(columns: string[]): string {
    const set = columns
      .map((column) => `${quoteIdentifier(column)} = s.${quoteIdentifier(column)}`)
      .join(", ");
    return `UPDATE ${this.#target} t SET ${set} FROM ${this.stage} s WHERE ${this.#match()} AND ${this.#differs(columns)}`;
  }

  #differs(columns: string[]): string {
    const row = (alias: string) =>
      `ROW(${columns.map((column) => `${alias}.${quoteIdentifier(column)}`).join(", ")})`;
    return `record_image_ne(${row("t")}, ${row("s")})`;
  }

  /** Inserts rows whose key the target does not have. */
  async insert(): Promise<number> {
    return this.#run(
      `INSERT INTO ${this.#target} (${this.#list()}) OVERRIDING SYSTEM VALUE
       SELECT ${this.#list()} FROM ${this.stage} s WHERE NOT EXISTS (SELECT FROM ${this.#target} t WHERE ${this.#match()})`,
    );
  }

  /** Without a key: writes the table anew and counts what came and went. */
  async replace(): Promise<{ inserted: number; deleted: number }> {
    const row = `ROW(${this.#list()})::text`;
    const count = async (a: string, b: string) => {
      const { rows } = await this.#client.query<{ count: string }>(
        `SELECT count(*) FROM (SELECT ${row} FROM ${a} EXCEPT ALL SELECT ${row} FROM ${b}) differing`,
      );
      return Number(rows[0]?.count);
    };
    const inserted = await count(this.stage, this.#target);
    const deleted = await count(this.#target, this.stage);
    if (inserted + deleted === 0) return { inserted, deleted };
    await this.#client.query(`DELETE FROM ${this.#target}`);
    await this.#client.query(
      `INSERT INTO ${this.#target} (${this.#list()}) OVERRIDING SYSTEM VALUE SELECT ${this.#list()} FROM ${this.stage}`,
    );
    return { inserted, deleted };
  }

  #list(): string {
    return this.#columns.map(quoteIdentifier).join(", ");
  }

  #match(): string {
    return (this.#key ?? [])
      .map((name) => `t.${quoteIdentifier(name)} = s.${quoteIdentifier(name)}`)
      .join(" AND ");
  }

  async #run(sql: string): Promise<number> {
    return (await this.#client.query(sql)).rowCount ?? 0;
  }
}

/** The primary key, else a unique index, whose columns are all loaded and never NULL. */
function mergeKey(resolved: ResolvedTable, table: TargetTable): string[] | null {
  const loaded = new Set(resolved.columns.map((column) => column.target));
  const nullable = new Set(table.columns.filter((column) => column.nullable).map((column) => column.name));
  return (
    table.uniqueKeys.find(
      (key) => key.length > 0 && key.every((name) => loaded.has(name) && !nullable.has(name)),
    ) ?? null
  );
}
