import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import { afterAll, expect, test } from "vitest";
import type { EncodedColumn } from "../loaders/encode/row-encoder.ts";
import { digestPages, encodePages } from "../loaders/source/encode-pages.ts";
import { type Encoded, type EncodeJob, encodeParts } from "../loaders/source/encode-parts.ts";
import { openSource } from "../loaders/source/open-source.ts";
import { OutgoingBytes } from "../loaders/source/outgoing-bytes.ts";
import { pagedTable } from "../loaders/source/pages/paged-table.ts";
import { readSourceSchema } from "../loaders/source/source-schema.ts";
import { planRead } from "../loaders/source/table-read.ts";
import type { TargetType } from "../loaders/target-table.ts";

const folder = mkdtempSync(join(tmpdir(), "timelift-pages-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const path = join(folder, "app.db");

const plain: TargetType[] = [
  { kind: "text", length: null },
  { kind: "float8" },
  { kind: "int8" },
  { kind: "timestamptz", digits: 6 },
  { kind: "bool" },
];
const all: TargetType[] = [
  ...plain,
  { kind: "text", length: 3 },
  { kind: "int2" },
  { kind: "int4" },
  { kind: "float4" },
  { kind: "numeric", precision: null, scale: null },
  { kind: "numeric", precision: 12, scale: 2 },
  { kind: "timestamp", digits: 3 },
  { kind: "date" },
  { kind: "bytea" },
  { kind: "jsonb" },
  { kind: "uuid" },
];

/** Makes a source with one table `t`. */
function build(sql: string, pragmas = ""): void {
  rmSync(path, { force: true });
  const source = new Database(path);
  source.exec(pragmas);
  source.exec(sql);
  source.close();
}

/** Encodes table `t` both ways, every column to the same type. */
function bothWays(type: TargetType, more: Partial<EncodeJob> = {}) {
  const source = openSource(path);
  try {
    const { read, seed } = planRead(source, "t", {}, readSourceSchema(source));
    const columns = read.columns.map(
      ({ name }): EncodedColumn => ({
        ...{ source: name, target: name ?? "", type, nullable: true, reading: null, emptyIsNull: false },
      }),
    );
    const job: EncodeJob = {
      ...{ read, columns, order: [], range: {}, partRows: 70, seed, mostRejects: Number.POSITIVE_INFINITY },
      ...more,
    };
    const paged = pagedTable(source, read);
    if (paged === null) throw new Error("not read by pages");
    return {
      pages: collect(encodePages({ source, path, table: paged, outgoing: new OutgoingBytes() }, job)),
      values: collect(encodeParts(source, job)),
      table: paged,
      seed,
    };
  } finally {
    source.close();
  }
}

/** Bytes in hex, parts without their digests (each way has its own), rejects without their order of columns. */
function collect(encoded: Iterable<Encoded>) {
  const bytes: Buffer[] = [];
  const parts: object[] = [];
  const digests: string[] = [];
  for (const each of encoded) {
    if (each.kind === "rows") bytes.push(Buffer.from(each.bytes));
    if (each.kind !== "part") continue;
    const { digest, ...part } = each.part;
    digests.push(digest);
    parts.push({ ...part, rejects: each.rejects });
  }
  return { bytes: Buffer.concat(bytes).toString("hex"), parts, digests };
}

function expectSame(types: TargetType[], more: Partial<EncodeJob> = {}): void {
  for (const type of types) {
    const { pages, values } = bothWays(type, more);
    expect(pages.parts, JSON.stringify(type)).toEqual(values.parts);
    expect(pages.bytes, JSON.stringify(type)).toBe(values.bytes);
  }
}

const values = [
  "NULL",
  "0",
  "1",
  "-1",
  "127",
  "-129",
  "40000",
  "-8388609",
  "2147483648",
  "-2147483649",
  "140737488355328",
  "9007199254740993",
  "9223372036854775807",
  "-9223372036854775808",
  "1.0",
  "-0.0",
  "0.1",
  "1e300",
  "9e999",
  "''",
  "'a'",
  "'héllo'",
  "'日本語'",
  "'\u{1F600}'",
  "CAST(x'ff41' AS TEXT)",
  "CAST(x'410042' AS TEXT)",
  "'\uFFFD'",
  "x''",
  "x'00ff'",
  "'2024-02-29'",
  "'2023-02-29'",
  "'2024-02-29 10:11:12'",
  "'2024-02-29T10:11:12.5'",
  "'2024-02-29 10:11:12.123456'",
  "'2024-02-29 10:11:12.1234567'",
  "'2024-02-29 10:11:12.12x456'",
  "'2024-02-29 24:00:00'",
  "'2024-02-29 10:11:12Z'",
  "'2024-02-29 10:11:12+02:00'",
  "'0001-01-01'",
  "'9999-12-31 23:59:59.999999'",
  "'0000-01-01'",
  "'true'",
  "'12345'",
  "'1.50'",
  "'{\"a\": 1}'",
  "'6ba7b810-9dad-11d1-80b4-00c04fd430c8'",
];

test("every class of value becomes the same bytes, and the same rejects, as through SQLite", () => {
  build(
    `CREATE TABLE t (id INTEGER PRIMARY KEY, a, r REAL, n NUMERIC, s TEXT, i INTEGER, gen AS (i) STORED);
     ${values.map((value) => `INSERT INTO t (a, r, n, s, i) VALUES (${value}, ${value}, ${value}, ${value}, ${value});`).join("\n")}`,
  );
  expectSame(all);
});

test("rows longer than a page, at every page size", () => {
  for (const pageSize of [512, 1024, 4096, 65536]) {
    build(
      `CREATE TABLE t (a TEXT, b BLOB, c INTEGER);
       WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 300)
       INSERT INTO t SELECT replace(hex(zeroblob(i * i / 4)), '00', char(97 + i % 26)), zeroblob(i), i FROM n;
       INSERT INTO t VALUES (replace(hex(zeroblob(1500000)), '0', 'é'), NULL, 7);`,
      `PRAGMA page_size = ${pageSize}; PRAGMA auto_vacuum = ${pageSize === 1024 ? "FULL" : "NONE"};`,
    );
    expectSame([{ kind: "text", length: null }, { kind: "bytea" }]);
  }
});

test("rowids that are negative, far apart, deleted, or hidden by columns of that name", () => {
  build(
    `CREATE TABLE t (rowid TEXT, "_rowid_" REAL, v INTEGER);
     INSERT INTO t (oid, rowid, "_rowid_", v) VALUES (-9007199254740991, 'a', 1, 1), (-5, 'b', 2, 2), (0, 'c', 3, 3),
       (127, 'd', 4, 4), (128, 'e', 5, 5), (9007199254740991, 'f', 6, 6);
     WITH RECURSIVE n(i) AS (SELECT 1000 UNION ALL SELECT i + 1 FROM n WHERE i < 9000)
     INSERT INTO t (oid, rowid, v) SELECT i * 977, 'x' || i, i FROM n;
     DELETE FROM t WHERE v % 3 = 0; UPDATE t SET rowid = rowid || '-longer-than-before' WHERE v % 5 = 0;`,
  );
  expectSame(plain);
  for (const range of [{ lo: -5n }, { lo: -4n, hi: 127n }, { lo: 978000n, hi: 2000000n }, { hi: -6n }]) {
    expectSame([{ kind: "text", length: null }], { range });
  }
});

test("columns added later hold their default in older rows; a key of its own is no rowid", () => {
  build(
    `CREATE TABLE t (k INTEGER PRIMARY KEY DESC, a TEXT);
     INSERT INTO t VALUES (5, 'older'), (NULL, 'no key');
     ALTER TABLE t ADD COLUMN added TEXT DEFAULT 'é'; ALTER TABLE t ADD COLUMN real REAL DEFAULT 3;
     ALTER TABLE t ADD COLUMN later INTEGER; INSERT INTO t VALUES (9, 'newer', 'x', 4, 5);`,
  );
  expectSame(all);
});

test("random rows, in the order of their columns too", () => {
  let seed = 20240131;
  const random = (below: number) => {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    return Math.floor((seed / 2 ** 32) * below);
  };
  const columns = Array.from({ length: 140 }, (_, i) => `c${i} ${["", "REAL", "TEXT", "INTEGER"][i % 4]}`);
  const rows = Array.from(
    { length: 250 },
    () => `(${columns.map(() => values[random(values.length)]).join(", ")})`,
  );
  build(`CREATE TABLE t (${columns.join(", ")});
    ${rows.map((row) => `INSERT INTO t VALUES ${row};`).join("\n")}`);
  expectSame([{ kind: "text", length: null }, { kind: "float8" }]);

  build(`CREATE TABLE t (a TEXT, b INTEGER);
    ${rows.map((_, i) => `INSERT INTO t VALUES (${random(4) ? `'s${random(9)}'` : "NULL"}, ${i - 500});`).join("\n")}`);
  const { pages } = bothWays({ kind: "text", length: null }, { order: [0], partRows: 2000 });
  const inOrder = bothWays({ kind: "text", length: null }, { order: [0, 1], partRows: 2000 });
  expect(pages.bytes.length).toBe(inOrder.pages.bytes.length);
  expect(pages.parts).toEqual(inOrder.pages.parts);
});

test("rows are written in the order asked for: NULL first, numbers by value", () => {
  build("CREATE TABLE t (a INTEGER); INSERT INTO t VALUES (3), (-1), (NULL), (200), (-300), (0);");
  const { pages } = bothWays({ kind: "int8" }, { order: [0] });
  const bytes = Buffer.from(pages.bytes, "hex");
  const found: string[] = [];
  for (let at = 0; at < bytes.length; ) {
    const size = bytes.readInt32BE(at + 2);
    found.push(size < 0 ? "NULL" : String(bytes.readBigInt64BE(at + 6)));
    at += 6 + Math.max(size, 0);
  }
  expect(found).toEqual(["NULL", "-300", "-1", "0", "3", "200"]);
});

test("a digest holds for as long as the rows do, and names their range", () => {
  build(`CREATE TABLE t (a TEXT);
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 140) INSERT INTO t SELECT 'v' || i FROM n;`);
  const { pages, table, seed } = bothWays({ kind: "text", length: null });
  expect(pages.parts).toMatchObject([
    { lo: 1, hi: 70, rows: 70 },
    { lo: 71, hi: 140, rows: 70 },
  ]);
  const digest = () => digestPages(path, table, { lo: 71n, hi: 140n }, seed).digest;
  expect(digest()).toBe(pages.digests[1]);
  const source = new Database(path);
  source.exec("UPDATE t SET a = 'changed' WHERE rowid = 100");
  source.close();
  expect(digest()).not.toBe(pages.digests[1]);
});

test("a damaged tree is an error, not a crash or a loop", () => {
  build(`CREATE TABLE t (a TEXT);
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000) INSERT INTO t SELECT 'value ' || i FROM n;`);
  const source = openSource(path);
  const root = source.prepare("SELECT rootpage FROM sqlite_schema WHERE name = 't'").pluck().get() as bigint;
  source.close();
  const damaged = join(folder, "damaged.db");
  const original = readFileSync(path);
  for (const [offset, byte] of [
    [0, 99],
    [8, 0xff],
    [12, 0xff],
  ] as const) {
    const bytes = Buffer.from(original);
    bytes[(Number(root) - 1) * 4096 + offset] = byte;
    writeFileSync(damaged, bytes);
    const table = { root: Number(root), columns: [{ at: 0, real: false }], stored: 1 };
    expect(() => digestPages(damaged, table, {}, "seed")).toThrowError(/the file's structure is broken/);
  }
});
