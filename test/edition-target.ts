import type pg from "pg";
import { type Connection, connect } from "../loaders/connection.ts";
import type { Edition } from "../migrations/edition.ts";
import { type MigrateRequest, type MigrateResult, migrate } from "../migrations/migrate.ts";
import type { Phase } from "../migrations/migration-files.ts";
import { communityDatabase, noCommunity } from "./community.ts";
import { databaseFromTemplate } from "./postgres.ts";

export const editions = ["apache", "community"] as const satisfies Edition[];

/** Why an edition cannot be tested here; undefined where it can. */
export function unavailable(edition: Edition): string | undefined {
  return edition === "community" ? noCommunity : undefined;
}

/** An empty database on a server of one edition. */
export class EditionTarget {
  readonly edition: Edition;
  /** As the owner of its tables. */
  readonly connection: Connection;
  readonly client: pg.Client;
  readonly #drop: () => Promise<void>;

  private constructor(
    edition: Edition,
    connection: Connection,
    client: pg.Client,
    drop: () => Promise<void>,
  ) {
    this.edition = edition;
    this.connection = connection;
    this.client = client;
    this.#drop = drop;
  }

  static async open(edition: Edition, name: string): Promise<EditionTarget> {
    if (edition === "community") {
      const { owner, client, drop } = await communityDatabase(name);
      return new EditionTarget(edition, owner, client, drop);
    }
    const database = await databaseFromTemplate(name);
    const client = await connect(database.owner, "test");
    return new EditionTarget(edition, database.owner, client, async () => {
      await client.end();
      await database.drop();
    });
  }

  drop(): Promise<void> {
    return this.#drop();
  }

  /** Brings a phase of a workload up, or to where `more` says. */
  migrate(
    workloadDir: string,
    phase: Phase,
    { context, ...more }: Partial<MigrateRequest> = {},
  ): Promise<MigrateResult> {
    return migrate(
      {
        ...{ target: this.connection, workloadDir, phase, ...more },
        context: { options: {}, ...context, edition: this.edition },
      },
      () => undefined,
    );
  }

  /** The first column of a query's rows. */
  async column<Value>(sql: string, values: unknown[] = []): Promise<Value[]> {
    const { rows } = await this.client.query({ text: sql, rowMode: "array", values });
    return rows.map((row: Value[]) => row[0] as Value);
  }
}
