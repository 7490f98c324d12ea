import type { Ledger } from "./ledger.ts";
import type { RejectFlood } from "./reject-flood.ts";
import { groupRejects, type RejectGroup } from "./reject-log.ts";
import { TimeliftError } from "./timelift-error.ts";

const mostGroups = 10;
const mostRows = 5;

/** What a load rejected, against what it may. */
export interface RejectedLoad {
  workload: string;
  /** Target tables of the load. */
  tables: string[];
  /** Rows of their sources. */
  rows: number;
  rejected: number;
  allowed: number;
  /** Set where the load stopped before its end. */
  flood?: RejectFlood;
}

/** The error for a load that rejected more rows than it may: how many, why, which, and what to do. */
export async function rowsRejected(ledger: Ledger, load: RejectedLoad): Promise<TimeliftError> {
  const { tables, rows, allowed, flood } = load;
  const lost = flood?.rejects ?? [];
  const groups = [
    ...(flood === undefined ? [] : groupRejects(flood.table, lost)),
    ...(await ledger.rejects.groups(tables)),
  ];
  const kept = (await ledger.rejects.lines(tables, mostRows)).map((line) => describeLine(line));
  const unkept = lost
    .slice(0, mostRows)
    .flatMap(({ key, values }) =>
      values.map((value) => describeLine({ table: flood?.table ?? "", key, ...value })),
    );
  const rejected = load.rejected + lost.length;
  const are = `${count(rejected, "row")} of ${number(rows)} ${rejected === 1 ? "was" : "were"} rejected`;
  const ending =
    flood === undefined
      ? "Every other row is loaded."
      : `The load stopped at table ${flood.table}, for that is far more; what was committed stands.`;
  return new TimeliftError({
    code: "rows-rejected",
    subject: `load of ${load.workload}`,
    problem: [
      `${are}, and maxRejects allows ${number(allowed)}. ${ending}`,
      ...groups.slice(0, mostGroups).map((group) => `  ${describeGroup(group)}`),
      ...(groups.length > mostGroups ? [`  and ${count(groups.length - mostGroups, "more reason")}`] : []),
      "  The first of them:",
      ...[...kept, ...unkept].slice(0, mostRows).map((line) => `    ${line}`),
    ].join("\n"),
    remedy:
      "Correct the rows in the source, or declare a rule in the loader, then load again (timelift rejects lists every row); or raise timelift:maxRejects to go without them.",
  });
}

/** `prices.time: 3 texts: is no timestamptz`. */
export function describeGroup({ table, column, class: of, reason, values }: RejectGroup): string {
  return `${table}.${column}: ${of === "NULL" ? `${values} NULL` : count(values, of)}: ${reason}`;
}

interface Line {
  table: string;
  key: string;
  column: string;
  value: string;
  reason: string;
}

function describeLine({ table, key, column, value, reason }: Line): string {
  return `${table}, ${key}, column ${column}: ${value} ${reason}`;
}

function count(n: number, noun: string): string {
  return `${number(n)} ${noun}${n === 1 ? "" : "s"}`;
}

function number(n: number): string {
  return n.toLocaleString("en-US");
}
