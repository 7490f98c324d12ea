import type pg from "pg";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { findSample } from "../cli/sample/samples.ts";
import { type Connection, connect } from "../loaders/connection.ts";
import { coreDashboards } from "../stacks/monitoring/dashboards/core.ts";
import { renderDashboard } from "../stacks/monitoring/dashboards/render.ts";
import { workloadDashboards } from "../stacks/monitoring/dashboards/workload-dashboards.ts";
import { loginOf } from "../stacks/services/login.ts";
import { filledSql, panelsOf } from "./dashboard-queries.ts";
import { DeployedWorkload } from "./deployed-workload.ts";
import { editions, unavailable } from "./edition-target.ts";
import { testSecrets } from "./postgres.ts";

/** The newest day of each sample, from which its dashboards look back. */
const newest = {
  stockula: "SELECT max(time)::date::text FROM price_history",
  "forward-factor": "SELECT max(as_of_ts)::date::text FROM signals",
};

describe.each(editions)("on the %s edition", (edition) => {
  let at: DeployedWorkload | undefined;
  beforeEach(({ skip }) => {
    const reason = unavailable(edition);
    if (reason) skip(reason);
  });
  afterEach(async () => {
    await at?.remove();
    at = undefined;
  });

  /** Who logs in there: a stack's own login, which a server of the machine's has not. */
  const as = (connection: Connection, role: "timelift_loader" | "timelift_readonly"): Connection =>
    edition === "community"
      ? connection
      : { ...connection, user: loginOf(role, 1), password: testSecrets[role] };

  test.each(["stockula", "forward-factor"] as const)(
    "every SQL panel of %s has data, read as readonly",
    async (name) => {
      at = await DeployedWorkload.make({ name, path: "", options: {} }, edition);
      const { source, target, workload } = at;
      await (await findSample(name))(source);
      await at.migrate("before-load");
      await at.load({ target: as(target.connection, "timelift_loader") });
      await at.migrate("after-load");
      await target.client.query("ANALYZE");
      const [until = ""] = await target.column<string>(newest[name]);
      const reader = await connect({ ...as(target.connection, "timelift_readonly"), readOnly: true }, "test");
      try {
        const dashboards = [...coreDashboards(), ...(await workloadDashboards(workload))];
        let asked = 0;
        for (const dashboard of dashboards) {
          const { time } = JSON.parse(renderDashboard(dashboard, { until }));
          const values: Record<string, string> = { workload: name };
          for (const variable of dashboard.variables ?? []) {
            if ("sql" in variable.values) values[variable.name] = await first(reader, variable.values.sql);
          }
          for (const { name: panelName, panel } of panelsOf([dashboard])) {
            for (const query of panel.queries) {
              if (!("sql" in query)) continue;
              asked += 1;
              const sql = filledSql(query.sql, time, values);
              const { rows, fields } = await reader.query(sql).catch((error: Error) => {
                throw new Error(`${panelName}: ${error.message}\n${sql}`);
              });
              expect(rows.length, `${panelName}\n${sql}`).toBeGreaterThan(0);
              const columns = fields.map((field) => field.name);
              expect(Object.keys(panel.columns ?? {}), panelName).toEqual(
                Object.keys(panel.columns ?? {}).filter((column) => columns.includes(column)),
              );
              if (["series", "bars", "candles"].includes(panel.show)) checkSeries(panelName, rows, fields);
              if (panel.show === "number") expect(Number(Object.values(rows[0])[0]), panelName).not.toBeNaN();
            }
          }
        }
        expect(asked).toBeGreaterThan(7);
      } finally {
        await reader.end();
      }
    },
  );
});

async function first(client: pg.Client, sql: string): Promise<string> {
  const { rows } = await client.query({ text: sql, rowMode: "array" });
  expect(rows.length, sql).toBeGreaterThan(0);
  return rows[0]?.[0] as string;
}

/** What Grafana's PostgreSQL data source asks of a series: a column `time`, in order, and numbers. */
function checkSeries(name: string, rows: Record<string, unknown>[], fields: pg.FieldDef[]): void {
  const times = rows.map(({ time }) => time as Date);
  expect(
    times.every((time) => time instanceof Date),
    name,
  ).toBe(true);
  expect(times, name).toEqual([...times].sort((a, b) => a.getTime() - b.getTime()));
  const numbers = new Set([20, 21, 23, 700, 701, 1700]);
  const others = fields.filter((field) => !["time", "metric"].includes(field.name));
  expect(others.length, name).toBeGreaterThan(0);
  for (const field of others)
    expect(numbers, `${name}: ${field.name} is no number`).toContain(field.dataTypeID);
}
