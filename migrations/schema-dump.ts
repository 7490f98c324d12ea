import type pg from "pg";
import { readEdition } from "./edition.ts";
import { bookLines, objectLines } from "./schema/object-lines.ts";
import { indexLines, relationLines, triggerLines } from "./schema/relation-lines.ts";
import { relationsQuery, withRelations } from "./schema/scope.ts";
import { renderSections, type Section, withoutEmptyEnd } from "./schema/section.ts";
import { aggregateLines, hypertableLines, jobLines } from "./schema/timescale-lines.ts";

/** Goes up when the same schema comes to be written in other words; a record of another format cannot be compared. */
export const dumpFormat = 1;

/** In the order of a dump. */
const kinds = [
  "edition",
  "table",
  "continuous aggregate",
  "materialized view",
  "view",
  "function",
  "procedure",
  "aggregate",
  "sequence",
  "type",
  "job",
  "tasks",
  "realised",
] as const;

/** What the queries of `schema/` answer. */
interface DumpLine {
  kind: (typeof kinds)[number];
  /** Null for what there is one of. */
  name: string | null;
  /** May be several lines; null to say only that the object is there. */
  line: string | null;
  /** Among the lines of one query and object; those of equal place, or none, go by their text. */
  place?: number | string;
}

/** Names and constants are printed as these say; the session's own settings must not show. */
const begin = `
  BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;
  SET LOCAL search_path = public;
  SET LOCAL timezone = 'UTC';
  SET LOCAL datestyle = 'ISO, YMD';
  SET LOCAL intervalstyle = 'postgres';
  SET LOCAL bytea_output = 'hex';
  SET LOCAL extra_float_digits = 1;
  SET LOCAL quote_all_identifiers = off;`;

/**
 * The schema of a target as text: an object a paragraph, the same for databases that were migrated alike. It holds no
 * id, chunk, row, owner, privilege or time. Whoever may use the schema `timelift` may ask, outside a transaction.
 */
export async function dumpSchema(client: pg.ClientBase): Promise<string> {
  await client.query(begin);
  try {
    return renderSections(arrange(await readLines(client)));
  } finally {
    await client.query("ROLLBACK");
  }
}

async function readLines(client: pg.ClientBase): Promise<DumpLine[]> {
  const hasTimescale = await exists(client, "SELECT FROM pg_extension WHERE extname = 'timescaledb'");
  const edition = hasTimescale ? await readEdition(client) : null;
  const ofTimescale = (...queries: string[]) => (hasTimescale ? queries : []);
  const lines: DumpLine[] = [{ kind: "edition", name: edition ?? "none", line: null }];
  const take = async (query: string, values?: unknown[]) => {
    lines.push(...(await client.query<DumpLine>(query, values)).rows.sort(byPlace));
  };

  // Found once: the queries below would each spend more on that than on what they are for.
  const { rows: relations } = await client.query(relationsQuery(hasTimescale));
  const ofRelations = [
    ...relationLines,
    ...ofTimescale(aggregateLines),
    indexLines,
    ...ofTimescale(...hypertableLines),
    triggerLines,
  ];
  for (const select of ofRelations) await take(`${withRelations} ${select}`, [JSON.stringify(relations)]);
  for (const select of [...objectLines, ...ofTimescale(jobLines)]) await take(select);
  for (const [table, select] of Object.entries(bookLines)) {
    const isThere = `SELECT FROM pg_class WHERE relname = '${table}'
      AND relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = 'timelift')`;
    if (await exists(client, isThere)) await take(select);
  }
  return lines;
}

async function exists(client: pg.ClientBase, query: string): Promise<boolean> {
  return (await client.query<{ it: boolean }>(`SELECT EXISTS (${query}) AS it`)).rows[0]?.it ?? false;
}

/** Here rather than in SQL, whose order depends on the database's locale. */
function byPlace(a: DumpLine, b: DumpLine): number {
  return Number(a.place ?? 0) - Number(b.place ?? 0) || byText(a.line ?? "", b.line ?? "");
}

function byText(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}

function arrange(lines: DumpLine[]): Section[] {
  const sections = new Map<string, Section & Pick<DumpLine, "kind">>();
  for (const { kind, name, line } of lines) {
    const heading = name === null ? kind : `${kind} ${name}`;
    const section = sections.get(heading) ?? { kind, heading, lines: [] };
    sections.set(heading, section);
    if (line !== null) section.lines.push(...line.split("\n").map((each) => each.trimEnd()));
  }
  return [...sections.values()]
    .sort((a, b) => kinds.indexOf(a.kind) - kinds.indexOf(b.kind) || byText(a.heading, b.heading))
    .map(({ heading, lines: all }) => ({ heading, lines: withoutEmptyEnd(all) }));
}
