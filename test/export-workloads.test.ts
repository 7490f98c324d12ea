import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { afterEach, describe, expect, test } from "vitest";
import { buildSample as buildForwardFactor } from "../cli/sample/forward-factor.ts";
import { buildSample as buildStockula } from "../cli/sample/stockula.ts";
import { type ExportEvent, type RunExportArgs, runExport } from "../loaders/export/run-export.ts";
import { returningLoader } from "../loaders/reverse/returning-loader.ts";
import { planSource } from "../loaders/source/scan-source.ts";
import { renderCheck } from "../loaders/validate/render-lines.ts";
import { DeployedWorkload } from "./deployed-workload.ts";
import { fileRows, fileSchema } from "./file-rows.ts";
import { buildIotSource } from "./iot-source.ts";

/** What does not come back as it was, by table. */
const notKept = {
  stockula: {
    // The target has none; they are numbered anew.
    ...{ price_history: ["id"], dividends: ["id"], splits: ["id"] },
    // jsonb keeps neither blanks nor the order of keys.
    ...{ stock_info: ["info_json"], strategy_presets: ["parameters_json"] },
  },
  "forward-factor": {},
} as const;
const builders = { stockula: buildStockula, "forward-factor": buildForwardFactor };
type Name = keyof typeof builders;

const open: DeployedWorkload[] = [];
afterEach(async () => {
  for (const at of open.splice(0)) await at.remove();
});

async function deploy(name: Name, source?: string): Promise<DeployedWorkload> {
  const at = await DeployedWorkload.make({ name, path: "", options: {} }, "apache");
  open.push(at);
  if (source === undefined) await builders[name](at.source);
  const more = source === undefined ? {} : { source };
  await at.migrate("before-load");
  await at.load(more);
  await at.migrate("after-load");
  return at;
}

function exportOf(at: DeployedWorkload, more: Partial<RunExportArgs> = {}) {
  const { name, loader } = at.workload;
  const file = join(at.folder, "export.db");
  return runExport({ workload: name, loader, file, target: at.target.connection, ...more });
}

const failing = ({ validation }: Awaited<ReturnType<typeof exportOf>>) =>
  validation.checks.filter(({ status }) => status !== "PASS").map((check) => renderCheck(check));

/** Digest of all rows of the target's tables. */
async function digests(at: DeployedWorkload): Promise<unknown[]> {
  const tables = Object.keys(at.workload.loader.tables);
  const sql = tables.map(
    (table) =>
      `SELECT '${table} ' || md5(coalesce(string_agg(t::text, '|' ORDER BY t::text COLLATE "C"), '')) FROM ${table} t`,
  );
  return at.target.column(sql.join(" UNION ALL "));
}

describe.each(Object.keys(builders) as Name[])("%s", (name) => {
  test("a load exported again is the source, and a load of it the same target", async () => {
    const at = await deploy(name);
    const report = await exportOf(at);
    expect(failing(report)).toEqual([]);
    expect(report.validation.status).toBe("PASS");
    expect(report.kept).toEqual([]);
    const file = join(at.folder, "export.db");
    expect(existsSync(`${file}.part`)).toBe(false);
    expect(fileSchema(file)).toEqual(fileSchema(at.source));
    const left = notKept[name] as unknown as Record<string, string[]>;
    expect(fileRows(file, left)).toEqual(fileRows(at.source, left));
    const again = await deploy(name, file);
    expect(await digests(again)).toEqual(await digests(at));
  });
});

/** One value of the exported file. */
function inFile(at: DeployedWorkload, sql: string): unknown {
  const file = new Database(join(at.folder, "export.db"), { readonly: true });
  try {
    return file.prepare(sql).raw(true).all();
  } finally {
    file.close();
  }
}

test("what an application wrote since, a second telegram chat too, is in the file and comes back from it", async () => {
  const at = await deploy("forward-factor");
  const { client } = at.target;
  await client.query(`
    INSERT INTO users (id, email, created_at, status, link_code)
      VALUES ('new', 'new@example.com', '2026-01-02 03:04:05.678901+00', 'active', 'code'),
             ('plain', NULL, '2026-01-02 03:04:05+00', 'active', NULL);
    INSERT INTO telegram_chats (id, user_id, chat_id, first_name, last_name, username, linked_at)
      VALUES ('c1', 'new', '77', 'Ann', 'Lee', 'ann', '2026-01-03 00:00:00+00'),
             ('c2', 'new', '78', 'Ann', NULL, 'ann2', '2026-01-04 00:00:00+00');
    INSERT INTO telegram_chats (id, user_id, chat_id, first_name, username, linked_at)
      SELECT 'second', user_id, '79', 'Second', 'second', now() FROM telegram_chats WHERE id = user_id ORDER BY id LIMIT 1;
    INSERT INTO signals SELECT 'late', ticker, as_of_ts + interval '1 microsecond', front_expiry, back_expiry, front_dte,
      back_dte, 'Infinity', '-0', 5e-324, -1.5, vol_point, NULL, '{"a":  [1, "\\u00e9"]}', 'late', NOT is_discovery, 7, provider
      FROM signals ORDER BY id LIMIT 1;
    INSERT INTO signal_user_decisions (id, signal_id, user_id, decision, decision_ts)
      VALUES ('d', 'late', 'new', 'placed', '2026-01-05 00:00:00+00');
    INSERT INTO ohlcv_bars VALUES ('b', 'SPY', '2026-01-05 00:00:00+00', 1.5, 2, 1, 1.25, 9007199254740993, '1min');
    DELETE FROM master_tickers WHERE ticker = (SELECT ticker FROM master_tickers ORDER BY ticker LIMIT 1);
    UPDATE user_settings SET ff_threshold = 0.3`);
  const report = await exportOf(at);
  expect(failing(report)).toEqual([]);
  expect(report.kept.map(({ sidecar, rows }) => [sidecar, rows])).toEqual([
    ["_timelift_ohlcv_bars", 1],
    ["_timelift_users", 1],
    ["_timelift_exact_signals", 1],
    ["_timelift_telegram_chats", 3],
  ]);
  expect(fileSchema(join(at.folder, "export.db"))).toEqual(fileSchema(at.source));
  expect(inFile(at, "SELECT * FROM users WHERE id = 'new'")).toEqual([
    ["new", "77", "new@example.com", null, "ann", "2026-01-02 03:04:05.678901", "active"],
  ]);
  expect(inFile(at, "SELECT created_at FROM users WHERE id = 'plain'")).toEqual([
    ["2026-01-02 03:04:05.000000"],
  ]);
  expect(
    inFile(
      at,
      "SELECT front_iv, typeof(back_iv), sigma_fwd, reason_codes, typeof(is_discovery), underlying_price FROM signals WHERE id = 'late'",
    ),
  ).toEqual([[Number.POSITIVE_INFINITY, "real", 5e-324, '{"a":  [1, "\\u00e9"]}', "integer", 7]]);
  expect(inFile(at, "SELECT link_code FROM _timelift_users")).toEqual([["code"]]);

  const file = join(at.folder, "export.db");
  const again = await deploy("forward-factor", file);
  const { schema } = planSource(file, at.workload.loader);
  await again.load({ source: file, loader: returningLoader(at.workload.loader, schema) });
  expect(await digests(again)).toEqual(await digests(at));
});

test("a price of today, a time finer than the source's and an adjusted close are in the file", async () => {
  const at = await deploy("stockula");
  await at.target.client.query(`
    INSERT INTO price_history (time, symbol, open, high, low, close, adjusted_close, volume)
      VALUES ('2026-01-05+00', 'AAPL', 1, 2, 0.5, 1.5, 1.25, 9007199254740993),
        ('2026-01-06+00', 'AAPL', 1, 2, 0.5, '-0', NULL, 5);
    UPDATE stock_info SET info = '{"b": "\u00e9", "a": [1.0, null]}' WHERE symbol = 'MSFT'`);
  const report = await exportOf(at);
  expect(failing(report)).toEqual([]);
  expect(report.kept.map(({ sidecar, rows }) => [sidecar, rows])).toEqual([
    ["_timelift_price_history", 1],
    ["_timelift_exact_price_history", 1],
  ]);
  expect(
    inFile(
      at,
      "SELECT date, open_price, typeof(open_price), CAST(volume AS TEXT), interval FROM price_history WHERE date = '2026-01-05'",
    ),
  ).toEqual([["2026-01-05", 1, "real", "9007199254740993", "1d"]]);
  expect(inFile(at, "SELECT info_json FROM stock_info WHERE symbol = 'MSFT'")).toEqual([
    ['{"a":[1.0,null],"b":"\\u00e9"}'],
  ]);
  expect(inFile(at, "SELECT count(DISTINCT id) = count(*), min(id) FROM price_history")).toEqual([[1, 1]]);
  expect(report.notes).toContainEqual(
    "numbered anew, in the order of their keys: price_history.id, dividends.id, splits.id",
  );
});

test("a file that is there is kept without --force, and no other than complete file gets the name", async () => {
  const at = await deploy("forward-factor");
  const file = join(at.folder, "export.db");
  writeFileSync(file, "mine");
  await expect(exportOf(at)).rejects.toMatchObject({ code: "export-file-exists" });
  expect(readFileSync(file, "utf8")).toBe("mine");

  const stop = new AbortController();
  const events = ({ kind }: ExportEvent) => kind === "written" && stop.abort(new Error("enough"));
  await expect(exportOf(at, { force: true, events, signal: stop.signal })).rejects.toThrow("enough");
  expect(readFileSync(file, "utf8")).toBe("mine");
  expect(existsSync(`${file}.part`)).toBe(false);

  expect((await exportOf(at, { force: true })).validation.status).toBe("PASS");
  expect(fileRows(file)).toEqual(fileRows(at.source));
});

test("without a record the schema comes from a file of the application; some tables alone can be written", async () => {
  const at = await deploy("forward-factor");
  await at.target.client.query("DELETE FROM timelift.source_record");
  await expect(exportOf(at)).rejects.toMatchObject({ code: "source-schema-unknown" });
  const report = await exportOf(at, { schemaFrom: at.source });
  expect(failing(report)).toEqual([]);
  expect(fileRows(join(at.folder, "export.db"))).toEqual(fileRows(at.source));

  const some = await exportOf(at, {
    schemaFrom: at.source,
    tables: ["users", "telegram_chats"],
    force: true,
  });
  expect(some.tables).toEqual({ users: 12, telegram_chats: 8 });
  expect(some.validation.status).toBe("PASS");
  await expect(exportOf(at, { tables: ["user"], force: true })).rejects.toMatchObject({
    code: "export-table-unknown",
    message: expect.stringContaining("users"),
  });
});

test("a workload kept elsewhere: columns merged back, numbers of time, a table without rowid", async () => {
  const path = join(import.meta.dirname, "workloads", "iot");
  const at = await DeployedWorkload.make({ name: "iot", path, options: {} }, "apache");
  open.push(at);
  buildIotSource(at.source, { days: 1 });
  await at.migrate("before-load");
  await at.load();
  await at.migrate("after-load");
  const report = await exportOf(at);
  expect(failing(report)).toEqual([]);
  expect(report.kept).toEqual([]);
  const file = join(at.folder, "export.db");
  const left = { devices: ["settings"] };
  expect(fileRows(file, left)).toEqual(fileRows(at.source, left));
  expect(fileSchema(file)).toEqual(fileSchema(at.source));

  // A second version of a device's firmware, and a mains-powered device with a battery, have no place there.
  await at.target.client.query(`
    INSERT INTO firmware_installs VALUES ('berlin-1', '0.9', '2025-02-01+00');
    UPDATE devices SET mains_powered = true WHERE device = 'berlin-2'`);
  const after = await exportOf(at, { force: true });
  expect(failing(after)).toEqual([]);
  expect(after.kept.map(({ sidecar, rows }) => [sidecar, rows])).toEqual([
    ["_timelift_devices", 1],
    ["_timelift_firmware_installs", 1],
  ]);
});
