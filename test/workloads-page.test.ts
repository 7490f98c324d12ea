import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

const workload = join(import.meta.dirname, "workloads", "iot");
const page = readFileSync(join(import.meta.dirname, "..", "docs", "workloads.md"), "utf8");

/** Path in the workload's folder -> the code that the page shows of it. */
const shown = new Map(
  [...page.matchAll(/```ts\n\/\/ (\S+)\n([\s\S]*?)```/g)].map(([, path = "", code = ""]) => [path, code]),
);
const files = readdirSync(workload, { recursive: true, encoding: "utf8" }).filter((file) =>
  file.endsWith(".ts"),
);

test("docs/workloads.md shows every file of the workload", () => {
  expect([...shown.keys()].toSorted()).toEqual(files.toSorted());
});

test.each(files)("docs/workloads.md shows %s as it is", (file) => {
  expect(shown.get(file)).toBe(readFileSync(join(workload, file), "utf8"));
});
