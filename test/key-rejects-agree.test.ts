import { afterAll, beforeAll, expect, test } from "vitest";
import type { DeclaredKeys } from "../loaders/declared-keys.ts";
import { defineLoader, drop, epoch } from "../loaders/define-loader.ts";
import { runValidation } from "../loaders/validate/run-validation.ts";
import { LoadFixture } from "./load-fixture.ts";

let at: LoadFixture;
beforeAll(async () => {
  at = await LoadFixture.make("keys_agree");
}, 120_000);
afterAll(() => at?.remove());

const loader = defineLoader({
  tables: {
    child: { columns: { seen: { read: epoch("s"), empty: "null" } } },
    parent: { where: "code IS NOT 'hidden'", columns: { key: drop } },
  },
});
const unique = (...columns: string[]) => ({ columns, nulls: "distinct" as const });
const keys: DeclaredKeys[] = [
  { table: "parent", unique: [unique("code"), unique("at", "n")], references: [] },
  {
    ...{ table: "child", unique: [unique("id"), { columns: ["code", "seen"], nulls: "not distinct" }] },
    references: [
      { columns: ["code"], table: "parent", to: ["code"] },
      { columns: ["at", "n"], table: "parent", to: ["at", "n"] },
      { columns: ["up"], table: "child", to: ["id"] },
    ],
  },
];
const postgres = `
  CREATE TABLE parent (code text, at timestamptz, n bigint, amount numeric(8,2));
  CREATE TABLE child (id integer NOT NULL, code text, at timestamptz, n integer, seen timestamptz, up integer)`;
const build = `
  ALTER TABLE parent ADD UNIQUE (code), ADD UNIQUE (at, n);
  ALTER TABLE child ADD UNIQUE (id), ADD UNIQUE NULLS NOT DISTINCT (code, seen),
    ADD FOREIGN KEY (code) REFERENCES parent (code), ADD FOREIGN KEY (at, n) REFERENCES parent (at, n),
    ADD FOREIGN KEY (up) REFERENCES child (id)`;

const codes = ["'a'", "'A'", "'b'", "'c'", "'d'", "'hidden'", "NULL", "7"];
const times = [
  ...[
    "'2024-01-01'",
    "'2024-01-01 00:00:00'",
    "'2024-01-01T01:00:00+01:00'",
    "'2024-01-02'",
    "'2024-01-02 00:00:00.0'",
  ],
  ...["'2024-01-03 10:00'", "NULL", "'soon'", "1704067200"],
];
const numbers = ["1", "'1'", "1.0", "2", "'02'", "3", "NULL", "'x'"];
const seens = ["1704067200", "'1704067200'", "'2024-01-01'", "1704067200.5", "''", "NULL", "1704153600"];

/** The same numbers for the same seed. */
function randomFrom(seed: number) {
  let state = seed;
  return <T>(choices: T[]): T => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return choices[Math.floor((state / 2 ** 32) * choices.length)] as T;
  };
}

function sourceOf(seed: number): string {
  const pick = randomFrom(seed * 7919 + 1);
  const rows = (count: number, row: (i: number) => string) =>
    Array.from({ length: count }, (_, i) => `(${row(i)})`).join(", ");
  const withoutRowid = pick(["", "", " WITHOUT ROWID"]);
  const key = withoutRowid ? "key INTEGER PRIMARY KEY" : pick(["key INTEGER PRIMARY KEY", "key TEXT", "key"]);
  const index = pick([
    "",
    "CREATE INDEX by_code ON child (code);",
    "CREATE INDEX by_code ON child (code, seen);",
  ]);
  const parentIndex = pick([
    "",
    "CREATE INDEX code ON parent (code);",
    "CREATE INDEX moment ON parent (at, n);",
  ]);
  const number = pick(["INTEGER", "TEXT", ""]);
  return `
    CREATE TABLE parent (${key}, code TEXT${pick(["", " COLLATE NOCASE"])}, at TEXT, n ${number}, amount)${withoutRowid};
    INSERT INTO parent VALUES ${rows(7, (i) => [i + 1, pick(codes), pick(times), pick(numbers), pick(["1", "2.5", "'much'"])].join(", "))};
    CREATE TABLE child (id, code TEXT, at TEXT, n ${pick(["INTEGER", "TEXT", ""])}, seen ${pick(["INTEGER", "TEXT", ""])}, up);
    INSERT INTO child VALUES ${rows(16, (i) =>
      [
        pick([`${i + 1}`, `'${i + 1}'`, "1", "5"]),
        pick(codes),
        pick(times),
        pick(numbers),
        pick(seens),
        pick(["NULL", "NULL", "1", "3", "5", "99"]),
      ].join(", "),
    )};
    ${index} ${parentIndex}`;
}

test.each(Array.from({ length: Number(process.env.TIMELIFT_KEY_SEEDS ?? 12) }, (_, seed) => [seed]))(
  "random rows: what is loaded has its keys, and what is not, the validator finds fault with (seed %i)",
  async (seed) => {
    await at.fresh(sourceOf(seed), postgres);
    const given = { keys: async () => keys };
    await at.load(loader, { ...given, maxRejects: "100%" });
    await at.owner.query(build);
    const report = await runValidation({
      ...{ workload: at.args(loader).workload, loader: loader, source: at.source, copyPath: at.copyPath },
      ...{ expectedFingerprint: "", target: at.database.owner, thresholds: { rejectedRows: 100 }, ...given },
    });
    const failed = report.checks.filter(
      ({ status, name }) => status === "FAIL" && !name.endsWith("primary key"),
    );
    expect(failed).toEqual([]);
  },
);
