import type { Reading } from "../define-loader.ts";
import type { SourceColumn } from "../source/source-schema.ts";
import type { ColumnForms } from "./column-forms.ts";
import { readDeclaredType, type TypeFamily } from "./declared-type.ts";
import { type MomentUnit, readingOf, type ValueForm } from "./value-form.ts";

/** The target type that suits a column, and what the loader has to declare for it. */
export interface ColumnSuggestion {
  /** As PostgreSQL writes it: `timestamptz`, `numeric(10,2)`. */
  type: string;
  /** How numbers become moments; null where they need not. */
  reading: Reading | null;
  /** The unit of `reading`. */
  unit: MomentUnit | null;
  /** True where an empty text should become NULL. */
  emptyIsNull: boolean;
}

interface Candidate {
  type: string;
  unit?: MomentUnit | null;
  /** Forms that the type takes as they are. */
  accepts: ValueForm[];
  /** Only when every value fits. */
  strict?: boolean;
}

const wholes: ValueForm[] = ["0 or 1", "integer", "integer beyond 2^53", "whole real", "integer as text"];
const isoForms: ValueForm[] = ["ISO date", "ISO midnight", "ISO timestamp"];

const bigint: Candidate = { type: "bigint", accepts: wholes };
const double: Candidate = {
  type: "double precision",
  accepts: [
    "0 or 1",
    "integer",
    "whole real",
    "whole real beyond 2^53",
    "real",
    "infinity",
    "number as text",
    "infinity or NaN as text",
  ],
};
const numeric: Candidate = {
  type: "numeric",
  accepts: [
    ...wholes,
    ...(["whole real beyond 2^53", "integer beyond int8 as text"] as const),
    ...(["real", "infinity", "number as text", "infinity or NaN as text"] as const),
  ],
};
const boolean: Candidate = { type: "boolean", accepts: ["0 or 1", "boolean word"] };
const text: Candidate = {
  type: "text",
  accepts: [
    ...isoForms,
    ...(["empty text", "impossible date", "uuid", "boolean word", "JSON", "broken JSON", "text"] as const),
    ...([
      "integer as text",
      "integer beyond int8 as text",
      "number as text",
      "infinity or NaN as text",
    ] as const),
  ],
};
const bytea: Candidate = { type: "bytea", accepts: ["blob", "16-byte blob"] };
const uuid: Candidate = { type: "uuid", accepts: ["uuid", "16-byte blob"] };
const document: Candidate = { type: "jsonb", accepts: ["JSON"] };
const json: Candidate = {
  type: "jsonb",
  accepts: ["JSON", "0 or 1", "integer", "whole real", "real", "integer as text", "boolean word"],
};

/**
 * Chooses a type. The declared type proposes; the values decide: what fits all of them, else what its family offers
 * and most of them fit, else whatever most of them fit. TEXT stays text unless every value is an ISO time, a uuid or
 * JSON; integers of an undeclared kind become moments only where the column's name says time.
 */
export function suggestColumn(column: SourceColumn, nullable: boolean, found: ColumnForms): ColumnSuggestion {
  const declared = readDeclaredType(column.declaredType);
  const own = candidatesOf(column, declared.family, declared.arguments, found);
  const total = sum(Object.values(found.forms));
  const empty = found.forms["empty text"] ?? 0;
  const fits = (candidate: Candidate) => accepted(candidate, found, nullable);
  const best = choose(own, fits, total, total > empty);
  const chosen =
    best !== null && (total === empty || 2 * fits(best) >= total)
      ? best
      : (choose([...own, text, bytea, bigint, double, numeric], fits, total, total > empty) ?? text);
  const isText = chosen.type === "text";
  return {
    type: chosen.type,
    reading: chosen.unit ? readingOf(chosen.unit) : null,
    unit: chosen.unit ?? null,
    emptyIsNull: !isText && empty > 0 && nullable,
  };
}

function candidatesOf(
  column: SourceColumn,
  family: TypeFamily,
  args: number[],
  found: ColumnForms,
): Candidate[] {
  const moment: Candidate = { type: "timestamptz", unit: likelyUnit(found), accepts: isoForms };
  const date: Candidate = { type: "date", accepts: ["ISO date", "ISO midnight"] };
  switch (family) {
    case "boolean":
      return [boolean];
    case "integer":
      return saysTime(column.name)
        ? [strictly({ ...moment, accepts: [] }), bigint, double, numeric]
        : [bigint, double, numeric];
    case "float":
      return saysTime(column.name) ? [strictly(moment), double, numeric] : [double, numeric];
    case "numeric":
      return [...declaredNumeric(args, found), numeric];
    case "date":
      return [date, moment];
    case "timestamp":
      return [moment];
    case "json":
      return [json, strictly(text)];
    case "uuid":
      return [uuid, strictly(text)];
    case "blob":
      return [bytea, strictly(uuid)];
    case "text":
      return [...[date, { ...moment, unit: null }, uuid, document].map(strictly), text];
    case "unknown":
      return [
        ...[date, { ...moment, unit: null }, uuid, document].map(strictly),
        ...(saysTime(column.name) ? [strictly(moment)] : []),
        ...(hasNumbers(found) ? [bigint, double, numeric].map(strictly) : []),
        ...[strictly(bytea), text],
      ];
  }
}

function strictly(candidate: Candidate): Candidate {
  return { ...candidate, strict: true };
}

/** Digits as text alone prove no number: they may be a code with zeros in front. */
function hasNumbers({ forms }: ColumnForms): boolean {
  const numbers: ValueForm[] = ["0 or 1", "integer", "integer beyond 2^53", "whole real", "real", "infinity"];
  return numbers.some((form) => forms[form] !== undefined);
}

/** `DECIMAL(10,2)` is kept where no value would be rounded or be too large. */
function declaredNumeric([precision, scale = 0]: number[], { digits }: ColumnForms): Candidate[] {
  if (precision === undefined || precision < 1 || precision > 1000) return [];
  const fits = digits.decimals <= scale && digits.whole <= precision - scale;
  return fits ? [{ ...numeric, type: `numeric(${precision},${scale})` }] : [];
}

/** The first that takes every value, else the one that takes most. NULLs and empty texts alone prove no type. */
function choose(
  candidates: Candidate[],
  fits: (candidate: Candidate) => number,
  total: number,
  proven: boolean,
): Candidate | null {
  const rated = candidates
    .map((candidate) => ({ candidate, fitting: fits(candidate) }))
    .filter(({ candidate, fitting }) => !candidate.strict || (fitting === total && proven));
  const whole = rated.find(({ fitting }) => fitting === total);
  return (whole ?? rated.toSorted((a, b) => b.fitting - a.fitting)[0])?.candidate ?? null;
}

function accepted(candidate: Candidate, { forms, moments }: ColumnForms, nullable: boolean): number {
  const plain = sum(candidate.accepts.map((form) => forms[form] ?? 0));
  const read = candidate.unit ? (moments[candidate.unit] ?? 0) : 0;
  const empty = candidate.type === "text" || !nullable ? 0 : (forms["empty text"] ?? 0);
  return plain + read + empty;
}

/** The unit in which most numbers are moments, null where none is. */
export function likelyUnit({ moments }: ColumnForms): MomentUnit | null {
  const units = Object.entries(moments) as [MomentUnit, number][];
  return units.toSorted((a, b) => b[1] - a[1])[0]?.[0] ?? null;
}

const timeWords =
  /(^|_)(at|on|ts|time|times|timestamp|date|datetime|day|when|since|until|epoch|created|updated|modified|deleted|expires|expiry|start|started|end|ended|last_seen)(_|$)|^(mtime|ctime|atime|dtstart|dtend)$/;

/** `created_at`, `createdAt`, `ts`: whether a name speaks of a moment. */
export function saysTime(name: string): boolean {
  const snake = name
    .replace(/([a-z0-9])([A-Z])/g, "$1_$2")
    .replace(/_?(ms|us|sec|secs|seconds|millis|utc)$/i, "")
    .toLowerCase();
  return timeWords.test(snake) || /(time|date|timestamp)$/.test(snake);
}

function sum(numbers: number[]): number {
  return numbers.reduce((all, each) => all + each, 0);
}
