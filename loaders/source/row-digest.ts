import { createHash, type Hash } from "node:crypto";
import { CopyBuffer } from "../encode/copy-buffer.ts";
import type { MappedColumn } from "../resolve-table.ts";
import type { SourceRow, TableRead } from "./table-reader.ts";

const flushBytes = 256 * 1024;

/**
 * Digest of raw source values, each with its SQLite class, so that 1, 1.0 and '1' differ.
 * `seed` says how the rows are read and where they go: another mapping is another digest.
 */
export class RowDigest {
  readonly #hash: Hash;
  readonly #bytes = new CopyBuffer(flushBytes * 2);
  /** Bytes digested; a measure of how large the rows are. */
  total = 0;

  constructor(seed: string) {
    this.#hash = createHash("sha256").update(seed);
  }

  /** Adds the values of a row, from `offset` on. */
  add(row: SourceRow, offset: number): void {
    const out = this.#bytes;
    const start = out.at;
    for (let i = offset; i < row.length; i++) {
      const value = row[i];
      out.reserve(16);
      if (typeof value === "string") {
        out.bytes[out.at++] = 3;
        out.putText(value);
      } else if (typeof value === "number") {
        out.bytes[out.at++] = 2;
        out.putFloat64(value);
      } else if (typeof value === "bigint") {
        out.bytes[out.at++] = 1;
        out.putInt64(value);
      } else if (value === null || value === undefined) {
        out.bytes[out.at++] = 0;
      } else {
        out.bytes[out.at++] = 4;
        out.putBytes(value);
      }
    }
    this.total += out.at - start;
    if (out.at >= flushBytes) this.#flush();
  }

  /** The digest, hex; nothing can be added afterwards. */
  finish(): string {
    this.#flush();
    return this.#hash.digest("hex").slice(0, 32);
  }

  #flush(): void {
    this.#hash.update(this.#bytes.bytes.subarray(0, this.#bytes.at));
    this.#bytes.at = 0;
  }
}

/** The seed of a table's digests. `columns` say where the columns read go, and how. */
export function digestSeed(target: string, read: TableRead, columns: MappedColumn[]): string {
  const ways = columns.map(({ target: to, reading, emptyIsNull }) =>
    reading === null && !emptyIsNull ? to : { to, reading, emptyIsNull },
  );
  const values = read.columns.map(({ name, expression }) => name ?? { expression });
  return JSON.stringify([target, read.table, values, ways, read.where, read.watermark]);
}
