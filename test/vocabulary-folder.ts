import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Phase, phases } from "../migrations/migration-files.ts";

const vocabulary = join(import.meta.dirname, "..", "migrations");

/** A workload's migrations that a test writes. */
export class VocabularyFolder {
  readonly path = mkdtempSync(join(tmpdir(), "timelift-vocabulary-"));

  constructor() {
    symlinkSync(vocabulary, join(this.path, "timelift"));
    for (const phase of phases) mkdirSync(join(this.path, phase));
  }

  /** Writes a migration; `body` is what its function does, with `db`, `options` and the intervals in reach. */
  write(phase: Phase, name: string, body: string): void {
    const file = (each: string) => JSON.stringify(join(vocabulary, each));
    writeFileSync(
      join(this.path, phase, `${name}.ts`),
      `import { timescale } from ${file("timescale.ts")};
import { days, hours, minutes, months, years } from ${file("interval.ts")};
export const up = timescale((db, options) => { ${body} });
export const down = up.reverse;
`,
    );
  }

  remove(): void {
    rmSync(this.path, { recursive: true });
  }
}
