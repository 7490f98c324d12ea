/** Where values lie on an axis, in percent of its length, and the values to name along it. */
export interface Scale {
  logarithmic: boolean;
  at(value: number): number;
  ticks: number[];
}

/** Values that differ by more lie on a logarithmic scale. */
const widestLinear = 20;
/** The least that is measured, in the values' unit. */
const least = 0.05;

/** A scale on which the least of the values can still be seen. */
export function scaleOf(values: number[]): Scale {
  const [low, high] = [Math.max(least, Math.min(...values)), Math.max(least, ...values)];
  return high / low > widestLinear ? logarithmic(low, high) : linear(high);
}

/** A scale from nothing to at least `high`. */
export function linear(high: number): Scale {
  const step = niceStep(high / 4);
  const steps = Math.max(1, Math.ceil(high / step));
  const top = step * steps;
  return {
    logarithmic: false,
    at: (value) => clamped((value / top) * 100),
    ticks: Array.from({ length: steps + 1 }, (_, index) => Number((index * step).toPrecision(12))),
  };
}

function logarithmic(low: number, high: number): Scale {
  // Half as much as the least value, so that its bar has a length.
  const bottom = Math.floor(Math.log10(low / 2));
  const top = Math.max(bottom + 1, Math.ceil(Math.log10(high)));
  return {
    logarithmic: true,
    at: (value) => clamped(((Math.log10(value || least) - bottom) / (top - bottom)) * 100),
    ticks: Array.from({ length: top - bottom + 1 }, (_, index) => Number(`1e${bottom + index}`)),
  };
}

function niceStep(rough: number): number {
  if (rough <= 0) return 1;
  const power = 10 ** Math.floor(Math.log10(rough));
  return power * ([1, 2, 5].find((factor) => factor * power >= rough) ?? 10);
}

function clamped(percent: number): number {
  return Math.round(Math.min(100, Math.max(0, percent)) * 100) / 100;
}
