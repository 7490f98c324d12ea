import { availableParallelism } from "node:os";
import type pg from "pg";
import { shareAdvisoryLock } from "./advisory-lock.ts";
import type { Connection } from "./connection.ts";
import type { LoadContext } from "./copy-table.ts";
import { readFreeConnections } from "./free-connections.ts";
import { loading } from "./load-lock.ts";
import { LoadSession } from "./load-session.ts";
import { SourceReader } from "./source/source-reader.ts";

/** Connections that stay free for everybody else. */
const spare = 5;
const mostByDefault = 4;

/**
 * How many lanes, each a connection with a reader thread, a load gets: as asked, else one for every two cores and at
 * most four, for a lane keeps a core of the server and half of one here busy. Never more than the server has
 * connections for.
 */
export async function laneCount(client: pg.ClientBase, asked: number | undefined): Promise<number> {
  const wanted = asked ?? Math.min(mostByDefault, Math.floor(availableParallelism() / 2));
  if (wanted <= 1) return 1;
  const free = await readFreeConnections(client);
  return Math.max(1, Math.min(wanted, 1 + free - spare));
}

/** A second way into the same load. */
export class LoadLane {
  readonly context: LoadContext;
  readonly #session: LoadSession;

  private constructor(context: LoadContext, session: LoadSession) {
    this.context = context;
    this.#session = session;
  }

  /** @param path the file that the load reads */
  static async open(main: LoadContext, target: Connection, path: string): Promise<LoadLane> {
    const session = await LoadSession.open(target);
    const { client } = session;
    await shareAdvisoryLock(client, loading).catch((error) => {
      session.break();
      throw error;
    });
    const abandon = () => session.abandon();
    const reader = new SourceReader(path);
    return new LoadLane({ ...main, client, abandon, reader, ledger: main.ledger.over(client) }, session);
  }

  /** Why the lane is of no use any more; null while it is. */
  get lost(): Error | null {
    return this.#session.lost;
  }

  break(): void {
    this.#session.break();
    void this.context.reader.close();
  }

  async end(): Promise<void> {
    await this.context.reader.close();
    await this.#session.end();
  }
}
