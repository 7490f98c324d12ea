import type { RowBytes } from "./row-bytes.ts";
import { keyName } from "./row-entries.ts";
import { keyHash } from "./row-hash.ts";
import type { RowOrigin, RowSink } from "./row-sink.ts";
import type { TallyPlan } from "./row-tally.ts";

/** A row found on one side. Plain data. */
export interface FoundRow {
  /** Names the key, equal on both sides. */
  key: string;
  /** Each field's canonical bytes, as a text that is only compared. */
  fields: string[];
  /** Each value as a person reads it; null for NULL. */
  texts: (string | null)[];
}

const mostRows = 500;
const longestText = 200;

/** Keeps the rows of certain keys. */
export class RowCapture implements RowSink {
  readonly #plan: TallyPlan;
  readonly #keys: Set<string>;
  readonly #firstWords: Set<number>;
  readonly rows: FoundRow[] = [];

  constructor(plan: TallyPlan, keys: string[]) {
    this.#plan = plan;
    this.#keys = new Set(keys);
    this.#firstWords = new Set(keys.map((key) => Number(key.split(",")[0])));
  }

  add({ bytes, view, starts }: RowBytes, origin: RowOrigin): void {
    const { key, seed } = this.#plan;
    const first = keyHash(view, starts, key, seed[0] as number);
    if (!this.#firstWords.has(first) || this.rows.length === mostRows) return;
    const name = keyName(first, keyHash(view, starts, key, seed[1] as number));
    if (!this.#keys.has(name)) return;
    const fields = Array.from({ length: starts.length - 1 }, (_, at) =>
      bytes.toString("latin1", starts[at], starts[at + 1]),
    );
    this.rows.push({ key: name, fields, texts: origin.texts().map(shortened) });
  }
}

/** A report that names a row need not hold all of a document. */
function shortened(text: string | null): string | null {
  return text === null || text.length <= longestText
    ? text
    : `${text.slice(0, longestText)}… (${text.length} characters)`;
}
