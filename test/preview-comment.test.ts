import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type ChangePlan, planOf } from "../cli/preview/change-plan.ts";
import { renderComment } from "../cli/preview/comment.ts";
import { readSteps } from "../cli/preview/resource-step.ts";
import { buildSample } from "../cli/sample/stockula.ts";
import { ProjectCopy } from "./project-copy.ts";

const sample = join(import.meta.dirname, "..", "docs", "ci", "sample-comment.md");
const marker = "<!-- timelift preview: dev -->\n";

/** One story through the real Pulumi CLI: each test goes on where the one before it ended. */
describe("a preview as a comment", () => {
  let project: ProjectCopy;
  const migration = () => join(project.dir, "migrations", "stockula", "after-load", "0008_volume.ts");
  const redis = "urn:pulumi:dev::timelift::pulumi-nodejs:dynamic/timelift:NativeService::redis";

  beforeAll(async () => {
    project = await ProjectCopy.make({});
    await buildSample(join(project.dir, "app.db"));
    configure({});
  });

  afterAll(async () => {
    configure({});
    await project.timelift("destroy");
    project.remove();
  });

  const configure = (more: Record<string, unknown>) =>
    project.configure({ source: "app.db", ports: project.ports, memoryMb: 512, ...more });

  async function preview(expected: number, ...args: string[]): Promise<string> {
    const { exitCode, stdout, output } = await project.timelift("preview", "--markdown", ...args);
    expect(exitCode, output).toBe(expected);
    expect(stdout.startsWith(marker), stdout).toBe(true);
    for (const place of [project.dir, homedir(), ...Object.values(project.ports).map(String)]) {
      expect(stdout).not.toContain(place);
    }
    return `${stdout}\n`;
  }

  async function up(): Promise<void> {
    const { exitCode, output } = await project.timelift("up", "--skip-preview");
    expect(exitCode, output).toBe(0);
  }

  async function plan(): Promise<ChangePlan> {
    const { stdout } = await project.pulumi("preview", "--json", "--show-sames");
    return planOf("dev", readSteps(JSON.parse(stdout)), []);
  }

  test("of a stack that is not there yet: what will be made, the SQL, the rows", async () => {
    const text = await preview(2);
    expect(text).toContain("### Preview of `dev`: 15 changes");
    expect(text).toContain("15 resources to create; 11 migrations up;");
    expect(text).toContain('CREATE TABLE "price_history" (');
    expect(text).toMatch(/\| `price_history` \| [\d,]+ rows \| all of them \|/);
    expect(text).not.toContain("Destructive");
  });

  test("has a size at most, and says last what is cut", async () => {
    const whole = await plan();
    for (const limit of [1_000, 4_000, 12_000]) {
      const text = renderComment(whole, limit);
      expect(text.length).toBeLessThanOrEqual(limit);
      expect(text).toContain(marker);
      expect(text.trimEnd().split("\n").at(-1)).toMatch(/^\*\*Cut at [\d,]+ characters\*\*/);
      expect(text.match(/^```/gm)?.length ?? 0).toSatisfy((fences: number) => fences % 2 === 0);
    }
    expect(renderComment(whole)).not.toContain("**Cut");
  });

  test("of a stack as it is: nothing changes", async () => {
    await up();
    expect(await preview(0)).toBe(`${marker}### Preview of \`dev\`: nothing changes\n`);
    const plain = await project.timelift("preview", "--exit-code");
    expect([plain.exitCode, plain.output]).toEqual([0, expect.stringContaining("nothing changes")]);
  });

  test("of a target that was changed by hand: what differs, which is no change", async () => {
    const { stdout: url } = await project.pulumi("stack", "output", "directUrl", "--show-secrets");
    const client = new pg.Client(project.fromHere(url.trim()));
    await client.connect();
    await client.query("CREATE TABLE scratch (a integer)");
    const text = await preview(0);
    await client.query("DROP TABLE scratch");
    await client.end();
    expect(text).toContain("#### Schema drift");
    expect(text).toContain("```diff\n+ table scratch\n+   column a integer\n```");
    expect(text).not.toContain(new URL(url.trim()).password);
  });

  test("of a new migration and 1 % new rows: the sample in docs/ci", async () => {
    writeFileSync(migration(), newMigration);
    addRows(join(project.dir, "app.db"), 57);
    const file = join(project.dir, "preview.md");
    const { exitCode, output } = await project.timelift("preview", "--markdown", file);
    expect(exitCode, output).toBe(2);
    const text = readFileSync(file, "utf8");
    if (process.env.TIMELIFT_WRITE_GOLDEN) writeFileSync(sample, text);
    expect(text).toBe(readFileSync(sample, "utf8"));
    // As a user of Pulumi's events may have it.
    project.env.PULUMI_ENABLE_STREAMING_JSON_PREVIEW = "true";
    expect(await preview(2)).toBe(text);
    delete project.env.PULUMI_ENABLE_STREAMING_JSON_PREVIEW;
    expect(text).toMatch(/\| `price_history` \| 5,722 rows \| \+57 rows \|/);
    expect(text).toContain("**up** `after-load/0008_volume`");
  });

  test("of what takes something away: that comes first, and the exit code says so", async () => {
    configure({ migrateTo: "before-load/0002_price_hypertables", dropRows: true, dropData: true });
    rmSync(migration());
    const text = await preview(3);
    const [head = ""] = text.split("#### Migrations");
    expect(head).toMatch(/: destructive \(\d+ steps\), \d+ changes\n/);
    expect(head).toContain(
      "goes down and runs `DROP TABLE options_puts` (60 rows at the last load) and `DROP TABLE options_calls`",
    );
    expect(head).toContain("Continuous aggregate `ohlc_daily` is dropped with its migration.");
    expect(head).toContain("`dropRows` is turned on");
    expect(head).toMatch(
      /`dropData` is turned on: .* data of `alertmanager`, .*`pgbouncer`, .*`prometheus`, .*`redis` and `timescaledb`/,
    );
    expect(text).toContain(
      "Nothing is loaded while `0003_option_hypertables` and `0004_price_columnstore` are down.",
    );

    configure({ database: "other" });
    expect(await preview(3)).toContain("The target database changes from `timelift` to `other`");
    configure({ hypertables: { price_history: { retention: "10 years" } } });
    const retention = await preview(3);
    expect(retention).toContain("Retention of `price_history` starts: rows older than 10 years are dropped.");
    // Told in other words, and the same aggregate: it stays.
    expect(retention).not.toContain("dropped and made anew");
  });

  test("of another setting: old and new, and no secret", async () => {
    configure({ memoryMb: 1024 });
    const text = await preview(2);
    expect(text).toContain("| `settings.shared_buffers` | `131072kB` | `262144kB` | `timescaledb` |");
    const { stdout } = await project.pulumi("stack", "output", "databaseUrl", "--show-secrets");
    const { password } = new URL(stdout.trim());
    expect(password.length).toBeGreaterThan(20);
    expect(text).not.toContain(password);
    const secrets = await project.timelift("preview", "--markdown", "--show-secrets");
    expect([secrets.exitCode, secrets.output]).toEqual([1, expect.stringContaining("holds no secret")]);
    expect(secrets.output).not.toContain(password);
  });

  test("of what cannot be deployed: the error, without a place of this machine", async () => {
    configure({ migrateTo: "after-load/0099_nowhere" });
    expect(await preview(1)).toMatch(/: failed\n\n```text\n[\s\S]*there is no such migration/);
    configure({ source: "gone.db" });
    expect(await preview(1)).toContain("gone.db");
  });

  test("a protected stack refuses what drops a table or a service's data, in preview and up", async () => {
    configure({ dropData: true });
    await up();
    configure({ protect: true, dropRows: true });
    expect(await preview(1)).toContain("timelift:protect is on, and a protected stack drops nothing");

    configure({ protect: true, migrateTo: "before-load/0002_price_hypertables" });
    const refused =
      /migration before-load\/0003_option_hypertables: its way back runs DROP TABLE options_puts/;
    expect(await preview(1)).toMatch(refused);
    const down = await project.timelift("up");
    expect([down.exitCode, down.output]).toEqual([1, expect.stringMatching(refused)]);

    configure({ protect: true });
    const droppedRows = await project.timelift("migrate", "down", "0003_option_hypertables", "--drop-rows");
    expect([droppedRows.exitCode, droppedRows.output]).toEqual([1, expect.stringContaining("is protected")]);
    const why = "Service redis is replaced, and its data with it (dropData).";
    for (const verb of ["preview", "up"]) {
      const { exitCode, output } = await project.timelift(verb, "--target-replace", redis);
      expect([verb, exitCode, output]).toEqual([verb, 1, expect.stringContaining(why)]);
      expect(output).toContain("timelift:protect false");
    }
  });
});

const newMigration = `import { hours, days } from "../../interval.ts";
import { timescale } from "../../timescale.ts";

export const up = timescale((db) => {
  db.index("price_history", ["volume desc"]);
  db.continuousAggregate("volume_monthly", {
    from: "price_history",
    bucket: "bucket",
    groupBy: ["symbol"],
    query: \`
      SELECT time_bucket('30 days', time) AS bucket, symbol, sum(volume) AS volume
      FROM price_history
      GROUP BY time_bucket('30 days', time), symbol\`,
    refresh: { every: days(1), end: hours(1) },
  });
});

export const down = up.reverse;
`;

function addRows(source: string, count: number): void {
  const writer = new Database(source);
  const insert = writer.prepare(
    `INSERT INTO price_history (symbol, date, open_price, high_price, low_price, close_price, volume, interval)
     VALUES ('^GSPC', date('2030-01-01', ? || ' days'), 1, 2, 0.5, 1.5, 10, '1d')`,
  );
  for (let day = 0; day < count; day += 1) insert.run(day);
  writer.close();
}
