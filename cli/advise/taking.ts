import type { DeclaredTable } from "../../migrations/declared-tables.ts";
import type { HypertableSettings } from "../../migrations/hypertable-settings.ts";
import { parseInterval } from "../../migrations/interval.ts";
import { type HypertableAdvice, isAsDeclared } from "./advice.ts";

type Advised = Pick<HypertableAdvice, "table" | "chunk" | "columnstore">;

/** How an advice is taken: commands for the stack's config, and words of a migration for what is not declared yet. */
export function taking(
  advice: Advised,
  declared: DeclaredTable,
): Pick<HypertableAdvice, "config" | "migration"> {
  return { config: commands(advice.table, settingsOf(advice, declared)), migration: words(advice, declared) };
}

/** What differs from the declared choices, as the stack's config has it; it sets only what migrations declare. */
export function settingsOf(
  { chunk, columnstore }: Pick<Advised, "chunk" | "columnstore">,
  declared: DeclaredTable,
): HypertableSettings {
  const settings: HypertableSettings = {};
  if (!isAsDeclared(chunk)) settings.chunk = chunk.advised;
  if (columnstore && declared.columnstore) {
    const { segmentBy, orderBy } = columnstore;
    if (!isAsDeclared(segmentBy)) settings.segmentBy = segmentBy.advised;
    if (!isAsDeclared(orderBy)) settings.orderBy = orderBy.advised;
  }
  if (columnstore && declared.columnstoreAfter && !isAsDeclared(columnstore.after)) {
    settings.columnstoreAfter = columnstore.after.advised;
  }
  return settings;
}

function commands(table: string, settings: HypertableSettings): string[] {
  const path = /^\w+$/.test(table) ? `timelift:hypertables.${table}` : `timelift:hypertables["${table}"]`;
  const set = (key: string, value: string) =>
    `pulumi config set --path ${shell(`${path}.${key}`)} ${shell(value)}`;
  return Object.entries(settings).flatMap(([key, value]: [string, string | string[]]) => {
    if (typeof value === "string") return set(key, value);
    return value.length === 0 ? set(key, "[]") : value.map((each, at) => set(`${key}[${at}]`, each));
  });
}

function words({ table, columnstore }: Advised, declared: DeclaredTable): string[] {
  if (columnstore === null) return [];
  const name = JSON.stringify(table);
  const list = (names: string[]) => `[${names.map((each) => JSON.stringify(each)).join(", ")}]`;
  const { segmentBy, orderBy, after } = columnstore;
  const { amount, unit } = parseInterval(after.advised, table);
  return [
    ...(declared.columnstore
      ? []
      : [
          `db.columnstore(${name}, { segmentBy: ${list(segmentBy.advised)}, orderBy: ${list(orderBy.advised)} });`,
        ]),
    ...(declared.columnstoreAfter ? [] : [`db.columnstorePolicy(${name}, { after: ${unit}s(${amount}) });`]),
  ];
}

function shell(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
