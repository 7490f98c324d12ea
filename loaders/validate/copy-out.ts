import type { Socket } from "node:net";
import type pg from "pg";
import { ReadingSocket } from "./reading-socket.ts";

/** Codes of the messages that a COPY brings. */
const copyData = 0x64;
const passed = new Set([0x48 /* CopyOutResponse */, 0x63 /* CopyDone */]);

/** Takes the payload of one CopyData message: the bytes from `start` to `end`, used again afterwards. */
export type TakeCopyData = (bytes: Buffer, view: DataView, start: number, end: number) => void;

interface PgConnection {
  stream: Socket;
  query(sql: string): void;
}

type Listener = (chunk: Buffer) => void;

/**
 * Runs `COPY … TO STDOUT` and takes its messages off the connection itself: as events and streams they cost more than
 * all the rest. They lie in one buffer that is used again and again.
 * @throws what the server says; what `take` throws, after which the connection is closed
 */
export function copyOut(client: pg.ClientBase, sql: string, take: TakeCopyData): Promise<void> {
  return new Promise((resolve, reject) => {
    client.query(new CopyOut(sql, take, resolve, reject) as unknown as pg.Submittable);
  });
}

/** A query in the form that pg's client runs: it calls the methods below when their messages come. */
class CopyOut {
  readonly #sql: string;
  readonly #take: TakeCopyData;
  readonly #resolve: () => void;
  readonly #reject: (error: Error) => void;
  #connection: PgConnection | undefined;
  #listeners: Listener[] = [];
  #bytes = Buffer.allocUnsafeSlow(256 * 1024);
  #view = new DataView(this.#bytes.buffer, this.#bytes.byteOffset, this.#bytes.byteLength);
  #filled = 0;
  #failure: Error | undefined;

  constructor(sql: string, take: TakeCopyData, resolve: () => void, reject: (error: Error) => void) {
    this.#sql = sql;
    this.#take = take;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  submit(connection: PgConnection): void {
    this.#connection = connection;
    this.#listeners = connection.stream.listeners("data") as Listener[];
    connection.stream.removeAllListeners("data");
    connection.stream.on("data", this.#hear);
    this.#lend(true);
    connection.query(this.#sql);
  }

  handleError(error: Error): void {
    this.#release();
    this.#reject(this.#failure ?? error);
  }

  handleReadyForQuery(): void {
    if (this.#failure) this.#reject(this.#failure);
    else this.#resolve();
  }

  handleCommandComplete(): void {}
  handleRowDescription(): void {}
  handleDataRow(): void {}
  handleEmptyQuery(): void {}

  readonly #hear = (chunk: Buffer): void => {
    try {
      this.#append(chunk);
      this.#parse();
    } catch (error) {
      this.#failure = error as Error;
      // What the server still sends would be waited for; nobody wants it.
      this.#connection?.stream.destroy();
      this.handleError(this.#failure);
    }
  };

  #append(chunk: Buffer): void {
    if (this.#filled + chunk.length > this.#bytes.length) {
      const grown = Buffer.allocUnsafeSlow(Math.max(this.#bytes.length * 2, this.#filled + chunk.length));
      this.#bytes.copy(grown, 0, 0, this.#filled);
      this.#bytes = grown;
      this.#view = new DataView(grown.buffer, grown.byteOffset, grown.byteLength);
    }
    this.#bytes.set(chunk, this.#filled);
    this.#filled += chunk.length;
  }

  #parse(): void {
    const bytes = this.#bytes;
    const view = this.#view;
    let at = 0;
    while (at + 5 <= this.#filled) {
      const kind = bytes[at] as number;
      const end = at + 1 + view.getInt32(at + 1);
      if (kind !== copyData && !passed.has(kind)) {
        // All others are for the client, and after them comes no more of ours.
        const rest = Buffer.from(bytes.subarray(at, this.#filled));
        this.#release(rest);
        return;
      }
      if (end > this.#filled) break;
      if (kind === copyData) this.#take(bytes, view, at + 5, end);
      at = end;
    }
    bytes.copyWithin(0, at, this.#filled);
    this.#filled -= at;
  }

  /** What is heard is copied at once, so the socket may use its buffer again. */
  #lend(lends: boolean): void {
    const stream = this.#connection?.stream;
    if (stream instanceof ReadingSocket) stream.lends = lends;
  }

  /** Gives the connection back to the client, with the bytes that it has to see. */
  #release(rest?: Buffer): void {
    const stream = this.#connection?.stream;
    if (!stream || this.#listeners.length === 0) return;
    stream.off("data", this.#hear);
    this.#lend(false);
    const listeners = this.#listeners;
    this.#listeners = [];
    for (const listener of listeners) {
      stream.on("data", listener);
      if (rest) listener(rest);
    }
  }
}
