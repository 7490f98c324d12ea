import { parentPort, workerData } from "node:worker_threads";
import type { Part } from "../load-result.ts";
import { TimeliftError } from "../timelift-error.ts";
import { type EncodeJob, encodeParts, Rejected } from "./encode-parts.ts";
import { openSource } from "./open-source.ts";
import { sourceError } from "./source-error.ts";
import { countRows, type TableRead } from "./table-reader.ts";
import { type Verification, verifyParts } from "./verify-parts.ts";

/** What a reader thread can be asked to do. */
export type SourceJob =
  | ({ kind: "encode" } & EncodeJob)
  | { kind: "verify"; read: TableRead; parts: Part[]; seed: string }
  | { kind: "count"; read: TableRead };

/** What a reader thread says; a `rows` message has to be answered with a credit. */
export type SourceMessage =
  | { kind: "rows"; bytes: Uint8Array<ArrayBuffer>; rows: number }
  | { kind: "part"; part: Part }
  | { kind: "verified"; verification: Verification }
  | { kind: "counted"; rows: number }
  | { kind: "done" }
  | { kind: "failed"; error: { code: string; subject: string; problem: string; remedy: string } | string };

/** Chunks of 1 MB that may wait to be written; reading stops there. */
const mostWaiting = 6;

const port = parentPort;
if (port !== null) {
  const path = workerData.path as string;
  const source = openSource(path);
  let waiting = 0;
  let resume: (() => void) | null = null;
  const say = (message: SourceMessage, transfer: ArrayBuffer[] = []) => port.postMessage(message, transfer);

  const run = async (job: SourceJob) => {
    if (job.kind === "count") {
      say({ kind: "counted", rows: countRows(source, job.read, {}) });
    } else if (job.kind === "verify") {
      say({ kind: "verified", verification: verifyParts(source, job.read, job.parts, job.seed) });
    } else {
      for (const encoded of encodeParts(source, job)) {
        if (encoded.kind === "part") {
          say(encoded);
          continue;
        }
        say(encoded, [encoded.bytes.buffer]);
        waiting += 1;
        if (waiting >= mostWaiting) {
          await new Promise<void>((resolve) => {
            resume = resolve;
          });
        }
      }
    }
    say({ kind: "done" });
  };

  port.on("message", (message: SourceJob | "credit") => {
    if (message === "credit") {
      waiting -= 1;
      if (waiting < mostWaiting) {
        resume?.();
        resume = null;
      }
      return;
    }
    run(message).catch((error) => say({ kind: "failed", error: describe(sourceError(path, error)) }));
  });
}

function describe(error: unknown): Extract<SourceMessage, { kind: "failed" }>["error"] {
  if (error instanceof Rejected) {
    const { table, key, column, reason } = error.rejected;
    return {
      code: "value-refused",
      subject: `source table ${table}, ${key}, target column ${column}`,
      problem: `${reason}.`,
      remedy:
        "Correct the value in the source, or give the target column a type that holds it, in a migration. Nothing of the row was changed on the way.",
    };
  }
  if (error instanceof TimeliftError) {
    const { code, subject, remedy } = error;
    const problem = error.message.slice(subject.length + 2, error.message.indexOf("\n  remedy: "));
    return { code, subject, problem, remedy };
  }
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
