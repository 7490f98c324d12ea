import { expect, test } from "vitest";
import { connect } from "../loaders/connection.ts";
import { requireServer, unsupportedServer } from "../migrations/edition.ts";
import { databaseFromTemplate } from "./postgres.ts";

test.each([
  [14, "2.19.3", "postgres-version", "PostgreSQL 14"],
  [19, "2.29.2", "postgres-version", "PostgreSQL 19"],
  [17, null, "timescaledb-missing", "timescaledb is not there"],
  [17, "2.16.1", "timescaledb-version", "TimescaleDB 2.16.1"],
  [15, "1.7.5", "timescaledb-version", "TimescaleDB 1.7.5"],
])("PostgreSQL %s with TimescaleDB %s is refused by name", (postgres, version, code, named) => {
  expect(unsupportedServer(postgres, version)).toMatchObject({
    code,
    problem: expect.stringContaining(named),
    remedy: expect.stringMatching(/./),
  });
});

test.each([
  [15, "2.17.2"],
  [17, "2.19.3"],
  [18, "2.29.2"],
  [18, "3.0.0"],
])("PostgreSQL %s with TimescaleDB %s will do", (postgres, version) => {
  expect(unsupportedServer(postgres, version)).toBeUndefined();
});

test("a server is asked which version and edition it is", async () => {
  const database = await databaseFromTemplate("supported");
  const client = await connect(database.owner, "test");
  try {
    expect(await requireServer(client, "apache")).toMatch(/^2\.\d+/);
    await expect(requireServer(client, "community")).rejects.toMatchObject({
      code: "edition-mismatch",
      remedy: "pulumi config set timelift:edition apache",
    });
  } finally {
    await client.end();
    await database.drop();
  }
});
