import { type Command, InvalidArgumentError } from "commander";
import type { Narrowing } from "../../loaders/narrow-loader.ts";

/** What the options give; `narrowingOf` reads it. */
export interface NarrowingOptions {
  tables?: string[];
  whereKey?: Record<string, string[]>;
  symbols?: string[];
  startDate?: string;
}

/** Adds the options that choose some of the rows; the same for every command that takes them. */
export function addNarrowingOptions(command: Command): Command {
  return command
    .option("--tables <names>", "only these target tables, separated by commas", list)
    .option(
      "--where-key <column=values>",
      'only rows whose column is one of the values, separated by commas ("…" around one with a comma); may be repeated',
      key,
    )
    .option("--symbols <values>", "the same as --where-key symbol=…", list)
    .option("--start-date <day>", "only rows of hypertables from this day on (YYYY-MM-DD, UTC)");
}

/** What the options say together. */
export function narrowingOf({ tables, whereKey = {}, symbols, startDate }: NarrowingOptions): Narrowing {
  const keys = symbols ? { ...whereKey, symbol: [...(whereKey.symbol ?? []), ...symbols] } : whereKey;
  return {
    ...(tables && { tables }),
    ...(Object.keys(keys).length > 0 && { keys }),
    ...(startDate !== undefined && { startDate }),
  };
}

/** Values separated by commas, as in a line of CSV. */
function list(text: string): string[] {
  const values = [...text.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g)].map(
    ([, quoted, plain = ""]) => quoted?.replaceAll('""', '"') ?? plain.trim(),
  );
  if (values.includes("")) throw new InvalidArgumentError("a value is empty.");
  return values;
}

function key(text: string, before: Record<string, string[]> = {}): Record<string, string[]> {
  const at = text.indexOf("=");
  if (at < 1) throw new InvalidArgumentError("write it as column=value,value.");
  const column = text.slice(0, at);
  return { ...before, [column]: [...(before[column] ?? []), ...list(text.slice(at + 1))] };
}
