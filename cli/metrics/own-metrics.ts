import type pg from "pg";
import { Counter, Gauge, Registry } from "prom-client";
import { kindOf, type OwnQuery, ownQueries } from "../../stacks/monitoring/own-queries.ts";
import { own } from "../../stacks/monitoring/series.ts";

/** What the target's schema `timelift` says of loads and validations; nothing of what was not done yet. */
export async function readOwnMetrics(client: pg.ClientBase): Promise<Registry> {
  const registry = new Registry();
  for (const query of Object.values<OwnQuery>(ownQueries)) {
    const { rows: found } = await client.query("SELECT to_regclass($1) IS NOT NULL AS there", [query.table]);
    if (!found[0].there) continue;
    const { rows } = await client.query<Record<string, string | number | null>>(query.sql);
    for (const [column, name] of Object.entries(query.values)) {
      const args = { name, help: own[name].help, labelNames: query.labels, registers: [registry] };
      const metric = kindOf(name) === "counter" ? new Counter(args) : new Gauge(args);
      for (const row of rows) {
        const value = row[column];
        if (value === null || value === undefined) continue;
        const labels = Object.fromEntries(query.labels.map((label) => [label, String(row[label])]));
        metric.inc(labels, Number(value));
      }
    }
  }
  return registry;
}
