import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { buildSample as buildForwardFactor } from "../cli/sample/forward-factor.ts";
import { buildSample as buildStockula } from "../cli/sample/stockula.ts";
import { runExport } from "../loaders/export/run-export.ts";
import { runPython } from "./application/python.ts";
import { DeployedWorkload } from "./deployed-workload.ts";

let at: DeployedWorkload | undefined;
afterEach(() => at?.remove());

/** What the application's models find in a file that was exported from a fresh load. */
async function readBack(name: "stockula" | "forward-factor"): Promise<unknown> {
  at = await DeployedWorkload.make({ name, path: "", options: {} }, "apache");
  await (name === "stockula" ? buildStockula : buildForwardFactor)(at.source);
  await at.migrate("before-load");
  await at.load();
  await at.migrate("after-load");
  const folder = join(at.folder, "exported");
  mkdirSync(folder, { mode: 0o777 });
  const { loader } = at.workload;
  const target = at.target.connection;
  await runExport({ workload: name, loader, file: join(folder, "app.db"), target });
  return JSON.parse(await runPython("read_exported.py", "sqlite:////data/app.db", { folder, args: [name] }));
}

test("stockula's models read the exported file, and write to it", async () => {
  expect(await readBack("stockula")).toMatchObject({
    stocks: { kinds: { symbol: "str", created_at: "datetime" } },
    price_history: {
      rows: expect.any(Number),
      kinds: { id: "int", date: "date", open_price: "float", volume: "int", created_at: "datetime" },
    },
    options_calls: { kinds: { expiration_date: "date", in_the_money: "bool", strike: "float" } },
    added: true,
  });
});

test("forward-factor's models read the exported file", async () => {
  expect(await readBack("forward-factor")).toMatchObject({
    users: { rows: 12, kinds: { telegram_chat_id: "str", created_at: "datetime" } },
    signals: {
      rows: 6000,
      kinds: { as_of_ts: "datetime", front_expiry: "date", reason_codes: "list", is_discovery: "bool" },
    },
    signal_user_decisions: { rows: 800, kinds: { decision_ts: "datetime", decision_metadata: "dict" } },
  });
});
