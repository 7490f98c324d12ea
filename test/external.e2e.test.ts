import { existsSync, readdirSync, readFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import Database from "better-sqlite3";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { buildSample } from "../cli/sample/stockula.ts";
import { ask, type ForeignDatabase, foreignDatabase, urlOf } from "./foreign-database.ts";
import { filesWith, processesWith } from "./native-stack.ts";
import { ProjectCopy } from "./project-copy.ts";

/** One story through the real Pulumi CLI, on a database that somebody else made: each test goes on where the last ended. */
describe("an external database, from nothing to destroyed", () => {
  let project: ProjectCopy;
  let database: ForeignDatabase;
  let rows: number;

  beforeAll(async () => {
    database = await foreignDatabase();
    project = await ProjectCopy.make({});
    const sample = await buildSample(join(project.dir, "app.db"));
    rows = Object.values(sample.rows).reduce((sum, count) => sum + count, 0);
    project.configure({ ...plain, ports: project.ports });
  });

  afterAll(async () => {
    await configure({});
    await project.timelift("destroy");
    project.remove();
    await database.drop();
  });

  /** The config without its secrets, which a file written anew loses. */
  const plain = { source: "app.db", platform: "external", services: ["redis"] };
  async function configure(more: Record<string, unknown>): Promise<void> {
    project.configure({ ...plain, ports: project.ports, ...more });
    const { owner, loader, reader } = database.logins;
    await project.secret("targetUrl", urlOf(owner));
    await project.secret("loaderUrl", urlOf(loader));
    await project.secret("readonlyUrl", urlOf(reader));
  }

  const output = <T = string>(name: string) => project.output<T>(name);

  async function up(): Promise<string> {
    const { exitCode, output: text } = await project.timelift("up");
    if (exitCode !== 0) throw new Error(text);
    return text;
  }

  const own =
    "SELECT 1 FROM pg_namespace WHERE nspname = 'timelift' UNION ALL SELECT 1 FROM pg_tables WHERE schemaname = 'public'";

  test("a stack without a URL, or with one in plain text, is refused, and the URL is not in the text", async () => {
    const without = await project.timelift("preview");
    expect(without.exitCode).not.toBe(0);
    expect(without.output).toContain(
      "timelift:targetUrl: timelift:platform is external, and no database is named",
    );
    expect(without.output).toContain("pulumi config set --secret timelift:targetUrl");
    project.configure({ ...plain, targetUrl: urlOf(database.logins.owner) });
    const { exitCode, output: text } = await project.timelift("preview");
    expect(exitCode).not.toBe(0);
    expect(text).toContain("timelift:targetUrl: it holds a password and stands in the file in plain text");
    expectNoToken(text);
    await configure({});
  });

  test("preview says what the database will be asked for, and asks for nothing", async () => {
    const { exitCode, output: text } = await project.timelift("preview", "--diff");
    expect(exitCode, text).toBe(0);
    expect(text).toContain("timelift:ExternalDatabase");
    expect(text).toContain("price_history");
    expect(text).toContain(database.logins.loader.user);
    expect(text).not.toContain("timelift:NativeService::pgbouncer");
    expectNoToken(text);
    expect(await database.admin(own)).toEqual([]);
  });

  test("up fails before anything is written, with all that is lacking", async () => {
    const { exitCode, output: text } = await project.timelift("up");
    expect(exitCode).not.toBe(0);
    const { owner, loader, reader } = database.logins;
    expect(text).toContain(`GRANT CREATE ON DATABASE ${database.name} TO ${owner.user};`);
    expect(text).toContain(`GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO ${loader.user};`);
    expect(text).toContain(`GRANT SELECT ON TABLES TO ${reader.user};`);
    expectNoToken(text);
    expect(await database.admin(own)).toEqual([]);
    const { exitCode: lacking, stdout } = await project.timelift("target");
    expect([lacking, stdout]).toEqual([
      1,
      expect.stringContaining("LACKS the extension timescaledb is not there"),
    ]);
    for (const statement of stdout.match(/^ {2}(GRANT|ALTER|CREATE) .*;.*$/gm) ?? [])
      await database.admin(statement);
    expect((await project.timelift("target")).stdout).toContain("nothing is lacking");
  });

  test("up migrates, loads and validates with the three logins, and no argument ever holds a password", async () => {
    const seen = new Set<string>();
    const watch = setInterval(() => {
      for (const line of commandLines())
        if (database.tokens.some((token) => line.includes(token))) seen.add(line);
    }, 50);
    const text = await up();
    clearInterval(watch);
    expect([...seen]).toEqual([]);
    expectNoToken(text);
    expect(await output("rows")).toBe(rows);
    expect(await output("validated")).toBe("PASS");
    const { owner, loader } = database.logins;
    const owners = await database.admin<{ name: string; tableowner: string }>(
      "SELECT tablename AS name, tableowner FROM pg_tables WHERE tablename IN ('price_history', 'load_part') ORDER BY 1",
    );
    expect(owners).toEqual([
      { name: "load_part", tableowner: loader.user },
      { name: "price_history", tableowner: owner.user },
    ]);
    expect((await output<Record<string, string>>("versions")).timescaledb).toMatch(/^2\./);
  });

  test("no password is in state, logs or any other file, nor with any process that is left", async () => {
    for (const token of database.tokens) {
      expect(filesWith(join(project.dir, ".timelift"), token)).toEqual([]);
      expect(filesWith(join(project.dir, ".pulumi-home"), token)).toEqual([]);
      expect(readFileSync(join(project.dir, "Pulumi.dev.yaml"), "utf8")).not.toContain(token);
      expect(processesWith(token)).toEqual([]);
    }
    const url = new URL(await output<string>("databaseUrl"));
    expect(decodeURIComponent(url.password)).toBe(database.logins.owner.password);
    expect(url.searchParams.get("sslmode")).toBe("disable");
  });

  test("up again changes nothing", async () => {
    expect(await up()).not.toMatch(/[+~-] \d+ (created|updated|replaced|deleted)/);
    const { exitCode, output: text } = await project.timelift("preview", "--expect-no-changes");
    expect([exitCode, text]).toEqual([0, expect.not.stringContaining("Schema drift")]);
  });

  test("commands find the database, each as its role, and bring Pulumi along to read its address", async () => {
    const { owner, loader, reader } = database.logins;
    const { PATH = "" } = project.env;
    const hasPulumi = (folder: string) => existsSync(join(folder, "pulumi"));
    project.env.PATH = PATH.split(delimiter)
      .filter((folder) => !hasPulumi(folder))
      .join(delimiter);
    const run = async (...args: string[]) => {
      const { exitCode, output: text } = await project.timelift(...args);
      expectNoToken(text);
      return `${exitCode} ${text}`;
    };
    const whoami = [
      "--",
      "-X",
      "-Atc",
      "SELECT current_user, current_setting('default_transaction_read_only')",
    ];
    expect(await run("psql", ...whoami)).toContain(`${reader.user}|on`);
    expect(await run("psql", "--role", "owner", ...whoami)).toContain(`${owner.user}|off`);
    expect(await run("psql", "--role", "loader", ...whoami)).toContain(`${loader.user}|off`);
    expect(await run("validate")).toMatch(/^0 [\s\S]*validation PASS/);
    expect(await run("load", "--dry-run")).toMatch(/^0 [\s\S]*price_history +[\d,]+ rows; unchanged/);
    expect(await run("load", "--status")).toMatch(/^0 stockula: complete/);
    expect(await run("rejects")).toMatch(/^0 stockula: no row is rejected/);
    expect(await run("migrate", "status")).toMatch(/^0 stands +before-load/);
    expect(await run("schema", "--diff")).toMatch(/^0 no drift/);
    expect(await run("maintain", "--list")).toMatch(/^0 refresh ohlc_daily +every .* by maintain/);
    expect(await run("maintain", "--all")).toMatch(/^0 refresh ohlc_daily: done/);
    expect(await run("status")).toMatch(/timescaledb +answers +- +\d+ +2\.\S+ +127\.0\.0\.1/);
    expect(await run("status")).toMatch(/redis +running/);
    expect(await run("logs", "timescaledb")).toMatch(/^1 timescaledb: stack dev has an external database/);
    expect(await run("logs", "redis")).toMatch(/^0 /);
    project.env.PATH = PATH;
  });

  test("drift is found by preview, and a source that grew sends its new row", async () => {
    await ask(database.logins.owner, "CREATE INDEX by_hand ON stocks (name)");
    const writer = new Database(join(project.dir, "app.db"));
    writer.exec("INSERT INTO stocks (symbol, name) VALUES ('ZZZZ', 'Last')");
    writer.close();
    const { output: text } = await project.timelift("preview", "--diff");
    expect(text).toContain("by_hand");
    expect(text).toMatch(/stocks.*\+1/);
    await up();
    expect(await output("rows")).toBe(rows + 1);
  });

  test("dropData is refused, by up and by destroy", async () => {
    await configure({ dropData: true });
    for (const verb of ["up", "destroy"]) {
      const { exitCode, output: text } = await project.timelift(verb);
      expect([verb, exitCode]).not.toEqual([verb, 0]);
      expect(text).toMatch(/timelift:dropData/);
      expect(text).toMatch(/timelift drops no/);
    }
    await configure({});
  });

  test("destroy leaves every row and says so; the next up finds them", async () => {
    const { exitCode, output: text } = await project.timelift("destroy");
    expect(exitCode, text).toBe(0);
    expect(text).toContain(`database ${database.name} at 127.0.0.1:`);
    expect(text).toContain("is left as it is, with its rows");
    const [count] = await ask<{ count: string }>(
      database.logins.reader,
      "SELECT count(*) FROM price_history",
    );
    expect(Number(count?.count)).toBeGreaterThan(1000);
    await up();
    for (const line of Object.values(await output<Record<string, string>>("loaded")))
      expect(line).toContain("0 inserted, 0 updated, 0 deleted");
    expect(await output("validated")).toBe("PASS");
  });

  function expectNoToken(text: string): void {
    for (const token of database.tokens) expect(text).not.toContain(token);
  }
});

function commandLines(): string[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, "utf8");
      } catch {
        return "";
      }
    });
}
