/** Measures named steps, side by side or in turn. */
export class StepClock {
  readonly #began: number;
  readonly #steps: { name: string; ms: number }[] = [];

  /**
   * @param started when the first step began, in milliseconds since 1970, where that was before this process
   */
  constructor(started?: { step: string; at: number }) {
    const earlier = started ? Math.max(0, performance.timeOrigin - started.at) : 0;
    this.#began = -earlier;
    if (started) this.#steps.push({ name: started.step, ms: earlier });
  }

  /** Runs a step and remembers how long it took, also when it fails. */
  async time<T>(name: string, work: () => Promise<T>): Promise<T> {
    const began = performance.now();
    try {
      return await work();
    } finally {
      this.#steps.push({ name, ms: performance.now() - began });
    }
  }

  /** A line a step, then the whole; steps that ran side by side add up to more than the whole. */
  lines(): string[] {
    const whole = { name: "whole", ms: performance.now() - this.#began };
    return [...this.#steps, whole].map(({ name, ms }) => `${name.padEnd(28)} ${(ms / 1000).toFixed(1)} s`);
  }
}
