import { existsSync } from "node:fs";
import { addKey, makeTables } from "./bench-workload.ts";
import type { Arena, Contender } from "./contender.ts";
import { requireRows } from "./require-rows.ts";
import { measureLoad } from "./timelift-contender.ts";

/**
 * What no loader can beat: the server itself reads a ready file in its own binary form, in the order of the source, and
 * then builds the key. Reading SQLite, encoding and sending cost nothing here.
 */
export const floor: Contender = {
  name: "floor",
  isOurs: true,
  title: "floor (server-side COPY)",
  secondsPerMillion: 3.2,
  version: async () => ({ version: "the server's own COPY" }),
  async prepare(arena, database) {
    await makeBinaryFile(arena);
    await makeTables(database.owner);
  },
  async run({ server, source }, database) {
    const file = await server.sharedFile(fileName);
    const start = performance.now();
    const rows = await server.asSuperuser(database.name, async (client) => {
      const copied = await client.query(`COPY price_history FROM '${file.seenByServer}' (FORMAT binary)`);
      return copied.rowCount ?? 0;
    });
    const copy = performance.now() - start;
    requireRows("the floor", rows, source.rows);
    const key = await addKey(database.owner);
    return { wallMs: copy + key, cpuMs: null, memoryMb: null, steps: { copy, key } };
  },
};

const fileName = "floor.copy";

/** Made once a run, from a table that timelift has loaded. */
async function makeBinaryFile(arena: Arena): Promise<void> {
  const { server, source } = arena;
  const file = await server.sharedFile(fileName);
  if (existsSync(file.path)) return;
  const database = await server.freshDatabase("bench_floor_source");
  await makeTables(database.owner);
  const { result } = await measureLoad(arena, database, source.path);
  requireRows("timelift", result.rows, source.rows);
  await server.asSuperuser(database.name, (client) =>
    client.query(
      `COPY (SELECT * FROM price_history ORDER BY symbol, "time", "interval")
       TO '${file.seenByServer}' (FORMAT binary)`,
    ),
  );
  await server.drop(database.name);
}
