import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { alerts } from "../stacks/alert-config.ts";
import { alertNames, alertRules, renderAlerts } from "../stacks/monitoring/alert-rules.ts";
import { recordingRules } from "../stacks/monitoring/recording-rules.ts";
import { ruleFileName, ruleFiles } from "../stacks/monitoring/rule-files.ts";
import { allSeries, recorded } from "../stacks/monitoring/series.ts";
import { type AlertCase, alertCases, quietCases } from "./alert-cases.ts";
import { promtool } from "./promtool.ts";

const folder = mkdtempSync(join(tmpdir(), "timelift-rules-"));
afterAll(() => rmSync(folder, { recursive: true }));

const limits = alerts.parse({});
const stack = { database: "app", applications: "timelift_app" };
for (const [name, text] of Object.entries(ruleFiles(limits, stack))) writeFileSync(join(folder, name), text);
const file = join(folder, ruleFileName);

/** Runs promtool; fails with what it says. */
function run(...args: string[]): string {
  try {
    return execFileSync(...promtool(...args), { encoding: "utf8", stdio: "pipe" });
  } catch (error) {
    const { stdout, stderr } = error as { stdout: string; stderr: string };
    throw new Error(stdout + stderr);
  }
}

/** Runs promtool's unit tests. */
function runTests(tests: object[]): void {
  const cases = join(folder, "tests.yaml");
  writeFileSync(cases, JSON.stringify({ rule_files: [file], evaluation_interval: "1m", tests }));
  run("test", "rules", cases);
}

const inputOf = (input: Record<string, string>) =>
  Object.entries(input).map(([series, values]) => ({ series, values }));

function testOf({ alert, input, quiet, fires, resolved, labels, summary, description }: AlertCase): object {
  const rendered = renderAlerts(limits).find((each) => each.alert === alert);
  const expected = {
    exp_labels: { stack: "prod", ...rendered?.labels, ...labels },
    exp_annotations: { summary, description, runbook: rendered?.annotations.runbook },
  };
  const at = (minute: number, exp_alerts: object[]) => ({
    eval_time: `${minute}m`,
    alertname: alert,
    exp_alerts,
  });
  return {
    interval: "1m",
    input_series: inputOf(input),
    alert_rule_test: [at(quiet, []), at(fires, [expected]), at(resolved, [])],
  };
}

test("promtool accepts the file of rules", () => {
  expect(run("check", "rules", "--lint=all", "--lint-fatal", file)).toContain("SUCCESS");
});

describe("each alert is quiet, fires and ends", () => {
  test.each(alertCases)("$alert: $title", (each) => runTests([testOf(each)]));

  test("and all of them are tried", () => {
    expect(new Set(alertCases.map(({ alert }) => alert))).toEqual(new Set(alertNames));
  });

  test("and a case that expects something else fails", () => {
    const [first] = alertCases as [AlertCase];
    expect(() => runTests([testOf({ ...first, description: "something else" })])).toThrow("something else");
    expect(() => runTests([testOf({ ...first, quiet: first.fires })])).toThrow("DatabaseDown");
  });
});

test.each(quietCases)("no alert comes of $title", ({ input }) => {
  const minutes = [2, 9, 15, 22, 30, 40, 60, 79];
  const alert_rule_test = alertNames.flatMap((alertname) =>
    minutes.map((minute) => ({ eval_time: `${minute}m`, alertname, exp_alerts: [] })),
  );
  runTests([{ interval: "1m", input_series: inputOf(input), alert_rule_test }]);
});

describe("latency", () => {
  /** What the rule says of statements, each with runs a minute, mean and spread, within some of the true value. */
  const p95 = (
    statements: [perMinute: number, mean: number, spread: number][],
    low: number,
    high: number,
  ) => {
    const input = statements.flatMap(([calls, mean, spread], queryid) => {
      const series = (metric: string, perMinute: number) => ({
        series: `timelift_statement_${metric}_total{stack="prod", user="timelift_app", queryid="${queryid}"}`,
        values: `0+${perMinute}x20`,
      });
      const square = mean ** 2 + spread ** 2;
      return [
        series("calls", calls),
        series("seconds", calls * mean),
        series("seconds_squared", calls * square),
      ];
    });
    const expr = `timelift:query_p95_seconds > ${low} and timelift:query_p95_seconds < ${high}`;
    const samples = `count(${expr})`;
    const promql_expr_test = [{ expr: samples, eval_time: "15m", exp_samples: [{ labels: "{}", value: 1 }] }];
    runTests([{ interval: "1m", input_series: input, promql_expr_test }]);
  };

  test("of one statement is its own, whatever its mean says of the average", () => {
    // The 95th percentile of a log-normal distribution of mean 0.5 and spread 0.5 is 1.39.
    p95([[60, 0.5, 0.5]], 1.25, 1.5);
  });
  test("is that of the many, not of the few", () => {
    p95(
      [
        [98, 0.01, 0.001],
        [2, 20, 1],
      ],
      0.005,
      0.025,
    );
  });
  test("is that of the slow where they are more than one in twenty", () => {
    p95(
      [
        [90, 0.01, 0.001],
        [10, 20, 1],
      ],
      15,
      30,
    );
  });
});

describe("the contract", () => {
  const rules = recordingRules({ ...stack, windowSeconds: 300 });

  test("every series of the list is recorded, and nothing else that panels could take for one", () => {
    const made = new Set(rules.map(({ record }) => record));
    for (const name of Object.keys(recorded)) expect([name, made.has(name)]).toEqual([name, true]);
    const internal = [...made].filter((name) => !(name in recorded));
    for (const name of internal) expect(name).toMatch(/:rate$/);
  });

  test("alerts read series of the list alone", () => {
    for (const [name, { expr, description }] of Object.entries(alertRules(limits))) {
      const used = `${expr} ${description}`.match(/timelift[:_]\w+/g) ?? [];
      expect([name, used.length > 0]).toEqual([name, true]);
      for (const series of used) expect([name, series, series in allSeries]).toEqual([name, series, true]);
    }
  });

  test("thresholds and waiting times are the config's", () => {
    const strict = renderAlerts(alerts.parse({ queryP95Seconds: 0.2, patience: 0 }));
    const latency = strict.find(({ alert }) => alert === "QueryLatencyHigh");
    expect(latency).toMatchObject({ expr: "timelift:query_p95_seconds > 0.2", for: "0s" });
  });

  test("each alert has a runbook, of what to look at and what to do", () => {
    for (const { alert, annotations } of renderAlerts(limits)) {
      const runbook = join(import.meta.dirname, "..", annotations.runbook as string);
      expect([alert, existsSync(runbook)]).toEqual([alert, true]);
      const text = readFileSync(runbook, "utf8");
      expect(text).toMatch(new RegExp(`^# ${alert}\n`));
      for (const heading of ["## What it means", "## Look", "## Do"])
        expect(text).toContain(`\n${heading}\n`);
    }
  });
});
