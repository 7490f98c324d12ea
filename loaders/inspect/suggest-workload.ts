import { orderTables } from "../table-order.ts";
import type { Inspection } from "./inspect-source.ts";
import { literalKey, loaderRule } from "./loader-rule.ts";
import { type SuggestedTable, suggestTables } from "./suggest-table.ts";

/** Path in the workload's folder -> text. */
export type WorkloadFiles = Record<string, string>;

/**
 * A whole workload for a source: a loader that says only what differs, tables before the load, keys, indexes and guards
 * after it. It is a start: names, types and keys are what the source shows today.
 *
 * @param project how the workload's own folder reaches the project's: `../..`
 */
export function suggestWorkload(inspection: Inspection, project: string): WorkloadFiles {
  const tables = suggestTables(inspection.tables);
  return {
    "loader.ts": loaderFile(inspection, tables, project),
    "migrations/before-load/0001_tables.ts": tablesFile(tables, `../../${project}`),
    "migrations/after-load/0001_keys.ts": keysFile(tables, `../../${project}`),
  };
}

function loaderFile(inspection: Inspection, tables: SuggestedTable[], project: string): string {
  const entries = tables.map((table) => loaderEntry(table));
  const all = entries.join("");
  const words = ["drop", "epoch", "julianDay"].filter((word) => new RegExp(`\\b${word}\\b[(, ]`).test(all));
  const left = inspection.tables.filter(({ name }) => !tables.some((table) => table.source.name === name));
  const comments = left.map(
    (table) =>
      `    // ${oneLine(table.name)}: ${oneLine(table.error ?? whyLeft(table.kind, table.columns.length))}\n`,
  );
  return `import { ${["defineLoader", ...words].join(", ")} } from "${project}/loaders/define-loader.ts";

export default defineLoader({
  tables: {
${all}${comments.join("")}  },
});
`;
}

function whyLeft(kind: string, columns: number): string {
  if (kind !== "table")
    return `a ${kind === "view" ? "view" : "virtual table"}; name it here to load its rows`;
  return `${columns} columns, and a table of PostgreSQL has at most 1600`;
}

function loaderEntry({ target, source, columns, hypertable }: SuggestedTable): string {
  const lines: string[] = [];
  if (target !== source.name) lines.push(`from: ${string(source.name)},`);
  const byKey = hypertable?.primary ?? [];
  // Rows come in the order of the source's own key anyway.
  if (byKey.length > 0 && !sameStart(byKey, source.primaryKey)) lines.push(`order: ${list(byKey)},`);
  const rules = columns.flatMap((column) => {
    const rule = column.target === null ? "drop" : loaderRule(column.source, column.target);
    return rule === null ? [] : [`  ${literalKey(column.source.name)}: ${rule},`];
  });
  if (rules.length > 0) lines.push("columns: {", ...rules, "},");
  const head = `    ${literalKey(target)}: `;
  return lines.length === 0
    ? `${head}{},\n`
    : `${head}{\n${lines.map((line) => `      ${line}\n`).join("")}    },\n`;
}

function sameStart(names: string[], start: string[]): boolean {
  return start.length > 0 && start.every((name, i) => names[i]?.toLowerCase() === name.toLowerCase());
}

function tablesFile(tables: SuggestedTable[], project: string): string {
  const spans = [...new Set(tables.flatMap(({ hypertable }) => hypertable?.chunk.unit ?? []))].sort();
  const imports =
    spans.length > 0 ? `import { ${spans.join(", ")} } from "${project}/migrations/interval.ts";\n` : "";
  const body = tables.map((table) => {
    const columns = table.columns
      .filter((column) => column.target !== null)
      .map(
        (column) =>
          `    ${literalKey(column.target as string)}: ${string(column.type + column.constraints)},\n`,
      );
    const notes = table.notes.map((note) => `  // ${oneLine(note)}\n`).join("");
    return `${notes}  db.table(${string(table.target)}, {\n${columns.join("")}  });\n${hypertableWords(table)}`;
  });
  return migration(imports, project, body.join("\n"));
}

function hypertableWords({ target, hypertable }: SuggestedTable): string {
  if (hypertable === null) return "";
  const { time, chunk } = hypertable;
  return `  db.hypertable(${string(target)}, { time: ${string(time)}, chunk: ${chunk.unit}(${chunk.amount}) });\n`;
}

function keysFile(tables: SuggestedTable[], project: string): string {
  const written = new Set<string>();
  const late: SuggestedTable[] = [];
  const ordered = orderTables(
    tables.map(({ target }) => target),
    (name) => tables.find(({ target }) => target === name)?.references.map(({ table }) => table) ?? [],
  );
  const keyed = ordered.map((name) => {
    const table = tables.find(({ target }) => target === name) as SuggestedTable;
    written.add(name);
    // In a circle of references the keys of all stand before the last reference.
    const early = table.references.every((reference) => written.has(reference.table));
    if (!early) late.push(table);
    return keyWords(table, { keys: true, references: early });
  });
  const rest = late.map((table) => keyWords(table, { keys: false, references: true }));
  const indexed = tables.flatMap(({ target, indexes }) =>
    indexes.map((columns) => `  db.index(${string(target)}, ${list(columns)});\n`),
  );
  const guarded = tables.flatMap(({ target, guards, hypertable }) =>
    guards.map(
      (columns) =>
        `  db.guard(${string(target)}, { unique: ${list(columns)}, time: ${string(hypertable?.time ?? "")} });\n`,
    ),
  );
  return migration("", project, [...keyed, ...rest, ...indexed, ...guarded].join(""));
}

function keyWords(
  { target, primary, unique, references }: SuggestedTable,
  include: { keys: boolean; references: boolean },
): string {
  const parts: string[] = [];
  if (include.keys && primary.length > 0) parts.push(`primary: ${list(primary)}`);
  if (include.keys && unique.length > 0) {
    parts.push(`unique: [${unique.map((names) => `{ columns: ${list(names)} }`).join(", ")}]`);
  }
  if (include.references && references.length > 0) {
    const each = references.map(
      ({ column, table, references: names }) =>
        `${literalKey(column)}: { table: ${string(table)}, columns: ${list(names)} }`,
    );
    parts.push(`references: { ${each.join(", ")} }`);
  }
  if (parts.length === 0) return "";
  const line = `  db.keys(${string(target)}, { ${parts.join(", ")} });\n`;
  return line.length <= 110
    ? line
    : `  db.keys(${string(target)}, {\n${parts.map((part) => `    ${part},\n`).join("")}  });\n`;
}

function migration(imports: string, project: string, body: string): string {
  return `${imports}import { timescale } from "${project}/migrations/timescale.ts";

export const up = timescale((${body === "" ? "" : "db"}) => {
${body}});

export const down = up.reverse;
`;
}

function string(text: string): string {
  return JSON.stringify(text).replaceAll("\u2028", "\\u2028").replaceAll("\u2029", "\\u2029");
}

function list(names: string[]): string {
  return `[${names.map(string).join(", ")}]`;
}

function oneLine(text: string): string {
  return text.replace(/[\r\n\u2028\u2029]+/g, " ");
}
