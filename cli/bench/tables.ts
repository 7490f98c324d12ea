import { type BenchResult, isSkipped, leftOut, type Measured } from "./bench-result.ts";
import type { Run } from "./contender.ts";
import { verdicts } from "./goals.ts";

/** Rows of text under a heading, for a terminal or a page. The first column is left-aligned, the others are numbers. */
export interface TextTable {
  title: string;
  head: string[];
  rows: string[][];
  /** What a reader must know to read it right. */
  notes: string[];
}

/** Every table that a result gives. */
export function tablesOf(result: BenchResult): TextTable[] {
  return [
    goalTable(result),
    contenderTable(result),
    ...applicationTables(result),
    ...columnstoreTables(result),
  ];
}

function goalTable({ ratios, rows }: BenchResult): TextTable {
  const isGoalSize = rows === 2_500_000;
  return {
    title: "Figures and their goals",
    head: ["figure", "measured", "goal", ""],
    rows: verdicts(ratios).map(({ title, value, goal, verdict }) => [title, value, goal, verdict]),
    notes: isGoalSize ? [] : ["The goals are meant for 2,500,000 rows on two cores."],
  };
}

function contenderTable(result: BenchResult): TextTable {
  const timelift = result.contenders.timelift;
  const own = isSkipped(timelift) ? undefined : timelift.median.wallMs;
  const entries = Object.entries({
    ...result.contenders,
    validation: result.validation,
    unchanged: result.unchanged,
    "empty run": result.emptyRun,
    incremental: result.incremental,
  }).filter(([, value]) => !isLeftOut(value));
  return {
    title: `Loading ${count(result.rows)} rows: medians of ${result.rounds}`,
    head: ["", "wall", "CPU", "server's CPU", "peak memory", "÷ timelift"],
    rows: entries.flatMap(([, value]) => (isSkipped(value) ? [] : measuredRows(value, own))),
    notes: entries.flatMap(([name, value]) => (isSkipped(value) ? [`${name}: ${value.skipped}.`] : [])),
  };
}

function measuredRows({ title, median }: Measured, own: number | undefined): string[][] {
  const steps = Object.entries(median.steps ?? {});
  return [
    [title, ...figures(median), own === undefined ? "–" : (median.wallMs / own).toFixed(2)],
    ...steps.map(([step, ms]) => [`  ${step}`, seconds(ms), "", "", "", ""]),
  ];
}

function applicationTables({ application }: BenchResult): TextTable[] {
  if (isSkipped(application)) return [];
  const { queries, inserts, sizePerMillion } = application;
  return [
    {
      title: "The application's queries (median of 5, warm, with the time to fetch the rows)",
      head: ["", "rows", "SQLite", "hypertable", "SQLite ÷ hypertable"],
      rows: queries.map(({ title, rows, sqliteMs, timescaleMs }) => [
        title,
        count(rows),
        milliseconds(sqliteMs),
        milliseconds(timescaleMs),
        (sqliteMs / timescaleMs).toPrecision(2),
      ]),
      notes: [],
    },
    {
      title: "Inserts into the loaded table, each commit on the disk",
      head: ["", "SQLite, rollback journal", "SQLite, WAL", "hypertable"],
      rows: inserts.map(({ title, sqliteRollbackMs, sqliteWalMs, timescaleMs }) => [
        title,
        ...[sqliteRollbackMs, sqliteWalMs, timescaleMs].map(seconds),
      ]),
      notes: [
        "SQLite runs inside the process with synchronous = FULL, TimescaleDB behind a loopback connection.",
      ],
    },
    {
      title: "Size of a million rows, with keys and indexes",
      head: ["", "MiB"],
      rows: [
        ["SQLite", sizePerMillion.sqlite.toFixed(0)],
        ["hypertable", sizePerMillion.rowstore.toFixed(0)],
      ],
      notes: [],
    },
  ];
}

function columnstoreTables({ columnstore, rows }: BenchResult): TextTable[] {
  const title = "Community edition: yearly chunks";
  if (isLeftOut(columnstore)) return [];
  if (isSkipped(columnstore))
    return [{ title, head: [], rows: [], notes: [`not measured: ${columnstore.skipped}.`] }];
  const mebibytes = (bytes: number) => ((bytes / 2 ** 20 / rows) * 1e6).toFixed(0);
  const line = (value: Measured, bytes: number) => {
    const { wallMs, cpuMs, memoryMb } = value.median;
    return [
      value.title,
      seconds(wallMs),
      optional(cpuMs, seconds),
      optional(memoryMb, memory),
      mebibytes(bytes),
    ];
  };
  return [
    {
      title: `${title}, TimescaleDB ${columnstore.version}`,
      head: ["", "wall, with key", "CPU", "peak memory", "MiB a million rows"],
      rows: [
        line(columnstore.rowstore, columnstore.rowstoreBytes),
        line(columnstore.columnstore, columnstore.columnstoreBytes),
      ],
      notes: [],
    },
  ];
}

function isLeftOut(value: object): boolean {
  return isSkipped(value) && value.skipped === leftOut.skipped;
}

function figures({ wallMs, cpuMs, serverCpuMs, memoryMb }: Run): string[] {
  return [
    seconds(wallMs),
    optional(cpuMs, seconds),
    optional(serverCpuMs, seconds),
    optional(memoryMb, memory),
  ];
}

function optional(value: number | null, text: (value: number) => string): string {
  return value === null ? "–" : text(value);
}

export function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(2)} s`;
}

export function milliseconds(ms: number): string {
  return `${ms >= 100 ? ms.toFixed(0) : ms.toPrecision(2)} ms`;
}

export function memory(mebibytes: number): string {
  return `${mebibytes.toFixed(0)} MiB`;
}

export function count(rows: number): string {
  return rows.toLocaleString("en-US");
}
