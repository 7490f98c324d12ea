import type { Socket } from "node:net";
import type pg from "pg";
import { type Connection, connect } from "./connection.ts";

/** A connection that loads. */
export class LoadSession {
  readonly client: pg.Client;
  #lost: Error | null = null;
  #abandoned = false;

  private constructor(client: pg.Client) {
    this.client = client;
    client.on("error", (error) => this.#lose(error));
    client.on("end", () => this.#lose(new Error("the server closed it")));
  }

  /** @throws TimeliftError as `connect` */
  static async open(target: Connection): Promise<LoadSession> {
    const session = new LoadSession(await connect(target, "load"));
    try {
      await session.#prepare();
      return session;
    } catch (error) {
      session.break();
      throw error;
    }
  }

  /** Why the connection is of no use any more; null while it is, and where it was abandoned. */
  get lost(): Error | null {
    if (!this.#socket.writable) this.#lose(new Error("the connection is closed"));
    return this.#lost;
  }

  /** Ends it at once, because of an error that is not the connection's: what that leaves of it is no loss. */
  abandon(): void {
    this.#abandoned = this.lost === null;
    this.break();
  }

  /** Ends it at once: the server sees the closed socket and rolls back. To wait for a statement could take minutes. */
  break(): void {
    this.#socket.destroy();
  }

  async end(): Promise<void> {
    await this.client.end().catch(() => {});
  }

  #lose(error: Error): void {
    if (!this.#abandoned) this.#lost ??= error;
  }

  /** The socket under a client; pg has no public name for it. */
  get #socket(): Socket {
    return (this.client as unknown as { connection: { stream: Socket } }).connection.stream;
  }

  async #prepare(): Promise<void> {
    // A crash of the server may lose the last parts, but with their ledger rows: the next load goes on before them.
    await this.client.query(
      "SET TimeZone = 'UTC'; SET client_min_messages = error; SET statement_timeout = 0; SET synchronous_commit = off",
    );
    // Lets the server notice a killed loader in the middle of a long statement; not every platform can.
    await this.client.query("SET client_connection_check_interval = '2s'").catch(() => {});
  }
}
