import { afterAll, beforeAll, expect, test } from "vitest";
import { everyHours } from "../loaders/freshness.ts";
import { alerts } from "../stacks/alert-config.ts";
import { renderAlerts } from "../stacks/monitoring/alert-rules.ts";
import { ruleFiles } from "../stacks/monitoring/rule-files.ts";
import { recorded, type Series } from "../stacks/monitoring/series.ts";
import { ServiceFolder } from "../stacks/platforms/native/service-folder.ts";
import { alertmanager } from "../stacks/services/alertmanager.ts";
import { scrapeOf } from "../stacks/services/prometheus.ts";
import { AlertReceiver } from "./alert-receiver.ts";
import { MonitoredStack } from "./monitored-stack.ts";
import { stackSecrets } from "./native-stack.ts";

/** One story on real services, with short times: each test goes on where the one before it ended. */
const limits = alerts.parse({ intervalSeconds: 2, windowSeconds: 10, patience: 0, stalenessSeconds: 3 });
const patient = { timeout: 60_000, interval: 100 };
let stack: MonitoredStack;
let receiver: AlertReceiver;
const times: string[] = [];

/** Waits until the receiver is told, and notes how long that took. */
async function arrives(alertname: string, status: "firing" | "resolved", since: number): Promise<void> {
  await expect.poll(() => receiver.find(alertname, status, since), patient).toBeDefined();
  const { at } = receiver.find(alertname, status, since) as { at: number };
  times.push(`${alertname} ${status} after ${((at - since) / 1000).toFixed(1)} s`);
}

const now = () => new Date().toISOString();

/** Gives Alertmanager an alert as Prometheus would. */
async function raise(labels: Record<string, string>): Promise<void> {
  const response = await fetch(`http://127.0.0.1:${stack.alertmanagerPort}/api/v2/alerts`, {
    ...{ method: "POST", headers: { "content-type": "application/json" } },
    body: JSON.stringify([{ labels: { severity: "warning", ...labels } }]),
  });
  expect(response.status).toBe(200);
}

async function stateOf(alertname: string, name: string): Promise<{ state: string; inhibitedBy: string[] }> {
  const filter = encodeURIComponent(`alertname="${alertname}"`);
  const url = `http://127.0.0.1:${stack.alertmanagerPort}/api/v2/alerts?filter=${filter}`;
  const found = (await (await fetch(url)).json()) as {
    labels: { stack: string };
    status: { state: string; inhibitedBy: string[] };
  }[];
  return found.find(({ labels }) => labels.stack === name)?.status ?? { state: "absent", inhibitedBy: [] };
}

beforeAll(async () => {
  receiver = await AlertReceiver.start();
  // A row is due every ten seconds.
  stack = await MonitoredStack.start(everyHours(10 / 3600));
  const told = alertmanager({
    ...{ port: stack.alertmanagerPort, intervalSeconds: limits.intervalSeconds },
    receivers: { webhook: { severities: ["critical", "warning"] } },
  });
  await stack.native.start(told, { ...stackSecrets, receivers: JSON.stringify({ webhook: receiver.url }) });
  const rules = ruleFiles(limits, { database: "app", applications: "timelift_app" });
  const scrape = [...stack.exporters, told].map(scrapeOf);
  await stack.native.start(stack.prometheus({ intervalSeconds: 2, rules, scrape, alertmanager: told }));
});
afterAll(async () => {
  await stack.remove();
  receiver.stop();
  console.log(`How long each alert took to arrive:\n  ${times.join("\n  ")}`);
});

test("every target is up", async () => {
  const up = async () => (await stack.ask("timelift:target_up == 1")).map(({ metric }) => metric.job).sort();
  await expect
    .poll(up, patient)
    .toEqual(["alertmanager", "node", "pgbouncer", "postgres", "prometheus", "redis"]);
});

test("every series has data, but for what says when it has none; every alert's expression can be asked", async () => {
  await stack.addPrice(now());
  await stack.as("timelift_app", (client) => client.query("SELECT count(*) FROM price_history"));
  for (const [name, series] of Object.entries<Series>(recorded)) {
    if (series.emptyWhen !== undefined) continue;
    await expect.poll(async () => [name, (await stack.ask(name)).length > 0], patient).toEqual([name, true]);
  }
  for (const name of [
    "timelift:aggregate_lag_seconds",
    "timelift:table_behind_seconds",
    "timelift:pooler_up",
  ]) {
    await expect.poll(async () => [name, (await stack.ask(name)).length > 0], patient).toEqual([name, true]);
  }
  for (const { expr } of renderAlerts(limits)) await stack.ask(expr);
  const labels = Object.keys((await stack.ask("timelift:job_failing"))[0]?.metric ?? {});
  expect(labels.sort()).toEqual(["__name__", "job", "scheduler", "stack"]);
});

test("no new rows raise DataStaleness, which ends with the next row", async () => {
  await stack.addPrice(now());
  const since = Date.now();
  await arrives("DataStaleness", "firing", since);
  expect(receiver.find("DataStaleness", "firing", since)).toMatchObject({
    labels: { stack: "test", workload: "stockula", table: "price_history", severity: "warning" },
    annotations: { runbook: "docs/runbooks/data-staleness.md" },
  });
  const again = Date.now();
  // Of a day to come, so that none is due in the rest of this story.
  await stack.addPrice(new Date(Date.now() + 86_400_000).toISOString());
  await arrives("DataStaleness", "resolved", again);
});

test("slow queries of the application raise QueryLatencyHigh", async () => {
  const since = Date.now();
  let told = false;
  const work = stack.as("timelift_app", async (client) => {
    while (!told && Date.now() - since < 60_000) await client.query("SELECT pg_sleep(1.4)");
  });
  await arrives("QueryLatencyHigh", "firing", since);
  told = true;
  await work;
  expect(receiver.find("QueryLatencyHigh", "firing", since)?.annotations.description).toMatch(
    /percentile of the application's queries is \d\.\d+s, above 1 s/,
  );
});

test("a dead database raises DatabaseDown, and what it explains is silent", async () => {
  const { pid } = new ServiceFolder(stack.native.stateDir, "timescaledb").process as { pid: number };
  const since = Date.now();
  process.kill(pid, "SIGINT");
  await arrives("DatabaseDown", "firing", since);
  await raise({ alertname: "JobFailing", stack: "test", job: "refresh ohlc_daily" });
  await raise({ alertname: "JobFailing", stack: "elsewhere", job: "refresh ohlc_daily" });
  await arrives("JobFailing", "firing", since);
  await expect
    .poll(() => stateOf("JobFailing", "test"), patient)
    .toMatchObject({
      state: "suppressed",
      inhibitedBy: [expect.any(String)],
    });
  const stacks = receiver.received.filter(({ alertname }) => alertname === "JobFailing");
  expect(stacks.map(({ labels }) => labels.stack)).toEqual(["elsewhere"]);
});

test("and ends when it answers again", async () => {
  const since = Date.now();
  await stack.native.start(stack.services.timescaledb);
  await arrives("DatabaseDown", "resolved", since);
});
