import { duration, mebibytes } from "../figure-text.ts";

/** Figures of one hypertable under both choices. */
export interface Compared {
  bytes: { declared: number; advised: number };
  /** Of the load as a whole, with what packs old chunks. */
  loadMs: { declared: number; advised: number };
  /** Of the queries that name the table and found rows. */
  queriesMs: { declared: number; advised: number }[];
}

export interface Verdict {
  status: "confirmed" | "withdrawn";
  reason: string;
}

/** Size and query times together have to become less by this for an advice to stand. */
const leastGain = 0.97;
/** And neither may become more by this, nor the load. */
const mostLoss = 1.15;
const mostLoadLoss = 1.5;
/** A load that takes less time says nothing about another. */
const tellingLoadMs = 2000;

/** Whether what was measured bears an advice out. */
export function verdictOf({ bytes, loadMs, queriesMs }: Compared): Verdict {
  const size = bytes.advised / bytes.declared;
  const queries = geometricMean(queriesMs.map(({ advised, declared }) => advised / declared));
  const load = loadMs.advised / loadMs.declared;
  const figures = [
    `${mebibytes(bytes.advised)} against ${mebibytes(bytes.declared)}`,
    ...(queriesMs.length > 0
      ? [`queries take ${queries.toFixed(2)} times as long (${listing(queriesMs)})`]
      : []),
    `load ${duration(loadMs.advised)} against ${duration(loadMs.declared)}`,
  ];
  const gain = Math.sqrt(size * (queriesMs.length > 0 ? queries : size));
  const loadTells = Math.max(loadMs.declared, loadMs.advised) >= tellingLoadMs;
  const holds =
    gain <= leastGain && size <= mostLoss && queries <= mostLoss && !(loadTells && load > mostLoadLoss);
  return { status: holds ? "confirmed" : "withdrawn", reason: figures.join(", ") };
}

function geometricMean(ratios: number[]): number {
  return ratios.length === 0
    ? 1
    : Math.exp(ratios.reduce((sum, ratio) => sum + Math.log(ratio), 0) / ratios.length);
}

function listing(times: Compared["queriesMs"]): string {
  return times
    .map(({ declared, advised }) => `${duration(advised)} against ${duration(declared)}`)
    .join("; ");
}
