import { parentPort, receiveMessageOnPort, workerData } from "node:worker_threads";
import type { EncodedColumn } from "../encode/row-encoder.ts";
import type { Part } from "../load-result.ts";
import { TimeliftError } from "../timelift-error.ts";
import { encodePages } from "./encode-pages.ts";
import { type Encoded, type EncodeJob, encodeParts } from "./encode-parts.ts";
import type { KeyFindings, KeysJob } from "./keys/keyed-table.ts";
import { openSource } from "./open-source.ts";
import { OutgoingBytes } from "./outgoing-bytes.ts";
import { pagedTable } from "./pages/paged-table.ts";
import type { RefusedRows } from "./refused-rows.ts";
import { probeRows, type RejectProbe } from "./reject-probe.ts";
import { sourceError } from "./source-error.ts";
import { countRows, type TableRead } from "./table-reader.ts";
import { type Verification, verifyParts } from "./verify-parts.ts";

/** What a reader thread can be asked to do. */
export type SourceJob =
  | ({ kind: "encode" } & EncodeJob)
  | { kind: "verify"; read: TableRead; parts: Part[]; seed: string }
  | { kind: "count"; read: TableRead }
  | { kind: "probe"; read: TableRead; columns: EncodedColumn[]; rowids: bigint[]; refused: RefusedRows }
  | ({ kind: "keys" } & KeysJob);

/** What a reader thread says; a `rows` message has to be answered with a credit. */
export type SourceMessage =
  | Encoded
  | { kind: "verified"; verification: Verification }
  | { kind: "counted"; rows: number }
  | { kind: "probed"; probe: RejectProbe }
  | { kind: "keys"; findings: KeyFindings }
  | { kind: "done" }
  | { kind: "failed"; error: { code: string; subject: string; problem: string; remedy: string } | string };

/**
 * Bytes that may wait to be written; reading stops there. More than the rows that are put in order at a time, so that
 * the server has something to do while the next ones are read.
 */
const mostWaiting = 10 * 1024 * 1024;

/** A chunk was written; its buffer comes back to be filled again, where nothing else can still read it. */
export interface Credit {
  kind: "credit";
  bytes: number;
  buffer: ArrayBuffer | null;
}

/** There will be no more jobs. */
export interface Close {
  kind: "close";
}

const port = parentPort;
if (port !== null) {
  const path = workerData.path as string;
  const source = openSource(path);
  const outgoing = new OutgoingBytes();
  let waiting = 0;
  let resume: (() => void) | null = null;
  const say = (message: SourceMessage, transfer: ArrayBuffer[] = []) => port.postMessage(message, transfer);

  /** While a job runs, credits lie in the port until somebody looks. */
  const takeCredits = () => {
    for (let next = receiveMessageOnPort(port); next; next = receiveMessageOnPort(port)) take(next.message);
  };

  const run = async (job: SourceJob) => {
    if (job.kind === "count") {
      say({ kind: "counted", rows: countRows(source, job.read, {}) });
    } else if (job.kind === "verify") {
      say({ kind: "verified", verification: verifyParts({ source, path }, job.read, job.parts, job.seed) });
    } else if (job.kind === "probe") {
      const { read, columns, rowids, refused } = job;
      say({ kind: "probed", probe: probeRows(source, read, columns, rowids, refused) });
    } else if (job.kind === "keys") {
      const { findRefused } = await import("./keys/find-refused.ts");
      say({ kind: "keys", findings: findRefused({ source, path }, job) });
    } else {
      const ranged = job.range.beyond === undefined && job.range.rowids === undefined;
      const table = ranged ? pagedTable(source, job.read) : null;
      const all =
        table === null ? encodeParts(source, job) : encodePages({ source, path, table, outgoing }, job);
      for (const encoded of all) {
        if (encoded.kind !== "rows") {
          say(encoded);
          continue;
        }
        waiting += encoded.bytes.length;
        say(encoded, [encoded.bytes.buffer]);
        takeCredits();
        if (waiting >= mostWaiting) {
          await new Promise<void>((resolve) => {
            resume = resolve;
          });
        }
      }
    }
    say({ kind: "done" });
  };

  const take = (message: SourceJob | Credit | Close) => {
    if (message.kind === "close") {
      source.close();
      port.close();
      return;
    }
    if (message.kind === "credit") {
      if (message.buffer !== null) outgoing.give(message.buffer);
      waiting -= message.bytes;
      if (waiting < mostWaiting) {
        resume?.();
        resume = null;
      }
      return;
    }
    run(message).catch((error) => say({ kind: "failed", error: describe(sourceError(path, error)) }));
  };
  port.on("message", take);
}

function describe(error: unknown): Extract<SourceMessage, { kind: "failed" }>["error"] {
  if (error instanceof TimeliftError) {
    const { code, subject, remedy } = error;
    const problem = error.message.slice(subject.length + 2, error.message.indexOf("\n  remedy: "));
    return { code, subject, problem, remedy };
  }
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
