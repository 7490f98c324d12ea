/** Measures named steps, side by side or in turn. */
export class StepClock {
  readonly #began = performance.now();
  readonly #steps: { name: string; ms: number }[] = [];

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
