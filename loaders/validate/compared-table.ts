import { quoteIdentifier } from "../identifier.ts";
import type { ResolvedTable } from "../resolve-table.ts";
import type { TargetTable } from "../target-table.ts";
import type { RowCounts } from "./claimed-rows.ts";

/** One table as the validator sees it: the way of each column, and the catalogs' word on both ends. */
export interface ComparedTable {
  name: string;
  resolved: ResolvedTable;
  target: TargetTable;
  /** Target columns that the loader declares absent from the source. */
  absent: string[];
  /** Positions, among the resolved columns, of those that tell rows apart; all of them where no key does. */
  key: number[];
  /** Position of the hypertable's time column, -1 where there is none. */
  time: number;
  /** Rows that the load says it rejected. */
  claimed: RowCounts;
  /** Those of them that a key of the target refuses indeed: they are left out of the comparison. */
  upheld: RowCounts;
}

/** Joins what the loader, the source and the target say about one table. */
export function compareTable(
  resolved: ResolvedTable,
  target: TargetTable,
  absent: string[],
  timeColumn: string | undefined,
  claimed: RowCounts = new Map(),
): ComparedTable {
  const names = resolved.columns.map((column) => column.target);
  const sourceKey = resolved.columns
    .filter(({ source }) => source !== null && resolved.source.primaryKey.includes(source))
    .map((column) => column.target);
  const wholeSourceKey = sourceKey.length === resolved.source.primaryKey.length ? sourceKey : [];
  const key = [...target.uniqueKeys, wholeSourceKey].find(
    (columns) => columns.length > 0 && columns.every((column) => names.includes(column)),
  );
  return {
    name: target.name,
    resolved,
    target,
    absent,
    key: (key ?? names).map((column) => names.indexOf(column)),
    time: timeColumn === undefined ? -1 : names.indexOf(timeColumn),
    claimed,
    upheld: new Map(),
  };
}

/** The target table in SQL. */
export function targetSql(table: ComparedTable): string {
  return quoteIdentifier(table.name);
}
