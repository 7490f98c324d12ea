import type { Reading } from "../define-loader.ts";
import type { SourceValue } from "../encode/value-problem.ts";
import type { TargetType } from "../target-table.ts";
import { booleanForms, floatForms, jsonForms, numericForms, uuidForms, wholeForms } from "./scalar-forms.ts";
import type { TargetValue } from "./target-value.ts";
import { timeForms } from "./time-forms.ts";

/**
 * How the values of a column are spelled in the source: kind of value -> spelling -> how many of them were seen. Values
 * of one kind (whole seconds, say, or infinities) are all written in one way. A spelling with `*` at its end was
 * recognised, but writing it again gives another text for the same value.
 */
export type Spellings = Record<string, Record<string, number>>;

/** What a column has to know of itself to be spelled. */
export interface SpelledColumn {
  type: TargetType | null;
  reading: Reading | null;
  emptyIsNull: boolean;
  /** The source column's declared type. */
  declaredType: string;
}

/** One way in which values of a type can be spelled, for each type. */
export interface Forms {
  /** What kind of value this is. */
  kindOf(value: TargetValue): string;
  /** The value in a spelling; undefined where that spelling cannot hold it exactly. */
  write(value: TargetValue, spelling: string): SourceValue | undefined;
  /** Kind and spelling of a source value; null for one that does not fit. */
  recognise(value: Exclude<SourceValue, null>): { kind: string; spelling: string } | null;
  /** Spellings where nothing is known of the column, or what is known cannot hold a value. */
  defaults: string[];
}

/** The forms of a column's type. */
export function formsOf(column: SpelledColumn): Forms {
  const { type, declaredType, reading } = column;
  switch (type?.kind) {
    case "bool":
      return booleanForms;
    case "int2":
    case "int4":
    case "int8":
      return wholeForms(declaredType);
    case "float4":
    case "float8":
      return floatForms;
    case "numeric":
      return numericForms(type.scale, declaredType);
    case "date":
    case "timestamp":
    case "timestamptz":
      return timeForms(type.kind, reading, declaredType);
    case "uuid":
      return uuidForms(declaredType);
    case "json":
    case "jsonb":
      return jsonForms(type.kind);
    default:
      return plain;
  }
}

/** Texts and blobs have one spelling. */
const plain: Forms = {
  kindOf: () => "any",
  write: (value) => value as string | Buffer,
  recognise: () => ({ kind: "any", spelling: "as it is" }),
  defaults: ["as it is"],
};

/** Adds a source value to what is known of its column. */
export function noteSpelling(seen: Spellings, column: SpelledColumn, forms: Forms, value: SourceValue): void {
  const isEmpty = value === "" && column.emptyIsNull && column.type?.kind !== "text";
  const found =
    value === null || isEmpty
      ? column.emptyIsNull
        ? { kind: "null", spelling: isEmpty ? "=" : "null" }
        : null
      : forms.recognise(value);
  if (found === null) return;
  seen[found.kind] ??= {};
  const kind = seen[found.kind] as Record<string, number>;
  kind[found.spelling] = (kind[found.spelling] ?? 0) + 1;
}

/** Values that the commonest spelling of their kind writes differently from how the source has them. */
export function unlikeOthers(seen: Spellings): number {
  let unlike = 0;
  for (const kind of Object.values(seen)) {
    const [first] = ranked(kind);
    for (const [spelling, count] of Object.entries(kind)) {
      if (spelling !== first || spelling.endsWith("*")) unlike += count;
    }
  }
  return unlike;
}

/** How a column of the target is spelled for the source. */
export class Speller {
  readonly #forms: Forms;
  readonly #seen: Spellings;
  readonly #empty: SourceValue;
  readonly #order = new Map<string, string[]>();
  /** Values that the usual spelling of the column cannot hold; another was taken. */
  stretched = 0;

  constructor(column: SpelledColumn, seen: Spellings = {}) {
    this.#forms = formsOf(column);
    this.#seen = seen;
    const { "=": empty = 0, null: none = 0 } = seen.null ?? {};
    this.#empty = empty > none ? "" : null;
  }

  /** The value as the application would have written it. */
  write(value: TargetValue | null): SourceValue {
    if (value === null) return this.#empty;
    const forms = this.#forms;
    const order = this.#orderOf(forms.kindOf(value));
    for (let i = 0; i < order.length; i += 1) {
      const written = forms.write(value, order[i] as string);
      if (written === undefined) continue;
      if (i > 0) this.stretched += 1;
      return written;
    }
    this.stretched += 1;
    return String(value);
  }

  /** Spellings to try for a kind of value: its own first, then those of the column's other values. */
  #orderOf(kind: string): string[] {
    const known = this.#order.get(kind);
    if (known) return known;
    const all: Record<string, number> = {};
    for (const [other, spellings] of Object.entries(this.#seen)) {
      if (other === "null") continue;
      for (const [name, count] of Object.entries(spellings)) all[name] = (all[name] ?? 0) + count;
    }
    const order = [...new Set([...ranked(this.#seen[kind] ?? {}), ...ranked(all), ...this.#forms.defaults])];
    this.#order.set(kind, order);
    return order;
  }
}

/** Spellings, the commonest first; equal ones by name, so that it is the same order every time. */
function ranked(spellings: Record<string, number>): string[] {
  return Object.entries(spellings)
    .sort(([a, many], [b, more]) => more - many || (a < b ? -1 : 1))
    .map(([name]) => name);
}
