import { parseSections, type Section } from "./schema/section.ts";

/** How one object differs between two dumps. */
export interface ObjectDifference {
  /** Kind and name, `table price_history`. */
  object: string;
  /** `missing`: only expected; `unexpected`: only found. */
  change: "changed" | "missing" | "unexpected";
  /** Its lines that differ, in order: `-` before those that were expected, `+` before those that were found. */
  lines: string[];
}

/** Compares two dumps, object by object; nothing where they are the same. */
export function diffSchemas(expected: string, found: string): ObjectDifference[] {
  const before = parseSections(expected);
  const after = parseSections(found);
  const differences: ObjectDifference[] = [];
  for (const { heading, lines } of before) {
    const other = after.find((section) => section.heading === heading);
    if (other === undefined) differences.push(whole("missing", "-", { heading, lines }));
    else if (lines.join("\n") !== other.lines.join("\n")) {
      differences.push({ object: heading, change: "changed", lines: diffLines(lines, other.lines) });
    }
  }
  const known = new Set(before.map(({ heading }) => heading));
  for (const section of after) {
    if (!known.has(section.heading)) differences.push(whole("unexpected", "+", section));
  }
  return differences;
}

/** The differences as text: each object's heading, then its lines; an object that is not on both sides carries a sign. */
export function renderDifferences(differences: ObjectDifference[]): string[] {
  const sign = { changed: " ", missing: "-", unexpected: "+" };
  return differences.flatMap(({ object, change, lines }) => [
    `${sign[change]} ${object}`,
    ...lines.map((line) => `${line[0]}   ${line.slice(1)}`.trimEnd()),
  ]);
}

function whole(
  change: "missing" | "unexpected",
  sign: string,
  { heading, lines }: Section,
): ObjectDifference {
  return { object: heading, change, lines: lines.map((line) => sign + line) };
}

/** The fewest lines to take away and to add, by their longest common subsequence. */
export function diffLines(before: string[], after: string[]): string[] {
  // common[i][j]: how many lines before.slice(i) and after.slice(j) have in common.
  const common = Array.from({ length: before.length + 1 }, () => new Uint32Array(after.length + 1));
  const at = (i: number, j: number) => common[i]?.[j] ?? 0;
  for (let i = before.length - 1; i >= 0; i--) {
    for (let j = after.length - 1; j >= 0; j--) {
      const longest = before[i] === after[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
      (common[i] as Uint32Array)[j] = longest;
    }
  }
  const lines: string[] = [];
  let [i, j] = [0, 0];
  while (i < before.length || j < after.length) {
    if (i < before.length && j < after.length && before[i] === after[j]) {
      i++;
      j++;
    } else if (j >= after.length || (i < before.length && at(i + 1, j) >= at(i, j + 1))) {
      lines.push(`-${before[i++]}`);
    } else lines.push(`+${after[j++]}`);
  }
  return lines;
}
