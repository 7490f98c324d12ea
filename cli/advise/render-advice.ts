import { columnsOf, fill, printable, width, wrapped } from "../../loaders/inspect/terminal-text.ts";
import {
  type Choice,
  type HypertableAdvice,
  isAsDeclared,
  type QueryAdvice,
  type TableFigures,
  type WorkloadAdvice,
} from "./advice.ts";
import { count, duration, listed, mebibytes } from "./figure-text.ts";
import type { MeasuredTable } from "./measure/measurement.ts";

/** An advice for people: a headline, figures, advice with its reasons, then the commands. At most 100 wide. */
export function renderAdvice(advice: WorkloadAdvice): string[] {
  const { workload, source, edition, memoryMb, hypertables, queries } = advice;
  const facts = `${counted(hypertables.length, "hypertable")} of workload ${workload}, ${edition} edition, ${count(memoryMb)} MiB`;
  const lines = [`${source}: ${facts}`, ""];
  const told = hypertables.filter(({ figures }) => figures !== null);
  for (const table of told.toSorted((a, b) => (b.figures?.rows ?? 0) - (a.figures?.rows ?? 0))) {
    lines.push(...renderHypertable(table, advice), "");
  }
  for (const { table, nothingToGain } of hypertables.filter(({ figures }) => figures === null)) {
    lines.push(...wrapped(`${table}: ${nothingToGain}`, "  "));
  }
  if (told.length < hypertables.length) lines.push("");
  lines.push(...renderQueries(queries), ...renderMeasurement(advice));
  const config = hypertables.flatMap((table) => table.config);
  if (config.length === 0) return [...lines, "Nothing to change: what is declared suits these rows."];
  return [...lines, "To take the advice:", ...config.map((line) => `  ${line}`)];
}

function renderHypertable(advice: HypertableAdvice, { edition }: WorkloadAdvice): string[] {
  const { table, time, figures, nothingToGain, chunk, columnstore, indexes } = advice;
  if (figures === null) return [];
  const lines = wrapped(`${table}  ${headline(figures)}`, "    ");
  if (nothingToGain !== null) {
    lines.push(...wrapped(`  nothing to gain: ${nothingToGain}; ${chunk.advised} stays`, "    "));
    return advice.measured ? [...lines, ...measuredLines(advice.measured, advice)] : lines;
  }
  lines.push(...figureTable(figures), ...lateRows(figures, time), "");
  lines.push(...choiceLines("chunk", chunk, (value) => value));
  if (columnstore) {
    if (edition === "apache")
      lines.push("  columnstore  skipped on the Apache edition; on Community it would be");
    const { segmentBy, orderBy, after } = columnstore;
    lines.push(...choiceLines("segment by", segmentBy, listed));
    lines.push(...choiceLines("order by", orderBy, (columns) => columns.join(", ")));
    lines.push(...choiceLines("move after", after, (value) => value));
  }
  for (const { kind, text, migration } of indexes) {
    lines.push(...labelled(indexWords[kind], [text, ...(migration ? [`in a migration: ${migration}`] : [])]));
  }
  if (advice.migration.length > 0 && edition === "community") {
    lines.push(
      ...labelled(
        "to have it",
        advice.migration.map((line) => `in a migration: ${line}`),
      ),
    );
  }
  if (advice.measured) lines.push("", ...measuredLines(advice.measured, advice));
  return lines;
}

function measuredLines(measured: MeasuredTable, { chunk }: HypertableAdvice): string[] {
  const { rows, of, stretch, declared, advised, verdict } = measured;
  const days = stretch?.map((moment) => moment.slice(0, 10)).join(" to ");
  const sampled =
    rows < of ? `${count(rows)} of ${counted(of, "row")}${days ? `, ${days}` : ""}` : counted(of, "row");
  const sizes = [declared, ...(advised ? [advised] : [])];
  const table = besides([
    [`  measured with ${sampled}`, "declared", ...(advised ? ["advised"] : [])],
    ["    chunk", `${chunk.declared}`, ...(advised ? [chunk.advised] : [])],
    ["    chunks", ...sizes.map(({ chunks }) => count(chunks))],
    ["    size", ...sizes.map(({ bytes }) => mebibytes(bytes))],
  ]);
  return verdict ? [...table, ...wrapped(`  ${verdict.status}: ${verdict.reason}`, "    ")] : table;
}

const indexWords = { serves: "index", missing: "add index", redundant: "not needed", unused: "not needed" };

function headline({ rows, read, from, until, rowBytes, indexBytes, timeless }: TableFigures): string {
  const day = (moment: string) => moment.slice(0, 10);
  return [
    counted(rows, "row"),
    day(from) === day(until) ? day(from) : `${day(from)} to ${day(until)}`,
    `${mebibytes(rows * (rowBytes + indexBytes))} (${rowBytes} bytes a row and ${indexBytes} of index)`,
    ...(read < rows ? [`figures from ${count(read)} rows spread evenly`] : []),
    ...(timeless > 0 ? [`${count(timeless)} without a time that can be read`] : []),
  ].join(", ");
}

function figureTable({ periods, segments }: TableFigures): string[] {
  const shown = segments.map((each, at) => ({ ...each, at })).filter((each) => tellsMore(each, segments));
  const rows = [
    ["  rows in", ...periods.map(({ period }) => period)],
    ["    median", ...periods.map(({ median }) => count(median))],
    ["    one in ten has more than", ...periods.map(({ p90 }) => count(p90))],
    ["    most", ...periods.map(({ most }) => count(most))],
    ...shown.map(({ columns, values, at }) => [
      `    of one ${listed(columns)}${values === null ? " (nearly all differ)" : ` (of ${count(values)})`}`,
      ...periods.map(({ perSegment }) => {
        const rows = perSegment[at] ?? null;
        return rows === null ? "–" : count(rows);
      }),
    ]),
    ["  such periods", ...periods.map(({ periods: number }) => count(number))],
  ];
  return besides(rows);
}

/** Columns that tell nothing more apart than some of them do are left out. */
function tellsMore(
  { columns, values }: TableFigures["segments"][number],
  segments: TableFigures["segments"],
): boolean {
  return !segments.some((other) => other.columns.length < columns.length && other.values === values);
}

function lateRows({ lateness }: TableFigures, time: string): string[] {
  if (lateness === null) return [];
  const share = (value: number) => `${value > 0 && value < 0.001 ? "under 0.1" : count(value * 100)} %`;
  return wrapped(
    `  written out of the order of ${time}: ${share(lateness.share)} of the rows, ${share(lateness.shareInSegment)} among those of one key`,
    "    ",
  );
}

function choiceLines<Value>(label: string, choice: Choice<Value>, text: (value: Value) => string): string[] {
  const { advised, declared, reasons } = choice;
  const beside = isAsDeclared(choice)
    ? "as declared"
    : declared === null
      ? "none is declared"
      : `in place of ${text(declared)}`;
  return labelled(label, [`${text(advised)}, ${beside}`, ...reasons.map((reason) => `- ${reason}`)]);
}

/** A label and texts beside it, each on lines of its own. */
function labelled(label: string, texts: string[]): string[] {
  const indent = " ".repeat(labelWidth);
  const lines = texts.flatMap((text) =>
    fill(printable(text), width - labelWidth - 2).map((line, at) =>
      at > 0 && text.startsWith("- ") ? `  ${line}` : line,
    ),
  );
  return lines.map((line, at) => (at === 0 ? `  ${label}`.padEnd(labelWidth) : indent) + line);
}

const labelWidth = 15;

function renderQueries(queries: QueryAdvice[]): string[] {
  if (queries.length === 0) return [];
  const isMeasured = queries.some(({ measured }) => measured !== undefined);
  const both = queries.some(({ measured }) => measured?.advisedMs != null);
  const [head = "", ...lines] = besides([
    [
      "the application's queries",
      ...["rows", "SQLite", ...(isMeasured ? ["declared"] : []), ...(both ? ["advised"] : []), ""],
    ],
    ...queries.map((query) => {
      const { rows, sqliteMs } = query.measured ?? query;
      const { declaredMs = null, advisedMs = null } = query.measured ?? {};
      const time = (ms: number | null) => (ms === null || rows === 0 ? "–" : duration(ms));
      const server = [...(isMeasured ? [time(declaredMs)] : []), ...(both ? [time(advisedMs)] : [])];
      return [`  ${query.name}`, count(rows), time(sqliteMs), ...server, verdict(query)];
    }),
  ]);
  const ways = queries.map(({ answer, measured }) => [
    ...wrapped(`      by ${answer}`, "        "),
    ...(measured?.note ? wrapped(`      ${measured.note}`, "        ") : []),
  ]);
  return [head, ...lines.flatMap((line, at) => [line, ...(ways[at] ?? [])]), ""];
}

function renderMeasurement({ measurement, edition }: WorkloadAdvice): string[] {
  if (measurement === undefined) return [];
  const { server, columnstore, declared, advised } = measurement;
  const load = (times: typeof declared) =>
    duration(times.loadMs) + (columnstore ? ` and ${duration(times.columnstoreMs)} to pack old chunks` : "");
  const told = [
    `measured on ${server}`,
    `load with keys: declared ${load(declared)}${advised ? `, advised ${load(advised)}` : ""}`,
    ...(edition === "community" && !columnstore
      ? ["the columnstore was not measured: TIMELIFT_COMMUNITY_URL names no server that has it"]
      : []),
  ];
  return [...told.flatMap((line) => wrapped(line, "  ")), ""];
}

function verdict({ sqliteMs, sqliteWins, rows, measured }: QueryAdvice): string {
  if (sqliteMs === null) return "";
  if ((measured?.rows ?? rows) === 0) return measured ? "no row of this sample" : "no row of this source";
  if (!sqliteWins) return "";
  return measured ? "SQLite is faster" : "faster than any server";
}

/** Cells side by side, the first column to the left, those that hold figures to the right. */
function besides(rows: string[][]): string[] {
  const widths = (rows[0] ?? []).map((_, at) => Math.max(...rows.map((cells) => columnsOf(cells[at] ?? ""))));
  return rows.map((cells, line) =>
    cells
      .map((cell, at) => {
        const gap = " ".repeat((widths[at] ?? 0) - columnsOf(cell));
        const isWords = line > 0 && /^[a-z]/i.test(cell) && !cell.startsWith("under ");
        return at === 0 || isWords ? cell + gap : gap + cell;
      })
      .join("  ")
      .trimEnd(),
  );
}

function counted(number: number, noun: string): string {
  return `${count(number)} ${noun}${number === 1 ? "" : "s"}`;
}
