import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { afterEach, beforeEach, expect, test } from "vitest";

const engine = join(import.meta.dirname, "..");
/** Outside of the project, where none of its packages is found. */
let path: string;
beforeEach(() => {
  path = mkdtempSync(join(tmpdir(), "timelift-elsewhere-"));
  mkdirSync(join(path, "migrations", "after-load"), { recursive: true });
});
afterEach(() => rmSync(path, { recursive: true }));

const write = (file: string, text: string) => writeFileSync(join(path, file), text);
const define = `import { defineLoader } from "${engine}/loaders/define-loader.ts";`;
const loader = `${define} export default defineLoader({ tables: { a: {} } });`;

/** Finds the workload, and what its migrations declare, in a Node of its own: the test runner's imports are not Node's. */
async function find(): Promise<{ tables?: string[]; code?: string; subject?: string; message?: string }> {
  const script = `
    import { findWorkload } from "${engine}/stacks/workload.ts";
    import { declaredObjects } from "${engine}/migrations/declared.ts";
    try {
      const { loader, migrationsDir, context } = await findWorkload({ name: "elsewhere", path: "${path}", options: {} });
      await declaredObjects(migrationsDir, context);
      console.log(JSON.stringify({ tables: Object.keys(loader.tables) }));
    } catch ({ code, subject, message }) {
      console.log(JSON.stringify({ code, subject, message }));
    }`;
  const { stdout } = await execa(process.execPath, ["--input-type=module", "--eval", script]);
  return JSON.parse(stdout);
}

test("a workload outside of the project is found, and does without any package", async () => {
  write("loader.ts", loader);
  expect(await find()).toEqual({ tables: ["a"] });
});

test.each([
  ["a package that is not there", 'import { z } from "zod";', /package 'zod'.*npm install/s],
  ["a path that leads nowhere", 'import { x } from "../loaders/x.ts";', /Cannot find module.*ends in \.ts/s],
  ["a mistake in the text", "const = 1;", /mend the file/],
  ["what only a compiler understands", "enum Kind { A }", /enum.*mend the file/s],
])("a loader with %s is named with the remedy", async (_what, line, message) => {
  write("loader.ts", `${line} ${loader}`);
  expect(await find()).toMatchObject({
    ...{ code: "workload-import", subject: join(path, "loader.ts") },
    message: expect.stringMatching(message),
  });
});

test("so is a migration", async () => {
  write("loader.ts", loader);
  write("migrations/after-load/0001_keys.ts", 'import { timescale } from "../timescale.ts";');
  expect(await find()).toMatchObject({
    ...{ code: "workload-import", subject: join(path, "migrations/after-load/0001_keys.ts") },
  });
});
