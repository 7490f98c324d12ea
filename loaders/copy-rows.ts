import type { Writable } from "node:stream";
import type pg from "pg";
import { from as copyFrom } from "pg-copy-streams";
import { copyHeader, copyTrailer } from "./encode/row-encoder.ts";
import { quoteIdentifier } from "./identifier.ts";

/** One binary COPY into a table, fed with encoded rows; the server's pace is the caller's. */
export class CopyRows {
  readonly #stream: Writable;
  #failed: Error | null = null;
  #fail: (error: Error) => void = () => {};

  /** @param table the target as SQL, quoted */
  constructor(client: pg.ClientBase, table: string, columns: string[]) {
    const list = columns.map(quoteIdentifier).join(", ");
    this.#stream = client.query(copyFrom(`COPY ${table} (${list}) FROM STDIN (FORMAT binary)`));
    this.#stream.on("error", (error) => {
      this.#failed = error;
      this.#fail(error);
    });
    this.#stream.write(copyHeader);
  }

  /** Resolves when the bytes are on their way. */
  write(bytes: Uint8Array): Promise<void> {
    return this.#settled((done) => this.#stream.write(bytes, done));
  }

  /** Resolves when the server has taken every row. */
  finish(): Promise<void> {
    return this.#settled((done) => this.#stream.end(copyTrailer, done));
  }

  /** A server error ends the stream without calling back, so both ways out are watched. */
  #settled(act: (done: (error?: Error | null) => void) => void): Promise<void> {
    if (this.#failed !== null) return Promise.reject(this.#failed);
    return new Promise((resolve, reject) => {
      this.#fail = reject;
      act((error) => (error ? reject(error) : resolve()));
    });
  }
}
