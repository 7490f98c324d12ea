/** Something that a statement takes away with the rows in it. */
export interface Loss {
  /** In SQL's words: `DROP TABLE`, `TRUNCATE`, `DROP COLUMN` … */
  what: string;
  /** What it takes away; empty where the statement does not say it by name. */
  name: string;
}

/** What no protected stack lets a migration do. */
const ofWholeTables = ["DROP TABLE", "TRUNCATE", "DROP SCHEMA", "DROP DATABASE", "DROP_CHUNKS"];

const name = String.raw`(?:"(?:[^"]|"")+"|[\w$]+)(?:\.(?:"(?:[^"]|"")+"|[\w$]+))?`;
const named = new RegExp(
  String.raw`\b(DROP\s+TABLE|DROP\s+SCHEMA|DROP\s+DATABASE|DROP\s+MATERIALIZED\s+VIEW|TRUNCATE(?:\s+TABLE)?(?!\s+(?:ON|OR)\b)|DELETE\s+FROM)` +
    String.raw`\s+(?:IF\s+EXISTS\s+)?(?:ONLY\s+)?(${name}(?:\s*,\s*${name})*)`,
  "gi",
);
const columns =
  /\bDROP\s+(?:COLUMN\s+(?:IF\s+EXISTS\s+)?)?("(?:[^"]|"")+"|(?<=COLUMN\s+(?:IF\s+EXISTS\s+)?)[\w$]+)/gi;

/**
 * What statements take away with the rows in it, in the order of the statements. Bodies of functions are not looked
 * into, for they do not run here; nor are timelift's own blocks (`$timelift$`), which keep every row.
 */
export function lossesIn(sql: string[]): Loss[] {
  const text = sql
    .join("\n")
    .replaceAll(/--.*$/gm, "")
    .replaceAll(/\$timelift\$[\s\S]*?\$timelift\$/g, "")
    .replaceAll(/\bAS\s+(\$\w*\$)[\s\S]*?\1/gi, "")
    .replaceAll(/'(?:[^']|'')*'/g, "''");
  const found: (Loss & { at: number })[] = [];
  for (const match of text.matchAll(named)) {
    const [, words = "", names = ""] = match;
    const what = words.toUpperCase().replaceAll(/\s+/g, " ").replace("TRUNCATE TABLE", "TRUNCATE");
    for (const each of names.split(/\s*,\s*/)) found.push({ what, name: plain(each), at: match.index });
  }
  for (const match of text.matchAll(columns)) {
    found.push({ what: "DROP COLUMN", name: plain(match[1] ?? ""), at: match.index });
  }
  for (const { index } of text.matchAll(/\bdrop_chunks\s*\(/gi)) {
    found.push({ what: "DROP_CHUNKS", name: "", at: index });
  }
  return found.sort((a, b) => a.at - b.at).map(({ what, name: of }) => ({ what, name: of }));
}

/** Those that take a whole table away, or every row of it. */
export function tableLosses(sql: string[]): Loss[] {
  return lossesIn(sql).filter(({ what }) => ofWholeTables.includes(what));
}

/** `DROP TABLE price_history`. */
export const lossText = ({ what, name: of }: Loss) => [what, of].filter(Boolean).join(" ");

const plain = (identifier: string) =>
  identifier
    .split(".")
    .map((part) => part.replace(/^"(.*)"$/, "$1").replaceAll('""', '"'))
    .filter((part, at, parts) => !(parts.length > 1 && at === 0 && part === "public"))
    .join(".");
