import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Contender } from "./contender.ts";
import { measureProcess } from "./measured-process.ts";
import { requireRows } from "./require-rows.ts";
import { versionOf } from "./rival-program.ts";
import { countRows } from "./row-count.ts";

/** pgloader with its own defaults: a plain table that it makes, then the source's indexes; no foreign keys. */
export const pgloader: Contender = {
  name: "pgloader",
  program: "pgloader",
  isOurs: false,
  title: "pgloader (plain table)",
  secondsPerMillion: 18,
  version: () => versionOf("pgloader", "apt-get install pgloader"),
  prepare: async () => {},
  async run({ folder, source, signal }, database) {
    const { user, host, port, password } = database.owner;
    const home = join(folder, "pgloader");
    mkdirSync(home, { recursive: true });
    const commands = join(home, "bench.load");
    writeFileSync(
      commands,
      `LOAD DATABASE
        FROM sqlite://${source.path}
        INTO postgresql://${user}@${host}:${port}/${database.name}
        WITH include drop, create tables, create indexes, reset sequences, no foreign keys
        INCLUDING ONLY TABLE NAMES LIKE 'price_history';\n`,
    );
    const run = await measureProcess({
      name: "pgloader",
      command: ["pgloader", "--root-dir", home, commands],
      env: { PGPASSWORD: password },
      signal,
    });
    requireRows("pgloader", await countRows(database.owner), source.rows);
    return { wallMs: run.wallMs, cpuMs: run.cpuMs, memoryMb: run.memoryMb };
  },
};
