import type pg from "pg";
import { quoteIdentifier } from "../identifier.ts";
import { targetForm } from "./canonical-form.ts";
import { type ComparedTable, targetSql } from "./compared-table.ts";
import { describeRow, type FoundRow } from "./row-difference.ts";
import { equalSums, hashItem, type RowSum, RowTally, readSum, sumSql } from "./row-sum.ts";
import { md5Hex, md5Sql, rowText, rowTextSql } from "./row-text.ts";
import { type SourceRow, type SourceScan, sourceRowShown } from "./source-scan.ts";

/** Rows that are not the same on both sides. */
export interface DifferingRows {
  /** One line a row, the first ones found. */
  lines: string[];
  /** How many differ; no more than the limit, where `complete` is false. */
  found: number;
  /** False when the search stopped at the limit. */
  complete: boolean;
}

/** Rows of one key on both sides, as hashes of their texts. */
interface KeyRows {
  source: string[];
  target: string[];
}

const bucketDigits = 3;
const rowsInMemory = 200_000;

/**
 * Finds the rows that make two checksums differ. Both sides are added up again by buckets of the key's hash,
 * then only the buckets that differ are read, as hashes; the rows themselves come last, for the first few.
 * Memory stays bounded however many rows differ.
 */
export class RowSearch {
  readonly #table: ComparedTable;
  readonly #scan: SourceScan;
  readonly #client: pg.ClientBase;

  constructor(table: ComparedTable, scan: SourceScan, client: pg.ClientBase) {
    this.#table = table;
    this.#scan = scan;
    this.#client = client;
  }

  /** @param shown how many rows to describe @param limit how many differing rows to count before stopping */
  async find(shown: number, limit: number): Promise<DifferingRows> {
    const groups = await this.#differingBuckets();
    const keys = new Map<string, KeyRows>();
    let found = 0;
    let searched = 0;
    for (const group of groups) {
      if (found >= limit) break;
      searched += 1;
      for (const [key, rows] of await this.#members(group)) {
        const differing = differencesOf(rows);
        if (differing === 0) continue;
        found += differing;
        if (keys.size < shown) keys.set(key, rows);
      }
    }
    const lines = await this.#describe(keys);
    return { lines: lines.slice(0, shown), found, complete: searched === groups.length };
  }

  /** The buckets that differ, in groups that fit into memory. */
  async #differingBuckets(): Promise<string[][]> {
    const target = this.#targetSums();
    target.catch(() => undefined);
    const tallies = new Map<string, RowTally>();
    await this.#scan.each((row) => {
      const bucket = this.#keyHash(row).slice(0, bucketDigits);
      const tally = tallies.get(bucket) ?? new RowTally();
      tallies.set(bucket, tally);
      tally.add(rowText(row.fields));
    });
    const sums = await target;
    const groups: string[][] = [];
    let room = 0;
    for (const bucket of new Set([...tallies.keys(), ...sums.keys()])) {
      const ours = tallies.get(bucket)?.sum() ?? none;
      const theirs = sums.get(bucket) ?? none;
      if (equalSums(ours, theirs)) continue;
      const rows = ours.rows + theirs.rows;
      if (groups.length === 0 || room < rows) {
        groups.push([]);
        room = rowsInMemory;
      }
      groups.at(-1)?.push(bucket);
      room -= rows;
    }
    return groups;
  }

  async #targetSums(): Promise<Map<string, RowSum>> {
    const { rows } = await this.#client.query<{ bucket: string; rows: string; high: string; low: string }>(
      `SELECT bucket, ${sumSql}
       FROM (SELECT ${hashItem(this.#rowSql())}, left(${this.#keySql()}, ${bucketDigits}) AS bucket
             FROM ${targetSql(this.#table)}) AS hashed
       GROUP BY bucket`,
    );
    return new Map(rows.map((row) => [row.bucket, readSum(row)]));
  }

  async #members(buckets: string[]): Promise<Map<string, KeyRows>> {
    const wanted = new Set(buckets);
    const members = new Map<string, KeyRows>();
    const at = (key: string): KeyRows => {
      const rows = members.get(key) ?? { source: [], target: [] };
      members.set(key, rows);
      return rows;
    };
    const { rows } = await this.#client.query<{ key: string; hash: string }>(
      `SELECT key, hash
       FROM (SELECT ${this.#keySql()} AS key, ${md5Sql(this.#rowSql())} AS hash
             FROM ${targetSql(this.#table)}) AS hashed
       WHERE left(key, ${bucketDigits}) = ANY ($1)`,
      [buckets],
    );
    for (const { key, hash } of rows) at(key).target.push(hash);
    await this.#scan.each((row) => {
      const key = this.#keyHash(row);
      if (wanted.has(key.slice(0, bucketDigits))) at(key).source.push(md5Hex(rowText(row.fields)));
    });
    return members;
  }

  async #describe(keys: Map<string, KeyRows>): Promise<string[]> {
    if (keys.size === 0) return [];
    const source = Map.groupBy(await this.#sourceRows(keys), (row) => row.key);
    const target = Map.groupBy(await this.#targetRows([...keys.keys()]), (row) => row.key);
    return [...keys.keys()].flatMap((key) =>
      describeRow(this.#table, source.get(key) ?? [], target.get(key) ?? []),
    );
  }

  async #sourceRows(keys: Map<string, KeyRows>): Promise<FoundRow[]> {
    const found: FoundRow[] = [];
    await this.#scan.each((row) => {
      const key = this.#keyHash(row);
      if (!keys.has(key)) return;
      found.push({ key, fields: [...row.fields], shown: sourceRowShown(row) });
    });
    return found;
  }

  async #targetRows(keys: string[]): Promise<FoundRow[]> {
    const { columns } = this.#table.resolved;
    const fields = columns.map((column) => targetForm(column.target, column.type));
    const texts = columns.map((column) => `${quoteIdentifier(column.target)}::text`);
    const { rows } = await this.#client.query<{ key: string; fields: string[]; texts: (string | null)[] }>(
      `SELECT * FROM (SELECT ${this.#keySql()} AS key, ARRAY[${fields.join(", ")}]::text[] AS fields,
                             ARRAY[${texts.join(", ")}]::text[] AS texts
                      FROM ${targetSql(this.#table)}) AS found
       WHERE key = ANY ($1)
       LIMIT 1000`,
      [keys],
    );
    return rows.map(({ key, fields, texts }) => ({ key, fields, shown: texts }));
  }

  #keyHash(row: SourceRow): string {
    return md5Hex(rowText(this.#table.key.map((index) => row.fields[index] as string)));
  }

  #keySql(): string {
    const { columns } = this.#table.resolved;
    return md5Sql(rowTextSql(this.#table.key.flatMap((index) => columns[index] ?? [])));
  }

  #rowSql(): string {
    return rowTextSql(this.#table.resolved.columns);
  }
}

const none: RowSum = { rows: 0, high: 0n, low: 0n };

/** Rows of one key that have no equal on the other side; a changed row counts once. */
function differencesOf({ source, target }: KeyRows): number {
  const left = [...source];
  let unmatched = 0;
  for (const hash of target) {
    const at = left.indexOf(hash);
    if (at >= 0) left.splice(at, 1);
    else unmatched += 1;
  }
  return Math.max(left.length, unmatched);
}
