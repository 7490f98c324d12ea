import { parentPort, workerData } from "node:worker_threads";
import { quoteIdentifier } from "../identifier.ts";
import type { ResolvedTable } from "../resolve-table.ts";
import { openSource, type Source } from "../source/open-source.ts";
import type { RowId } from "../source/row-id.ts";
import { sourceError } from "../source/source-error.ts";
import { TimeliftError } from "../timelift-error.ts";
import { ClaimedRows, type RowCounts } from "./claimed-rows.ts";
import { type KeyClaims, upheldClaims } from "./key-claims.ts";
import { planPages } from "./page-plan.ts";
import { PageRows } from "./page-rows.ts";
import { sinkOf } from "./pass.ts";
import { DoubtfulText, QueryRows } from "./query-rows.ts";
import type { SourceRows } from "./source-rows.ts";
import type { SourceAnswer, SourceEvent, SourceRequest, ThreadError } from "./source-side.ts";
import { PageSource } from "./sqlite-file/page-source.ts";
import { UnfitRows } from "./unfit-rows.ts";

/** Reads tables of the private copy, in a thread of its own: one request at a time, one answer for each. */
const port = parentPort;
if (port === null) throw new Error("source-thread.ts runs as a thread only");
const { copyPath } = workerData as { copyPath: string };
const send = (event: SourceEvent, moved: ArrayBuffer[] = []) => port.postMessage(event, moved);
let settleCast: ((texts: (string | null)[]) => void) | undefined;

/** The copy, opened by the first request, whose answer tells what is wrong with it. */
let opened: { source: Source; file: PageSource } | undefined;

port.on("message", (request: SourceRequest) => {
  const failed = (error: unknown) => send({ kind: "error", error: plainError(error) });
  if (request.kind === "casts") settleCast?.(request.texts);
  else if (request.kind === "claims") {
    uphold(request.claims).then((upheld) => send({ kind: "upheld", upheld }), failed);
  } else {
    answer(request).then((found) => send({ kind: "answer", answer: found }, buffersOf(found)), failed);
  }
});

function open() {
  opened ??= { source: openSource(copyPath), file: new PageSource(copyPath) };
  return opened;
}

async function answer(request: Extract<SourceRequest, { kind: "pass" }>): Promise<SourceAnswer> {
  const { table, pass, key, claimed, upheld } = request;
  const { source, file } = open();
  const counted = pass.kind === "tally" ? rowCount(table, source) : 0;
  const plan = planPages(table, source, file);
  const attempt = async (rows: SourceRows): Promise<SourceAnswer> => {
    const { sink, result } = sinkOf(pass);
    const unfit = new UnfitRows(table.columns, key, new ClaimedRows(claimed, upheld));
    const read = await rows.each(sink, unfit, (done) => send({ kind: "rows", rows: done }));
    return {
      ...{ result: result(), unfit: unfit.report, rounding: rows.rounding, read, counted },
      way: plan ? "pages" : "queries",
    };
  };
  if (plan) return attempt(new PageRows(table, plan, source, file));
  try {
    return await attempt(new QueryRows(table, source, cast, false));
  } catch (error) {
    if (!(error instanceof DoubtfulText)) throw error;
    return attempt(new QueryRows(table, source, cast, true));
  }
}

/** Rows at a time that are named in a query. */
const idsAQuery = 5000;

/** First the rows whose values fit: the others need no key to be rejected. */
async function uphold(claims: Omit<KeyClaims, "doubtful">): Promise<RowCounts> {
  const { source } = open();
  const { table, rejected } = claims;
  const ids = [...rejected.keys()];
  const byRowid = ids.filter((id) => typeof id === "number");
  const doubtful: RowId[] = [];
  const look = async (some: ResolvedTable) => {
    const unfit = new UnfitRows(table.columns, [], new ClaimedRows(rejected));
    await new QueryRows(some, source, cast, true).each({ add: () => {} }, unfit, () => {});
    for (const id of unfit.claimed.untrue) doubtful.push(id);
  };
  if (byRowid.length < ids.length) await look(table);
  for (let at = 0; at < byRowid.length && table.source.rowid !== null; at += idsAQuery) {
    const named = `${table.source.rowid} IN (${byRowid.slice(at, at + idsAQuery).join(", ")})`;
    await look({ ...table, where: table.where === null ? named : `(${table.where}) AND ${named}` });
  }
  return doubtful.length === 0 ? new Map() : upheldClaims(source, { ...claims, doubtful });
}

/** What of an answer moves to the other thread rather than being copied. */
function buffersOf({ result }: SourceAnswer): ArrayBuffer[] {
  if (Array.isArray(result)) return [];
  return [(result instanceof Int32Array ? result : result.buckets).buffer as ArrayBuffer];
}

/** SQLite's own count, apart from what is then read. */
function rowCount(table: ResolvedTable, source: Source): number {
  const where = table.where ? ` WHERE ${table.where}` : "";
  const count = source
    .prepare(`SELECT count(*) FROM ${quoteIdentifier(table.source.name)}${where}`)
    .pluck()
    .get();
  return Number(count);
}

function cast(texts: string[]): Promise<(string | null)[]> {
  return new Promise((settle) => {
    settleCast = settle;
    send({ kind: "cast", texts });
  });
}

/** What of an error crosses threads. */
function plainError(error: unknown): ThreadError {
  const known = sourceError(copyPath, error);
  if (!(known instanceof TimeliftError)) return { text: (error as Error).stack ?? String(error) };
  const { code, subject, remedy, message } = known;
  const problem = message.slice(subject.length + 2).split("\n  remedy: ")[0] ?? "";
  return { code, subject, problem, remedy };
}
