import { join } from "node:path";
import type { Contender } from "./contender.ts";
import { measureProcess } from "./measured-process.ts";
import { requireRows } from "./require-rows.ts";
import { quiet, versionOf } from "./rival-program.ts";
import { countRows } from "./row-count.ts";

/** sling with its own defaults: a plain table that it makes, no index. */
export const sling: Contender = {
  name: "sling",
  program: "sling",
  isOurs: false,
  title: "sling (plain table, no index)",
  secondsPerMillion: 32,
  version: () => versionOf("sling", "its binary is in PyPI's sling-linux-amd64"),
  prepare: async () => {},
  async run({ folder, source, signal }, database) {
    const { user, host, port, password } = database.owner;
    const run = await measureProcess({
      name: "sling",
      command: [
        ...["sling", "run", "--src-conn", "BENCH_SOURCE", "--src-stream", "main.price_history"],
        ...["--tgt-conn", "BENCH_TARGET", "--tgt-object", "public.price_history", "--mode", "full-refresh"],
      ],
      env: {
        ...(quiet() as Record<string, string>),
        SLING_HOME_DIR: join(folder, "sling"),
        BENCH_SOURCE: `sqlite://${source.path}`,
        BENCH_TARGET: `postgresql://${user}:${password}@${host}:${port}/${database.name}?sslmode=disable`,
      },
      signal,
    });
    requireRows("sling", await countRows(database.owner), source.rows);
    return { wallMs: run.wallMs, cpuMs: run.cpuMs, memoryMb: run.memoryMb };
  },
};
