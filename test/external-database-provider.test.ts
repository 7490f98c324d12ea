import { describe, expect, test } from "vitest";
import { check, diff } from "../stacks/resources/external-database-provider.ts";
import * as load from "../stacks/resources/sqlite-load-provider.ts";

const target = {
  host: "db.invalid",
  port: 5432,
  database: "app",
  tls: { mode: "verify-full" },
  external: true,
};
const users = { owner: "o", loader: "l", readonly: "r" };
const inputs = {
  ...{ target, users, passwords: { owner: "1", loader: "2", readonly: "3" }, edition: "apache" },
  workload: { name: "forward-factor", path: "", options: {} },
};

describe("an external database, without a connection", () => {
  test("shows in preview what will be asked for", async () => {
    const { inputs: planned, failures } = await check({}, inputs as never);
    expect(failures ?? []).toEqual([]);
    expect(planned.demand).toMatchObject({
      ...{ edition: "apache", guards: true },
      tables: expect.arrayContaining(["signals", "telegram_chats", "users"]),
      views: ["signals_daily_summary", "signals_hourly"],
    });
  });

  test("fails in preview for a certificate authority that is not there", async () => {
    const tls = { mode: "verify-full", rootCert: "/nowhere/ca.pem" };
    const { failures } = await check({}, { ...inputs, target: { ...target, tls } } as never);
    expect(failures).toMatchObject([
      { property: "target", reason: expect.stringContaining("/nowhere/ca.pem") },
    ]);
  });

  test("is asked again when place, login, password or demand changed, and only then", async () => {
    const { inputs: planned } = await check({}, inputs as never);
    const olds = { ...planned, version: "2.19.3", server: "", notes: [] } as never;
    const changes = async (more: object) =>
      (await diff("external", olds, { ...planned, ...more } as never)).changes;
    expect(await changes({})).toBe(false);
    expect(await changes({ target: { ...target, host: "other.invalid" } })).toBe(true);
    expect(await changes({ users: { ...users, loader: "x" } })).toBe(true);
    expect(await changes({ passwords: { owner: "1", loader: "2", readonly: "9" } })).toBe(true);
    expect(await changes({ demand: { ...planned.demand, tables: ["more"] } })).toBe(true);
  });

  test("elsewhere is loaded anew", async () => {
    const loaded = { fingerprint: "f", loaded: "f", mapping: "m", plan: {}, target, tables: [], held: [] };
    const changes = async (more: object) =>
      (await load.diff("load", loaded as never, { ...loaded, target: { ...target, ...more } } as never))
        .changes;
    expect(await changes({})).toBe(false);
    expect(await changes({ tls: { mode: "require" } })).toBe(false);
    for (const more of [{ host: "other.invalid" }, { port: 5433 }, { database: "other" }]) {
      expect(await changes(more)).toBe(true);
    }
  });
});
