import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { dumpSchema } from "../migrations/schema-dump.ts";
import { recordSchema } from "../migrations/schema-record.ts";
import { StackCopy } from "./stack-copy.ts";

const loader = "export default { tables: { prices: {} } };";
const tables = `
  db.table("prices", { symbol: "text not null", day: "date not null", close: "double precision" });
  db.keys("prices", { primary: ["symbol", "day"] });
  db.index("prices", ["day"]);`;

let at: StackCopy;
beforeAll(async () => {
  at = await StackCopy.make({ loader, tables });
  const source = new Database(at.source);
  source.exec("CREATE TABLE prices (symbol TEXT NOT NULL, day TEXT NOT NULL, close REAL)");
  source.close();
});
afterAll(() => at?.remove());

const file = (name: string) => join(at.project.dir, name);
const pricesLines = [
  "column symbol text not null",
  "column day date not null",
  "column close double precision",
  "constraint prices_pkey PRIMARY KEY (symbol, day)",
  "index prices_day_idx USING btree (day)",
];

describe("timelift schema", () => {
  test("prints the target's schema, as text or as JSON, or writes it to a file", async () => {
    const shown = await at.timelift("schema");
    expect(shown).toEqual({ exitCode: 0, stdout: (await dumpSchema(at.owner)).trimEnd(), stderr: "" });
    const json = JSON.parse((await at.timelift("schema", "--json")).stdout);
    expect(json).toEqual({ objects: { "edition apache": [], "table prices": pricesLines } });
    const written = await at.timelift("schema", "--write", file("schema.txt"));
    expect(written).toEqual({ exitCode: 0, stdout: "", stderr: "" });
    expect(readFileSync(file("schema.txt"), "utf8")).toBe(await dumpSchema(at.owner));
  });

  test("says what to do where it cannot", async () => {
    const stopped = await at.timelift("schema", "--stack", "nowhere");
    expect(stopped).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining("remedy: ./timelift up --stack nowhere"),
    });
    const nowhere = await at.timelift("schema", "--write", file("none/schema.txt"));
    expect(nowhere.exitCode).toBe(1);
    expect(nowhere.stderr).toMatch(/none\/schema.txt: it cannot be written.*\n {2}remedy: name a file/);
    writeFileSync(file("poem.txt"), "A rose is a rose\n");
    const poem = await at.timelift("schema", "--diff", file("poem.txt"));
    expect(poem).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining("is no schema that timelift wrote"),
    });
    const both = await at.timelift("schema", "--write", file("a.txt"), "--diff");
    expect(both).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining("cannot be used with option"),
    });
  });

  test("--diff FILE compares with a file", async () => {
    await at.timelift("schema", "--write", file("golden.txt"));
    const same = await at.timelift("schema", "--diff", file("golden.txt"));
    expect(same).toEqual({
      exitCode: 0,
      stdout: `no drift: the schema is ${file("golden.txt")}`,
      stderr: "",
    });
    const text = readFileSync(file("golden.txt"), "utf8");
    writeFileSync(file("golden.txt"), text.replace("close double precision", "close numeric(20,6)"));
    const other = await at.timelift("schema", "--diff", file("golden.txt"));
    expect(other).toEqual({
      exitCode: 1,
      stdout: `- ${file("golden.txt")}
+ the target of stack dev

  table prices
-   column close numeric(20,6)
+   column close double precision`,
      stderr: "",
    });
  });
});

describe("drift", () => {
  beforeEach(async () => {
    await at.owner.query("DROP TABLE IF EXISTS mine, timelift.schema_record");
  });

  test("is what differs from the last migration run, until it is undone or accepted", async () => {
    const unrecorded = await at.timelift("schema", "--diff");
    expect(unrecorded.exitCode).toBe(1);
    expect(unrecorded.stderr).toMatch(
      /no migration run has recorded its schema yet\n {2}remedy: timelift up/,
    );
    await recordSchema(at.owner);
    expect((await at.timelift("schema", "--diff")).exitCode).toBe(0);

    await at.owner.query("CREATE TABLE mine (a int)");
    const drifted = await at.timelift("schema", "--diff");
    expect(drifted.exitCode).toBe(1);
    expect(drifted.stdout).toBe(
      "- what the last migration run left\n+ the target of stack dev\n\n+ table mine\n+   column a integer",
    );
    expect(drifted.stderr).toContain("remedy: undo it by hand, or write it as a migration");
    const json = await at.timelift("schema", "--diff", "--json");
    expect([json.exitCode, JSON.parse(json.stdout)]).toEqual([
      1,
      {
        drift: true,
        objects: [{ object: "table mine", change: "unexpected", lines: ["+column a integer"] }],
      },
    ]);

    expect((await at.timelift("schema", "--accept")).stdout).toMatch(/^recorded: /);
    const accepted = await at.timelift("schema", "--diff", "--json");
    expect([accepted.exitCode, JSON.parse(accepted.stdout)]).toEqual([0, { drift: false, objects: [] }]);
  });

  test("stands before what a preview shows, and never keeps it from ending well", async () => {
    const before = await at.timelift("preview");
    expect(before.stdout).toMatch(
      /^Schema drift: not looked for; database timelift at .*no migration run has recorded its schema yet\n/,
    );
    await recordSchema(at.owner);
    await at.owner.query("CREATE TABLE mine (a int)");
    const drifted = await at.timelift("preview");
    expect(drifted.stdout).toMatch(
      /^Schema drift:\n {2}\+ table mine\n {2}\+ {3}column a integer\n[\s\S]*Previewing update \(dev\)/,
    );
    await at.owner.query("DROP TABLE mine");
    expect((await at.timelift("preview")).stdout).toMatch(/^Previewing update \(dev\)/);
    expect([before.exitCode, drifted.exitCode]).toEqual([0, 0]);
  });
});
