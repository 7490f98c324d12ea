import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { connect } from "../loaders/connection.ts";
import { SourceReader } from "../loaders/source/source-reader.ts";
import type { TableRead } from "../loaders/source/table-reader.ts";
import { ServerCast } from "../loaders/validate/server-cast.ts";
import { SourceSide } from "../loaders/validate/source-side.ts";
import { databaseFromTemplate, type TestDatabase } from "./postgres.ts";

const folder = mkdtempSync(join(tmpdir(), "timelift-threads-"));
const missing = join(folder, "missing.db");
const ticks: TableRead = {
  ...{ table: "ticks", rowid: "rowid", columns: [], primaryKey: [], where: null, watermark: null },
};
let database: TestDatabase;
beforeAll(async () => {
  database = await databaseFromTemplate("reader threads");
});
afterAll(async () => {
  await database?.drop();
  rmSync(folder, { recursive: true, force: true });
});

test("a reader whose thread is gone says so each time, and leaves nobody waiting", async () => {
  const reader = new SourceReader(missing);
  await expect(reader.count(ticks)).rejects.toThrow(/missing\.db/);
  await expect(reader.count(ticks)).rejects.toThrow("the reader thread ended");
  await expect(reader.count(ticks)).rejects.toThrow("the reader thread ended");
  await reader.close();
});

test("a reader is closed where its thread dies at that very moment", async () => {
  const reader = new SourceReader(missing);
  reader.start();
  await expect(reader.close()).resolves.toBeUndefined();
});

test("the validator's reader says that its thread is gone, too", async () => {
  const client = await connect(database.readonly, "test");
  try {
    const side = new SourceSide(missing, new ServerCast(client));
    await side.close();
    const nothing = { resolved: {}, key: null, claimed: null, upheld: null } as never;
    await expect(side.run(nothing, { kind: "tally" } as never)).rejects.toThrow(
      "thread that reads the source",
    );
  } finally {
    await client.end();
  }
});
