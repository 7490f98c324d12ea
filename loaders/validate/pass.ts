import { type FoundRow, RowCapture } from "./row-capture.ts";
import { RowEntries } from "./row-entries.ts";
import type { RowSink } from "./row-sink.ts";
import { RowTally, type Tally, type TallyPlan } from "./row-tally.ts";

/** What one reading of a table is for. Plain data: both sides do the same one, in threads of their own. */
export type Pass =
  /** Adds up all rows, by buckets. */
  | { kind: "tally"; plan: TallyPlan; bits: number }
  /** Notes the hashes of the rows in some buckets. */
  | { kind: "entries"; plan: TallyPlan; bits: number; buckets: number[] }
  /** Keeps the rows of some keys. */
  | { kind: "capture"; plan: TallyPlan; keys: string[] };

/** What a pass found; the member of its kind. */
export interface PassResult {
  tally: Tally;
  entries: Int32Array;
  capture: FoundRow[];
}

/** The sink of a pass, and what it found once all rows are through. */
export interface PassSink<Kind extends Pass["kind"]> {
  sink: RowSink;
  result(): PassResult[Kind];
}

export function sinkOf<P extends Pass>(pass: P): PassSink<P["kind"]> {
  return makeSink(pass) as PassSink<P["kind"]>;
}

function makeSink(pass: Pass): PassSink<Pass["kind"]> {
  switch (pass.kind) {
    case "tally": {
      const sink = new RowTally(pass.plan, pass.bits);
      return { sink, result: () => sink.result() };
    }
    case "entries": {
      const sink = new RowEntries(pass.plan, pass.bits, pass.buckets);
      return { sink, result: () => sink.result() };
    }
    case "capture": {
      const sink = new RowCapture(pass.plan, pass.keys);
      return { sink, result: () => sink.rows };
    }
  }
}
