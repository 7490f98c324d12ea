import { afterAll, beforeAll, expect, test } from "vitest";
import { targetDefault } from "../loaders/inspect/column-default.ts";
import { LoadFixture } from "./load-fixture.ts";

let at: LoadFixture;
beforeAll(async () => {
  at = await LoadFixture.make("defaults");
});
afterAll(() => at?.remove());

test.each([
  ["CURRENT_TIMESTAMP", "timestamptz", "now()"],
  ["(datetime('now'))", "timestamptz", "now()"],
  ["(datetime('now','localtime'))", "timestamptz", "now()"],
  ["(strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))", "timestamptz", "now()"],
  ["(unixepoch())", "timestamptz", "now()"],
  ["(CAST(strftime('%s', 'now') AS INTEGER))", "bigint", "floor(extract(epoch from now()))::bigint"],
  ["(unixepoch('now') * 1000)", "bigint", "floor(extract(epoch from now()) * 1000)::bigint"],
  ["CURRENT_DATE", "date", "(now() at time zone 'UTC')::date"],
  ["CURRENT_TIMESTAMP", "text", "to_char(now() at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS')"],
  ["0", "boolean", "false"],
  ["'t'", "boolean", "true"],
  ["F", "boolean", "false"],
  ["''", "text", "''"],
  [`"it's"`, "text", "'it''s'"],
  ["'0'", "bigint", "0"],
  ["-1.50", "numeric(10,2)", "-1.50"],
  ["'{}'", "jsonb", "'{}'"],
  ["x'00ff'", "bytea", "'\\x00ff'"],
  ["'1970-01-01 00:00:00'", "timestamptz", "'1970-01-01 00:00:00+00'"],
  ["(lower(hex(randomblob(4))))", "text", null],
  ["''", "bigint", null],
  ["(strftime('%W', 'now'))", "text", null],
  ["(datetime('now', '+1 day'))", "timestamptz", null],
  ["'current_timestamp'", "timestamptz", null],
])("a default %s is, for %s, %s", async (sqlite, type, expected) => {
  const { sql, note } = targetDefault(sqlite, type);
  expect(sql).toBe(expected);
  if (sql === null) expect(note).toBe(`no equal for default ${sqlite}`);
  else expect(await at.rows(`SELECT (${sql})::${type} IS NOT NULL`)).toEqual(["true"]);
});
