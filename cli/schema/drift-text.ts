import { renderDifferences } from "../../migrations/schema-diff.ts";
import type { SchemaDrift } from "../../migrations/schema-drift.ts";

/** A drift for people: the objects that differ, then what to know of the two sides. */
export function driftText({ objects, servers }: SchemaDrift): string[] {
  const lines = renderDifferences(objects);
  if (servers === undefined) return lines;
  return [
    ...lines,
    `(recorded by ${servers.recorded}, found by ${servers.now}: another version may word the same schema otherwise)`,
  ];
}
