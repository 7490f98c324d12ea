/** What a declared type means to say. SQLite enforces none of it. */
export type TypeFamily =
  | "boolean"
  | "integer"
  | "float"
  | "numeric"
  | "date"
  | "timestamp"
  | "json"
  | "uuid"
  | "text"
  | "blob"
  | "unknown";

export interface DeclaredType {
  family: TypeFamily;
  /** The numbers in parentheses: precision and scale, or a length. */
  arguments: number[];
}

const words: [RegExp, TypeFamily][] = [
  [/^(bool|boolean|logical)$/, "boolean"],
  [/^(jsonb?|json_text)$/, "json"],
  [/^(uuid|guid|uniqueidentifier)$/, "uuid"],
  [/^(datetime|datetime2|datetimeoffset|smalldatetime|timestamp\w*|timestampz)$/, "timestamp"],
  [/^(date)$/, "date"],
  [/^(time|timetz|interval)$/, "text"],
  [/^(\w*blob|binary|varbinary|bytea?|image|raw)$/, "blob"],
  [
    /^(\w*text|\w*char|character|string|clob|nclob|enum|set|name|citext|xml|url|email|varchar2|nvarchar2)$/,
    "text",
  ],
  [/^(real|float\d*|double|single|floating)$/, "float"],
  [/^(numeric|decimal|dec|number|money|smallmoney|currency|fixed)$/, "numeric"],
  [
    /^((?:tiny|small|medium|big|long|u|uns)?int|int\d+|integer\w*|\w*serial\d*|long|short|signed|unsigned|bit|year|rowversion|autoinc\w*|counter)$/,
    "integer",
  ],
];

/**
 * Reads the words of a declared type, in whatever case, with whatever else stands there (`unsigned`, `collate …`,
 * `(10,2)`). Words that nobody knows follow SQLite's own rule of affinity, or are unknown: then the values decide.
 */
export function readDeclaredType(declared: string): DeclaredType {
  const lower = declared.toLowerCase().replace(/\bcollate\s+\w+/g, "");
  const args = [...(/\(([^)]*)\)/.exec(lower)?.[1] ?? "").matchAll(/\d+/g)].map(Number);
  const tokens = lower.replace(/\([^)]*\)?/g, " ").match(/[a-z_]\w*/g) ?? [];
  const found = words.find(([pattern]) => tokens.some((token) => pattern.test(token)));
  return { family: found?.[1] ?? affinity(lower), arguments: args };
}

/** https://www.sqlite.org/datatype3.html, "determination of column affinity". */
function affinity(lower: string): TypeFamily {
  // SQLite looks for "int" anywhere, in "point" too; there the values decide.
  if (/\bint/.test(lower)) return "integer";
  if (/char|clob|text/.test(lower)) return "text";
  if (lower.includes("blob")) return "blob";
  if (/real|floa|doub/.test(lower)) return "float";
  return "unknown";
}
