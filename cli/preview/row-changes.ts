import { code, listOf } from "./markdown.ts";
import { databaseOf } from "./migration-changes.ts";
import { compare, isChange, type ResourceStep, stepsOfKind } from "./resource-step.ts";

/** What a load would do to one target table. */
export interface TableRows {
  table: string;
  /** Rows in the source, in words: `5,722 rows`. */
  rows: string;
  /** What is different since the last load, in words. */
  change: string;
  /** Whether rows stood in it, and the source has none left. */
  emptied: boolean;
}

/** What the load would do. */
export interface RowChanges {
  /** The tables that it changes. */
  tables: TableRows[];
  /** How many tables the loader has. */
  of: number;
  /** What to know beside the tables, in Markdown. */
  note?: string;
  /** Source tables that no loader entry names, with whether the last load already left them out. */
  notLoaded: { table: string; known: boolean }[];
}

type Texts = Record<string, string>;

/** Undefined where there is no load. */
export function rowChanges(steps: ResourceStep[]): RowChanges | undefined {
  const [load] = stepsOfKind(steps, "SqliteLoad");
  if (load?.after === undefined) return undefined;
  const { before, after } = load;
  const plan = (after.plan ?? {}) as Texts;
  const left = (before?.notLoaded ?? []) as string[];
  const notLoaded = ((after.notLoaded ?? []) as string[])
    .map((table) => ({ table, known: left.includes(table) }))
    .sort((a, b) => compare(a.table, b.table));
  const held = stepsOfKind(steps, "Migrations").flatMap(({ after: inputs }) =>
    inputs?.phase === "before-load" ? ((inputs.down ?? []) as string[]) : [],
  );
  const rest = { of: Object.keys(plan).length, notLoaded };
  if (held.length > 0) {
    const names = `${listOf(held.map(code))} ${held.length === 1 ? "is" : "are"}`;
    const note = isChange(load) ? { note: `Nothing is loaded while ${names} down.` } : {};
    return { tables: [], ...rest, ...note };
  }
  const tables = isChange(load) ? tablesOf(load, plan) : [];
  const note = isChange(load) && tables.length === 0 ? "The load runs; the source has no other rows." : "";
  return { tables, ...rest, ...(note && { note }) };
}

function tablesOf({ before, after, outputs }: ResourceStep, plan: Texts): TableRows[] {
  const was = (before?.plan ?? {}) as Texts;
  const first = before === undefined || !outputs.loaded;
  const elsewhere = databaseOf(before) !== databaseOf(after);
  const mapped = outputs.mapping !== after?.mapping;
  const moved = outputs.loaded !== after?.fingerprint;
  return Object.keys(plan)
    .sort(compare)
    .flatMap((table) => {
      const [, rows = "", change] = /^(.*? rows?)(?: \((.*)\))?$/.exec(plan[table] ?? "") ?? [];
      const [earlier] = / rows?/.test(was[table] ?? "") ? (/^.*? rows?/.exec(was[table] ?? "") ?? []) : [];
      const emptied = !first && rows === "0 rows" && earlier !== undefined && earlier !== rows;
      const row = (text: string) => [{ table, rows, change: text, emptied }];
      if (first || elsewhere) return rows === "0 rows" ? [] : row("all of them");
      if (mapped) return row("loaded anew: its loader changed");
      if (!moved) return [];
      if (change !== undefined) return row(change);
      return earlier !== rows ? row(`was ${earlier ?? "not loaded"}`) : [];
    });
}
