import type { BenchDatabase, BenchServer } from "./bench-server.ts";
import type { BenchSource } from "./bench-source.ts";

/** What one measurement took. */
export interface Run {
  wallMs: number;
  /** Processor time of the contender's own processes; null where all its work is the server's. */
  cpuMs: number | null;
  /** Processor time of the server's processes meanwhile; null where it is not ours. */
  serverCpuMs: number | null;
  /** Peak memory of all the contender's own processes. */
  memoryMb: number | null;
  /** Milliseconds of each step, where there are several. */
  steps?: Record<string, number>;
}

/** What a contender works with. */
export interface Arena {
  server: BenchServer;
  source: BenchSource;
  /** A folder of this run's own, removed at its end. */
  folder: string;
  signal: AbortSignal;
}

/** One way to bring the source into a database. */
export interface Contender {
  name: ContenderName;
  /** The program that `version` speaks of, where it is not the server. */
  program?: string;
  /** Without it there is no bench; a rival that fails is left out. */
  isOurs: boolean;
  /** What it does, for people. */
  title: string;
  /** Seconds for a million rows on a quiet two-core machine, for the first round's progress line. */
  secondsPerMillion: number;
  /** Version of the program, or why it cannot run here. */
  version(): Promise<{ version: string } | { missing: string }>;
  /** Brings the database to the state in which the measured work begins. */
  prepare(arena: Arena, database: BenchDatabase): Promise<void>;
  run(arena: Arena, database: BenchDatabase): Promise<Omit<Run, "serverCpuMs">>;
}

export const contenderNames = ["timelift", "floor", "pgloader", "sling", "pipe"] as const;
export type ContenderName = (typeof contenderNames)[number];
