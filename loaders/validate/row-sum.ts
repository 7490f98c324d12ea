import { md5Bytes, md5Sql } from "./row-text.ts";

/** Rows, and the sum of both halves of their MD5s: equal when the same rows are there, in whatever order. */
export interface RowSum {
  rows: number;
  high: bigint;
  low: bigint;
}

/**
 * Adds up rows of the source. A sum, not an exclusive or: a doubled row would cancel itself out there.
 * Halves are signed 64-bit numbers, as PostgreSQL reads them.
 */
export class RowTally {
  #rows = 0;
  #high = 0n;
  #low = 0n;
  /** Sums of 32-bit quarters as doubles, exact for 2^20 rows; then they are carried over. */
  #quarters = [0, 0, 0, 0];
  #pending = 0;

  add(text: string): void {
    const bytes = md5Bytes(text);
    const quarters = this.#quarters as [number, number, number, number];
    quarters[0] += quarter(bytes, 0);
    quarters[1] += quarter(bytes, 4) >>> 0;
    quarters[2] += quarter(bytes, 8);
    quarters[3] += quarter(bytes, 12) >>> 0;
    this.#rows += 1;
    this.#pending += 1;
    if (this.#pending === 2 ** 20) this.#carry();
  }

  sum(): RowSum {
    this.#carry();
    return { rows: this.#rows, high: this.#high, low: this.#low };
  }

  #carry(): void {
    const [first, second, third, fourth] = this.#quarters.map(BigInt) as [bigint, bigint, bigint, bigint];
    this.#high += (first << 32n) + second;
    this.#low += (third << 32n) + fourth;
    this.#quarters = [0, 0, 0, 0];
    this.#pending = 0;
  }
}

/** Columns `rows`, `high` and `low` over a subquery that names a row's MD5 `hash`. */
export const sumSql = `count(*)::text AS rows,
  coalesce(sum(('x' || left(hash, 16))::bit(64)::bigint), 0)::text AS high,
  coalesce(sum(('x' || right(hash, 16))::bit(64)::bigint), 0)::text AS low`;

/**
 * A row's MD5 as a select item. The set-returning unnest keeps the planner from merging the subquery, which
 * would compute every hash once for each half; other fences would keep it from running in parallel.
 */
export function hashItem(text: string): string {
  return `unnest(ARRAY[${md5Sql(text)}]) AS hash`;
}

export function readSum(row: { rows: string; high: string; low: string }): RowSum {
  return { rows: Number(row.rows), high: BigInt(row.high), low: BigInt(row.low) };
}

export function equalSums(a: RowSum, b: RowSum): boolean {
  return a.rows === b.rows && a.high === b.high && a.low === b.low;
}

/** A sum as a person compares it: 32 hex digits. */
export function sumText({ high, low }: RowSum): string {
  return [high, low].map((half) => BigInt.asUintN(64, half).toString(16).padStart(16, "0")).join("");
}

function quarter(bytes: string, at: number): number {
  return (
    (bytes.charCodeAt(at) << 24) |
    (bytes.charCodeAt(at + 1) << 16) |
    (bytes.charCodeAt(at + 2) << 8) |
    bytes.charCodeAt(at + 3)
  );
}
