import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, expect, test } from "vitest";
import { buildSample } from "../cli/sample/stockula.ts";
import type { LoadResult } from "../loaders/load-result.ts";
import { runValidation } from "../loaders/validate/run-validation.ts";
import loader, { options } from "../loaders/workloads/stockula.ts";
import { migrate } from "../migrations/migrate.ts";
import { databaseFromTemplate, type TestDatabase } from "./postgres.ts";

const project = join(import.meta.dirname, "..");
const folder = mkdtempSync(join(tmpdir(), "timelift-encoder-"));
const source = join(folder, "sample.db");

beforeAll(async () => {
  await buildSample(source);
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Where a bug is put into the encoder -> the line, what it becomes, and the tables that must fail. */
const bugs: Record<string, [file: string, line: string, bug: string, failing: string[]]> = {
  "doubles lose their last bits": [
    "encode-number.ts",
    'typeof value === "number" ? value : exactDouble(value, "double precision")',
    "Math.fround(Number(value))",
    ["price_history", "dividends", "options_calls", "options_puts"],
  ],
  "times are a microsecond late": [
    "encode-time.ts",
    "out.putInt32(lastLow | 0)",
    "out.putInt32((lastLow + 1) | 0)",
    Object.keys(loader.tables),
  ],
  "every boolean is true": [
    "encode-number.ts",
    "value === 1n ? 1 : 0",
    "1",
    ["options_calls", "options_puts", "strategies", "strategy_presets", "autots_models"],
  ],
  "large integers are cut": [
    "encode-number.ts",
    "out.putInt64(whole)",
    "out.putInt64(BigInt.asIntN(29, whole))",
    ["price_history"],
  ],
};

test("what the loader wrote passes", async () => {
  const { report, load } = await loadAndValidate();
  expect(report.checks.filter((check) => check.status !== "PASS")).toEqual([]);
  expect(report.status).toBe("PASS");
  expect(report.rows).toBe(load.rows);
});

test.each(Object.entries(bugs))(
  "an encoder in which %s is found out",
  async (_name, [file, line, bug, failing]) => {
    const { report } = await loadAndValidate({ file, line, bug });
    const failed = report.checks.filter(
      ({ name, status }) => name.endsWith(" checksum") && status === "FAIL",
    );
    expect(failed.map(({ name }) => name.replace(" checksum", ""))).toEqual(
      Object.keys(loader.tables).filter((table) => failing.includes(table)),
    );
  },
);

async function loadAndValidate(bug?: { file: string; line: string; bug: string }) {
  const database = await databaseFromTemplate("validate_load");
  const copy = mkdtempSync(join(folder, "loader-"));
  try {
    const context = { options: options.parse({}) };
    const workloadDir = join(project, "migrations", "stockula");
    const phase = (name: "before-load" | "after-load") =>
      migrate({ target: database.owner, workloadDir, phase: name, context }, () => {});
    await phase("before-load");
    const load = await runLoadIn(copy, database, bug);
    // The checksums need no keys, and building them takes a while.
    if (!bug) await phase("after-load");
    const args = { workload: "stockula", loader, source, copyPath: join(copy, "copy.db") };
    const expectedFingerprint = load.fingerprint;
    return { load, report: await runValidation({ ...args, expectedFingerprint, target: database.readonly }) };
  } finally {
    await database.drop();
  }
}

/** Loads with a copy of the loader, into which a bug may be put, in a process of its own. */
async function runLoadIn(
  dir: string,
  database: TestDatabase,
  bug?: { file: string; line: string; bug: string },
): Promise<LoadResult> {
  cpSync(join(project, "loaders"), join(dir, "loaders"), { recursive: true });
  cpSync(join(project, "package.json"), join(dir, "package.json"));
  symlinkSync(join(project, "node_modules"), join(dir, "node_modules"));
  if (bug) {
    const file = join(dir, "loaders", "encode", bug.file);
    const text = readFileSync(file, "utf8");
    expect(text).toContain(bug.line);
    writeFileSync(file, text.replace(bug.line, bug.bug));
  }
  const script = `
    import { text } from "node:stream/consumers";
    import { runLoad } from "./loaders/run-load.ts";
    import loader from "./loaders/workloads/stockula.ts";
    const args = JSON.parse(await text(process.stdin));
    console.log(JSON.stringify(await runLoad({ workload: "stockula", loader, ...args })));`;
  writeFileSync(join(dir, "load.ts"), script);
  const args = { source, copyPath: join(dir, "copy.db"), target: database.loader };
  const { stdout } = await execa(process.execPath, ["load.ts"], { cwd: dir, input: JSON.stringify(args) });
  return JSON.parse(stdout) as LoadResult;
}
