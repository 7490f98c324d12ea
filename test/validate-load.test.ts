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

/** One change in a file of the loader: a line, and what it becomes. */
interface Edit {
  file: string;
  line: string;
  bug: string;
}

/** A bug, put into both ways in which the loader encodes a value, and the tables that must fail. */
const bugs: Record<string, { edits: Edit[]; failing: string[] }> = {
  "doubles lose their last bits": {
    edits: [
      {
        file: "encode/encode-number.ts",
        line: 'typeof value === "number" ? value : asDouble(value, "double precision")',
        bug: "Math.fround(Number(value))",
      },
      {
        file: "source/pages/field-writer.ts",
        line: "record.view.getFloat64(record.offsets[at] as number)",
        bug: "Math.fround(record.view.getFloat64(record.offsets[at] as number))",
      },
    ],
    failing: ["price_history", "dividends", "options_calls", "options_puts"],
  },
  "times are a microsecond late": {
    edits: [
      {
        file: "encode/encode-time.ts",
        line: "out.putInt32(lastLow | 0)",
        bug: "out.putInt32((lastLow + 1) | 0)",
      },
      {
        file: "source/pages/stored-time.ts",
        line: "last.low = (total - last.high * 2 ** 32) | 0",
        bug: "last.low = (total - last.high * 2 ** 32 + 1) | 0",
      },
    ],
    failing: Object.keys(loader.tables),
  },
  "every boolean is true": {
    edits: [
      { file: "encode/encode-number.ts", line: "truth ? 1 : 0", bug: "1" },
      { file: "source/pages/field-writer.ts", line: "stored === serial.one ? 1 : 0", bug: "1" },
    ],
    failing: ["options_calls", "options_puts", "strategies", "strategy_presets", "autots_models"],
  },
  "large integers are cut": {
    edits: [
      {
        file: "encode/encode-number.ts",
        line: "out.putInt64(whole)",
        bug: "out.putInt64(BigInt.asIntN(29, whole))",
      },
      {
        file: "source/pages/field-writer.ts",
        line: "out.putInt32(value | 0)",
        bug: "out.putInt32(value & 0x1fffffff)",
      },
    ],
    failing: ["price_history"],
  },
};

test("what the loader wrote passes", async () => {
  const { report, load } = await loadAndValidate();
  expect(report.checks.filter((check) => check.status !== "PASS")).toEqual([]);
  expect(report.status).toBe("PASS");
  expect(report.rows).toBe(load.rows);
});

test.each(Object.entries(bugs))("an encoder in which %s is found out", async (_name, { edits, failing }) => {
  const { report } = await loadAndValidate(edits);
  const failed = report.checks.filter(({ name, status }) => name.endsWith(" checksum") && status === "FAIL");
  expect(failed.map(({ name }) => name.replace(" checksum", ""))).toEqual(
    Object.keys(loader.tables).filter((table) => failing.includes(table)),
  );
});

async function loadAndValidate(edits: Edit[] = []) {
  const database = await databaseFromTemplate("validate_load");
  const copy = mkdtempSync(join(folder, "loader-"));
  try {
    const context = { options: options.parse({}) };
    const workloadDir = join(project, "migrations", "stockula");
    const phase = (name: "before-load" | "after-load") =>
      migrate({ target: database.owner, workloadDir, phase: name, context }, () => {});
    await phase("before-load");
    const load = await runLoadIn(copy, database, edits);
    // The checksums need no keys, and building them takes a while.
    if (edits.length === 0) await phase("after-load");
    const args = { workload: "stockula", loader, source, copyPath: join(copy, "copy.db") };
    const expectedFingerprint = load.fingerprint;
    return { load, report: await runValidation({ ...args, expectedFingerprint, target: database.readonly }) };
  } finally {
    await database.drop();
  }
}

/** Loads with a copy of the loader, into which bugs may be put, in a process of its own. */
async function runLoadIn(dir: string, database: TestDatabase, edits: Edit[]): Promise<LoadResult> {
  cpSync(join(project, "loaders"), join(dir, "loaders"), { recursive: true });
  cpSync(join(project, "package.json"), join(dir, "package.json"));
  symlinkSync(join(project, "node_modules"), join(dir, "node_modules"));
  for (const { file, line, bug } of edits) {
    const path = join(dir, "loaders", file);
    const text = readFileSync(path, "utf8");
    expect(text.includes(line), `${file} holds ${line}`).toBe(true);
    writeFileSync(path, text.replace(line, bug));
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
