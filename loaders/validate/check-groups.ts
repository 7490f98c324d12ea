import type { Check, QueryTime, TableReport, ValidationReport } from "../validation-report.ts";

/** The checks of one table, of the workload's queries, or of neither. */
export interface CheckGroup {
  /** The table's name, `aggregates, policies, guards`, `queries` or `all tables`. */
  name: string;
  table?: TableReport;
  checks: Check[];
}

/** Puts each check with the table that its name begins with. Groups keep the report's order; none is empty. */
export function groupChecks({ checks, tables, queries }: ValidationReport): CheckGroup[] {
  const byLength = tables.toSorted((a, b) => b.name.length - a.name.length);
  const ofTables = new Map(tables.map((table): [string, CheckGroup] => [table.name, groupOf(table)]));
  const ofObjects: CheckGroup = { name: "aggregates, policies, guards", checks: [] };
  const ofQueries: CheckGroup = { name: "queries", checks: [] };
  const rest: CheckGroup = { name: "all tables", checks: [] };
  for (const check of checks) {
    if (check.of === "object") {
      ofObjects.checks.push(check);
      continue;
    }
    const table = isOfQuery(check, queries)
      ? undefined
      : byLength.find(({ name }) => check.name.startsWith(`${name} `));
    const group = table && ofTables.get(table.name);
    (group ?? (check.name.startsWith("query ") ? ofQueries : rest)).checks.push(check);
  }
  return [...ofTables.values(), ofObjects, ofQueries, rest].filter(
    (group) => group.checks.length > 0 || group.table,
  );
}

function groupOf(table: TableReport): CheckGroup {
  return { name: table.name, table, checks: [] };
}

/** A table may be called query, too. */
function isOfQuery({ name }: Check, queries: QueryTime[]): boolean {
  return queries.some((query) => name === `query ${query.name}` || name.startsWith(`query ${query.name} `));
}

/** FAIL where any check failed, SKIP where all were skipped. */
export function statusOf({ checks }: CheckGroup): Check["status"] {
  if (checks.some(({ status }) => status === "FAIL")) return "FAIL";
  return checks.length > 0 && checks.every(({ status }) => status === "SKIP") ? "SKIP" : "PASS";
}

/** What is said about a check besides the rows that `differences` name already. */
export function noteWithout({ note }: Check, table: TableReport | undefined): string {
  const keys = table?.differences.map(({ key }) => `${key}: `) ?? [];
  return (note ?? "")
    .split("\n")
    .filter((line) => !keys.some((key) => line.startsWith(key)))
    .join("\n");
}
