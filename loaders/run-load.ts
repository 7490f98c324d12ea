import { setTimeout as sleep } from "node:timers/promises";
import { type Connection, describeTarget } from "./connection.ts";
import type { DeclaredKeys } from "./declared-keys.ts";
import type { LoaderDefinition } from "./define-loader.ts";
import { interrupted, LoadAttempt } from "./load-attempt.ts";
import type { LoadEvent } from "./load-event.ts";
import type { LoadResult } from "./load-result.ts";
import type { MaxRejects } from "./reject-limit.ts";
import { SourceMoved } from "./source/still-source.ts";
import { TimeliftError } from "./timelift-error.ts";

/** What a load needs. */
export interface RunLoadArgs {
  /** Name under which the ledger keeps what was loaded. */
  workload: string;
  loader: LoaderDefinition;
  /** Path of the SQLite file. */
  source: string;
  /** Where the private copy is kept (`openSnapshot`). */
  copyPath: string;
  /** The database itself (no pooler), as the loading role. */
  target: Connection;
  /**
   * Tells hypertable -> age from which its chunks belong into the columnstore, as PostgreSQL's interval reads it: older
   * rows may be written straight there. Asked only when there are rows to write.
   * @default none do
   */
  columnstoreAfter?: () => Promise<Record<string, string>>;
  /**
   * Tells the keys that migrations build: rows that would violate them are rejected, with what stands in their way, before
   * any row is written. Asked only when there may be something to write.
   * @default none
   */
  keys?: () => Promise<DeclaredKeys[]>;
  /** Told of every step. */
  events?: (event: LoadEvent) => void;
  /** Stops the load; what was committed stands. */
  signal?: AbortSignal;
  /**
   * Rows a part: what one transaction writes and one digest covers.
   * @default 50000
   */
  partRows?: number;
  /**
   * Rows that may be rejected, because a value does not fit its target column or a key refuses them, before the load
   * fails: a number of rows, or a share of the load's rows such as "0.1%". The rows that fit are loaded either way.
   * @default 0
   */
  maxRejects?: MaxRejects;
  /**
   * Connections, each with a reader thread, that write side by side.
   * @default one for every two cores, at most 4, and never more than the server has connections for
   */
  workers?: number;
  /**
   * Compares every row with the target, although ledger and source say that nothing changed.
   * @default false
   */
  force?: boolean;
  /**
   * How often a load goes on after its connection broke, without having got any further: after 0.5 s, 1 s, 2 s ….
   * @default 5
   */
  retries?: number;
  /**
   * How long, in ms, to wait for another loader to end.
   * @default 30000
   */
  lockWaitMs?: number;
}

/** The first wait before a load goes on after its connection broke (ms); each wait is twice the one before. */
const firstWaitMs = 500;

/**
 * Loads what the target lacks, and brings it in line with what changed in the source. Safe to run again at any time,
 * after a kill too: a part's rows and its ledger row commit together. A broken connection is opened again; a source
 * that is written to while it is read in place is copied.
 *
 * @throws TimeliftError as `openSnapshot`, `resolveTable`, `takeAdvisoryLock`; rows-rejected, max-rejects, target-*,
 * load-interrupted
 */
export async function runLoad(args: RunLoadArgs): Promise<LoadResult> {
  const start = performance.now();
  const attempt = new LoadAttempt(args);
  const most = args.retries ?? 5;
  for (let retry = 0; ; ) {
    try {
      const result = await attempt.run();
      return { ...result, ms: Math.round(performance.now() - start) };
    } catch (error) {
      if (error instanceof SourceMoved) {
        attempt.inPlace = false;
        continue;
      }
      if (attempt.madeProgress()) retry = 0;
      if (!attempt.mayRetry(error)) throw error;
      if (retry === most) throw most === 0 ? error : triedAgain(error as TimeliftError, most);
      const waitMs = firstWaitMs * 2 ** retry;
      retry += 1;
      const reason = (error as Error).message.split("\n")[0] ?? "";
      args.events?.({ kind: "retry", attempt: retry, of: most, waitMs, reason });
      await sleep(waitMs, undefined, args.signal ? { signal: args.signal } : {}).catch(() => {
        throw interrupted(describeTarget(args.target), args.signal?.reason);
      });
    }
  }
}

function triedAgain({ code, subject, problem, remedy, cause }: TimeliftError, times: number): TimeliftError {
  return new TimeliftError({
    code,
    subject,
    problem: `${problem} Tried again ${times} times.`,
    remedy,
    cause,
  });
}
