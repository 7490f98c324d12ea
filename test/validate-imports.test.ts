import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { expect, test } from "vitest";

const loaders = resolve(import.meta.dirname, "..", "loaders");

/** Every module that `file` leads to, with the module that imports it. */
function reachableFrom(
  file: string,
  importer: string,
  found = new Map<string, string>(),
): Map<string, string> {
  if (found.has(file)) return found;
  found.set(file, importer);
  const text = readFileSync(file, "utf8");
  for (const [, specifier] of text.matchAll(/(?:from|import|new URL)\s*\(?\s*"(\.[^"]+\.ts)"/g)) {
    reachableFrom(join(dirname(file), specifier ?? ""), file, found);
  }
  return found;
}

const starts = readdirSync(join(loaders, "validate"), { recursive: true, encoding: "utf8" })
  .filter((name) => name.endsWith(".ts"))
  .map((name) => join(loaders, "validate", name));
const reached = new Map(starts.flatMap((start) => [...reachableFrom(start, start)]));
const names = [...reached.keys()].map((file) => relative(loaders, file));

test("the validator reaches no module of the encoder, the reader or the writer", () => {
  const forbidden = names.filter((name) =>
    /^encode\/|source\/pages|reader|worker|copy-rows|merge-|ledger|run-load/.test(name),
  );
  expect(forbidden).toEqual([]);
});

test("the walk sees what the validator does import", () => {
  expect(names).toContain(join("source", "open-source.ts"));
  expect(names).toContain("resolve-table.ts");
  expect(names).toContain(join("validate", "canonical-number.ts"));
});
