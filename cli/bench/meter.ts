import { leftOut, type Measured, type Skipped } from "./bench-result.ts";
import type { BenchServer } from "./bench-server.ts";
import type { Run } from "./contender.ts";
import { medianRun } from "./median.ts";

/** Takes measurements one after the other, and keeps them by name. */
export class Meter {
  readonly #server: BenchServer;
  readonly #log: (line: string) => void;
  readonly #runs = new Map<string, Run[]>();
  readonly #skipped = new Map<string, string>();

  constructor(server: BenchServer, log: (line: string) => void) {
    this.#server = server;
    this.#log = log;
  }

  /**
   * Measures `work` on a server that has written out what was before, and tells it.
   * @param expectedSeconds what to announce before there is a run to go by
   */
  async take(
    name: string,
    label: string,
    expectedSeconds: number,
    work: () => Promise<Omit<Run, "serverCpuMs">>,
  ): Promise<void> {
    await this.#server.settle();
    const runs = this.#runs.get(name) ?? [];
    const expected = (runs.at(-1)?.wallMs ?? expectedSeconds * 1000) / 1000;
    if (expected >= 5) this.#log(`${label}, about ${Math.ceil(expected)} s`);
    const before = this.#server.cpuMs();
    const run = await work();
    runs.push({ ...run, serverCpuMs: this.#server.cpuMs() - before });
    this.#runs.set(name, runs);
    this.#log(`${label}: ${(run.wallMs / 1000).toFixed(2)} s`);
  }

  /** Notes why there is no figure; what was measured of it before does not count. */
  skip(name: string, reason: string): void {
    this.#skipped.set(name, reason);
    this.#log(`${name}: not measured, ${reason}`);
  }

  isSkipped(name: string): boolean {
    return this.#skipped.has(name);
  }

  /** All runs of one name with their median, or why there is none. */
  measured(name: string, title: string): Measured | Skipped {
    const reason = this.#skipped.get(name);
    if (reason !== undefined) return { skipped: reason };
    const runs = this.#runs.get(name);
    return runs ? { title, median: medianRun(runs), runs } : leftOut;
  }
}
