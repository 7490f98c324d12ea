import type { ReversePlan } from "../reverse/reverse-plan.ts";
import type { SourceRecord } from "../reverse/source-record.ts";
import { unlikeOthers } from "../reverse/spelling.ts";

/** A column of which the load did not keep how every value was spelled. */
export interface SpellingNote {
  /** Source table and column. */
  column: string;
  /** Values of the source that are spelled differently now; of a large table, as a sample of its rows has them. */
  values: number;
  /** Whether `values` was counted, or reckoned from a sample. */
  counted: boolean;
}

/** Columns in which the source had several spellings of one kind of value, and one had to be chosen. */
export function spellingNotes(
  spellings: SourceRecord["spellings"],
  { sources }: ReversePlan,
): SpellingNote[] {
  return sources.flatMap(({ source, mains, sides }) =>
    [...mains, ...sides].flatMap(({ target, columns }) => {
      const known = spellings[target.name];
      if (known === undefined || known.looked === 0) return [];
      return columns.flatMap(({ source: name, target: to }) => {
        const values = unlikeOthers(known.columns[to] ?? {});
        if (values === 0) return [];
        const counted = known.looked === known.rows;
        const all = counted ? values : Math.ceil((values / known.looked) * known.rows);
        return [{ column: `${source.name}.${name}`, values: all, counted }];
      });
    }),
  );
}
