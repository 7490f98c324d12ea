import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { describe, expect, test } from "vitest";
import { type Connection, connect } from "../loaders/connection.ts";
import type { Edition } from "../migrations/edition.ts";
import { migrate } from "../migrations/migrate.ts";
import { phases } from "../migrations/migration-files.ts";
import { diffSchemas, renderDifferences } from "../migrations/schema-diff.ts";
import { dumpSchema } from "../migrations/schema-dump.ts";
import { findWorkload } from "../stacks/workload.ts";
import { communityDatabase, noCommunity } from "./community.ts";
import { databaseFromTemplate } from "./postgres.ts";

const project = join(import.meta.dirname, "..");
const workloads = readdirSync(join(project, "migrations")).filter((name) =>
  existsSync(join(project, "migrations", name, "before-load")),
);

/** The schema that a workload's migrations make of an empty database, with the options that are the default. */
async function migrated(name: string, target: Connection, edition: Edition): Promise<string> {
  const { migrationsDir: workloadDir, context } = await findWorkload({ name, path: "", options: {} });
  for (const phase of phases) {
    await migrate({ target, workloadDir, phase, context: { ...context, edition } }, () => {});
  }
  const client = await connect(target, "test");
  try {
    return await dumpSchema(client);
  } finally {
    await client.end();
  }
}

/** Compares with the file, or writes it where TIMELIFT_WRITE_GOLDEN says so. */
function compare(name: string, edition: Edition, dump: string): void {
  const file = join(project, "migrations", name, `schema.${edition}.txt`);
  if (process.env.TIMELIFT_WRITE_GOLDEN) writeFileSync(file, dump);
  const rewrite = `TIMELIFT_WRITE_GOLDEN=1 ./timelift test test/schema-golden.test.ts writes ${relative(project, file)}`;
  if (!existsSync(file)) expect.fail(`there is no golden schema yet: ${rewrite}`);
  const differences = renderDifferences(diffSchemas(readFileSync(file, "utf8"), dump));
  if (differences.length > 0) {
    expect.fail(
      `the migrations make another schema (- golden, + made); if that is meant: ${rewrite}\n${differences.join("\n")}`,
    );
  }
}

test("there are workloads to compare", () => {
  expect(workloads).not.toEqual([]);
});

describe.each(workloads)("the schema of %s is the golden one", (name) => {
  test("on the Apache edition", async () => {
    const database = await databaseFromTemplate(`golden ${name}`);
    try {
      compare(name, "apache", await migrated(name, database.owner, "apache"));
    } finally {
      await database.drop();
    }
  });

  test("on the Community edition", async ({ skip }) => {
    if (noCommunity) return skip(noCommunity);
    const database = await communityDatabase("golden");
    try {
      compare(name, "community", await migrated(name, database.owner, "community"));
    } finally {
      await database.drop();
    }
  });
});
