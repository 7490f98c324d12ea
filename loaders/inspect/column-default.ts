import { isJson } from "./json-text.ts";
/** What a column's default becomes in the target. */
export interface ColumnDefault {
  /** SQL of PostgreSQL, null where there is no equal. */
  sql: string | null;
  /** Why there is none; empty otherwise. */
  note: string;
}

const now = "now()";
const utc = "now() at time zone 'UTC'";

/**
 * What the SQL text of a default in SQLite is for a target column of type `type`. A default is never taken over as
 * the text that it happens to be: what has no equal is said to have none.
 */
export function targetDefault(sql: string, type: string): ColumnDefault {
  const text = unwrapped(sql);
  if (/^null$/i.test(text)) return { sql: null, note: "" };
  const found = clockDefault(text, type) ?? literalDefault(text, type) ?? functionDefault(text, type);
  return found === null ? { sql: null, note: `no equal for default ${sql}` } : { sql: found, note: "" };
}

/** Without the parentheses around the whole of it. */
function unwrapped(sql: string): string {
  let text = sql.trim();
  while (text.startsWith("(") && closes(text) === text.length - 1) text = text.slice(1, -1).trim();
  return text;
}

/** Where the parenthesis closes that the text begins with. */
function closes(text: string): number {
  let depth = 0;
  let quote = "";
  for (const [at, character] of [...text].entries()) {
    if (quote !== "") {
      if (character === quote) quote = "";
    } else if (character === "'" || character === '"') quote = character;
    else if (character === "(") depth += 1;
    else if (character === ")" && --depth === 0) return at;
  }
  return -1;
}

type Clock = { gives: "timestamp" | "date" | "time" | "epoch s" | "epoch ms" | "julianDay"; format: string };

const iso = "YYYY-MM-DD HH24:MI:SS";

/** Which clock a default reads, or null. `localtime` says where a text was written, not another moment. */
function clockOf(text: string): Clock | null {
  const lower = text.toLowerCase().replace(/\s+/g, "");
  if (lower === "current_timestamp" || lower === "now()") return { gives: "timestamp", format: iso };
  if (lower === "current_date") return { gives: "date", format: "YYYY-MM-DD" };
  if (lower === "current_time") return { gives: "time", format: "HH24:MI:SS" };
  const days =
    /^(?:cast\()?\(?\(julianday\('now'\)-2440587\.5\)\*(86400(?:000)?)(?:\.0)?\)?(?:as\w+\))?$/.exec(lower);
  if (days !== null) return { gives: days[1] === "86400" ? "epoch s" : "epoch ms", format: "" };
  const call = callOf(text.replace(/^cast\s*\((.*)\s+as\s+\w+\s*\)/i, "$1").trim());
  if (call === null) return null;
  const { name, format, scaled } = call;
  if (scaled) {
    const seconds = name === "unixepoch" || (name === "strftime" && format === "%s");
    return seconds ? { gives: "epoch ms", format: "" } : null;
  }
  switch (name) {
    case "datetime":
      return { gives: "timestamp", format: iso };
    case "date":
      return { gives: "date", format: "YYYY-MM-DD" };
    case "time":
      return { gives: "time", format: "HH24:MI:SS" };
    case "julianday":
      return { gives: "julianDay", format: "" };
    case "unixepoch":
      return { gives: "epoch s", format: "" };
    default:
      return strftimeClock(format);
  }
}

/** A call of one of SQLite's date functions for the moment itself, or null. */
function callOf(text: string): { name: string; format: string; scaled: boolean } | null {
  const call = /^(datetime|date|time|julianday|unixepoch|strftime)\s*\(([^()]*)\)\s*(\*\s*1000)?$/i.exec(
    text,
  );
  if (call === null) return null;
  const [, name = "", list = "", times] = call;
  const args = list.split(",").map((each) => each.trim().replace(/^(['"])(.*)\1$/, "$2"));
  const format = name.toLowerCase() === "strftime" ? (args.shift() ?? "") : "";
  const moment = args.shift() || "now";
  const modifiers = ["localtime", "utc", "subsec", "subsecond"];
  if (moment.toLowerCase() !== "now" || !args.every((each) => modifiers.includes(each.toLowerCase())))
    return null;
  return { name: name.toLowerCase(), format, scaled: times !== undefined };
}

/** A format of strftime that names a whole moment or day. */
function strftimeClock(given: string): Clock | null {
  if (given === "%s") return { gives: "epoch s", format: "" };
  if (given === "%J") return { gives: "julianDay", format: "" };
  const format = given.replace("%F", "%Y-%m-%d").replace("%T", "%H:%M:%S").replace("%R", "%H:%M");
  if (format === "%Y-%m-%d") return { gives: "date", format: "YYYY-MM-DD" };
  const match = /^%Y-%m-%d([ T])%H:%M(:%S|:%f|:%S\.000)?(Z|\+00:?00)?$/.exec(format);
  if (match === null) return null;
  const gap = match[1] === "T" ? '"T"' : " ";
  const seconds = match[2] === ":%f" ? ":SS.MS" : match[2] === undefined ? "" : ":SS";
  const zone = match[3] === undefined ? "" : `"${match[3]}"`;
  return { gives: "timestamp", format: `YYYY-MM-DD${gap}HH24:MI${seconds}${zone}` };
}

function clockDefault(text: string, type: string): string | null {
  const clock = clockOf(text);
  if (clock === null) return null;
  if (type.startsWith("timestamp")) {
    if (clock.gives === "time") return null;
    return clock.gives === "date" ? "date_trunc('day', now(), 'UTC')" : now;
  }
  if (type === "date") return clock.gives === "time" ? null : `(${utc})::date`;
  if (type === "text") return clock.format === "" ? null : `to_char(${utc}, '${clock.format}')`;
  const whole = type === "bigint";
  if (!whole && type !== "double precision" && type !== "numeric") return null;
  if (clock.gives === "epoch s")
    return whole ? "floor(extract(epoch from now()))::bigint" : "extract(epoch from now())";
  if (clock.gives === "epoch ms") return `floor(extract(epoch from now()) * 1000)${whole ? "::bigint" : ""}`;
  if (clock.gives === "julianDay" && !whole) return `extract(julian from ${utc})`;
  return null;
}

function literalDefault(text: string, type: string): string | null {
  const quoted = /^'((?:[^']|'')*)'$/.exec(text)?.[1]?.replaceAll("''", "'");
  const misquoted = /^"((?:[^"]|"")*)"$/.exec(text)?.[1]?.replaceAll('""', '"');
  const bare = /^[+-]?\s*[\w.]+(?:[eE][+-]?\d+)?$/.test(text) ? text.replace(/\s/g, "") : undefined;
  const value = quoted ?? misquoted ?? bare;
  if (type === "bytea") return /^x'[0-9a-f]*'$/i.test(text) ? `'\\x${text.slice(2, -1)}'` : null;
  if (value === undefined) return null;
  const literal = `'${value.replaceAll("'", "''")}'`;
  switch (type) {
    case "text":
      return quoted === undefined && misquoted === undefined && !/^[+-]?[\d.]/.test(value) ? null : literal;
    case "boolean":
      if (/^(1|t|true|y|yes|on)$/i.test(value)) return "true";
      return /^(0|f|false|n|no|off)$/i.test(value) ? "false" : null;
    case "bigint":
      return /^[+-]?\d{1,18}$/.test(value)
        ? String(BigInt(value))
        : /^(true|false)$/i.test(value)
          ? bit(value)
          : null;
    case "date":
      return /^\d{4}-\d\d-\d\d$/.test(value) ? literal : null;
    case "timestamptz":
      return /^\d{4}-\d\d-\d\d(?:[ T][\d:.]+)?$/.test(value) ? `'${value}+00'` : null;
    case "jsonb":
      return isJson(value) ? literal : null;
    case "uuid":
      return /^[0-9a-f-]{36}$/i.test(value) ? literal : null;
    default:
      if (type !== "double precision" && !type.startsWith("numeric")) return null;
      return /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i.test(value) ? value : null;
  }
}

function bit(word: string): string {
  return /^true$/i.test(word) ? "1" : "0";
}

/** Random keys: SQLite has no function for a uuid, so applications build one from random bytes. */
function functionDefault(text: string, type: string): string | null {
  const lower = text.toLowerCase().replace(/\s+/g, "");
  const random =
    /randomblob\(16\)/.test(lower) || /^(gen_random_uuid|uuid|uuid4|uuid_generate_v4)\(\)$/.test(lower);
  if (random && type === "uuid") return "gen_random_uuid()";
  if (/^lower\(hex\(randomblob\(16\)\)\)$/.test(lower) && type === "text") {
    return "replace(gen_random_uuid()::text, '-', '')";
  }
  return null;
}
