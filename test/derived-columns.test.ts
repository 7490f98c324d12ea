import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  append,
  defineLoader,
  drop,
  epoch,
  expression,
  type LoaderDefinition,
  lookup,
  none,
} from "../loaders/define-loader.ts";
import { narrowLoader } from "../loaders/narrow-loader.ts";
import { openSource } from "../loaders/source/open-source.ts";
import { planSource } from "../loaders/source/scan-source.ts";
import { runValidation } from "../loaders/validate/run-validation.ts";
import { LoadFixture } from "./load-fixture.ts";

let at: LoadFixture;
beforeAll(async () => {
  at = await LoadFixture.make("derived");
}, 120_000);
afterAll(() => at?.remove());

const sqlite = `
  CREATE TABLE users (id VARCHAR PRIMARY KEY, chat_id VARCHAR, nick VARCHAR, created DATETIME NOT NULL);
  INSERT INTO users VALUES ('u1', 'c1', 'ann', '2024-01-01 10:00:00'), ('u2', NULL, 'bob', '2024-01-02 10:00:00'),
    ('u3', 'c3', NULL, '2024-01-03 10:00:00.123456');
  CREATE TABLE signals (id VARCHAR PRIMARY KEY, at DATETIME NOT NULL, score FLOAT);
  INSERT INTO signals VALUES ('s1', '2024-02-01 09:30:00', 1.5), ('s2', '2024-02-02', 2);
  CREATE TABLE decisions (id INTEGER PRIMARY KEY, signal_id VARCHAR NOT NULL, user_id VARCHAR NOT NULL
    REFERENCES users (id), made INTEGER);
  INSERT INTO decisions VALUES (1, 's1', 'u1', 1706778000000), (2, 's2', 'u2', NULL), (3, 's1', 'u3', 1706779000000);`;
const postgres = `
  CREATE TABLE users (id varchar NOT NULL, nick varchar, created timestamptz NOT NULL);
  CREATE TABLE chats (id varchar NOT NULL, user_id varchar NOT NULL, chat varchar NOT NULL, first_name varchar NOT NULL,
    last_name varchar, linked timestamptz NOT NULL);
  CREATE TABLE signals (id varchar NOT NULL, at timestamptz NOT NULL, score double precision);
  CREATE TABLE decisions (id bigint NOT NULL, signal_id varchar NOT NULL, signal_at timestamptz NOT NULL,
    user_id varchar NOT NULL, made timestamptz, minutes numeric(12,2));
  CREATE TABLE bars (id text PRIMARY KEY, at timestamptz NOT NULL);`;
const loader = defineLoader({
  tables: {
    users: { columns: { chat_id: drop } },
    chats: {
      from: "users",
      where: "chat_id IS NOT NULL",
      columns: { id: "user_id", chat_id: "chat", created: "linked" },
      rest: drop,
      derive: { id: expression("id"), first_name: expression("coalesce(nick, 'User')") },
      absent: ["last_name"],
    },
    signals: {},
    decisions: {
      columns: { made: { read: epoch("ms") } },
      derive: {
        signal_at: lookup("signals", { id: "signal_id" }, "at"),
        minutes: expression("made / 60000.0"),
      },
    },
    bars: { from: none },
  },
});
const keys = `
  ALTER TABLE users ADD PRIMARY KEY (id);
  ALTER TABLE chats ADD PRIMARY KEY (id), ADD FOREIGN KEY (user_id) REFERENCES users;
  ALTER TABLE signals ADD PRIMARY KEY (id, at);
  ALTER TABLE decisions ADD PRIMARY KEY (id), ADD FOREIGN KEY (user_id) REFERENCES users,
    ADD FOREIGN KEY (signal_id, signal_at) REFERENCES signals;`;

const validate = (of: LoaderDefinition = loader) =>
  runValidation({
    ...{ workload: at.args(of).workload, loader: of, source: at.source, copyPath: at.copyPath },
    ...{ expectedFingerprint: "", target: at.database.owner },
  });
const failing = async () =>
  (await validate()).checks.filter(({ status }) => status === "FAIL").map(({ name }) => name);

describe("derived tables and columns", () => {
  test("are loaded, validated, and left alone when nothing changed", async () => {
    await at.fresh(sqlite, postgres);
    expect((await at.load(loader)).rows).toBe(3 + 2 + 2 + 3);
    expect(
      await at.rows("SELECT id, user_id, chat, first_name, last_name, linked::text FROM chats ORDER BY 1"),
    ).toEqual([
      "u1 u1 c1 ann null 2024-01-01 10:00:00+00",
      "u3 u3 c3 User null 2024-01-03 10:00:00.123456+00",
    ]);
    expect(await at.rows("SELECT id, signal_at::text, minutes FROM decisions ORDER BY 1")).toEqual([
      "1 2024-02-01 09:30:00+00 28446300.00",
      "2 2024-02-02 00:00:00+00 null",
      "3 2024-02-01 09:30:00+00 28446316.67",
    ]);
    await at.owner.query(keys);
    const report = await validate();
    expect(report.checks.filter(({ status }) => status === "FAIL")).toEqual([]);
    expect(report.checks.find(({ name }) => name === "bars target-only")).toMatchObject({ status: "PASS" });
    expect(report.tables.map(({ name, sourceRows }) => `${name} ${sourceRows}`)).toEqual([
      ...["users 3", "chats 2", "signals 2", "decisions 3"],
    ]);
    const again = await at.load(loader, { force: true });
    expect(Object.values(again.tables).map((each) => each.inserted + each.updated + each.deleted)).toEqual([
      ...[0, 0, 0, 0],
    ]);
  });

  test.each([
    ["UPDATE decisions SET signal_at = signal_at + interval '1 microsecond' WHERE id = 2", "decisions"],
    ["UPDATE decisions SET minutes = minutes + 0.01 WHERE id = 3", "decisions"],
    ["UPDATE chats SET first_name = 'user' WHERE id = 'u3'", "chats"],
    ["DELETE FROM chats WHERE id = 'u1'", "chats"],
    ["INSERT INTO chats SELECT 'u2', 'u2', 'c2', 'bob', NULL, now()", "chats"],
    ["UPDATE chats SET last_name = 'x' WHERE id = 'u1'", "chats"],
  ])("a target that differs fails: %s", async (damage, table) => {
    await at.fresh(sqlite, postgres);
    await at.load(loader);
    await at.owner.query(
      keys.replace("ADD FOREIGN KEY (signal_id, signal_at) REFERENCES signals", "ALTER made DROP NOT NULL"),
    );
    expect(await failing()).toEqual([]);
    await at.owner.query(damage);
    const failed = await failing();
    expect(failed.length).toBeGreaterThan(0);
    expect(failed.filter((name) => !name.startsWith(`${table} `) && name !== "completeness")).toEqual([]);
  });

  test("a target-only table has to be there, and nothing else is asked of it", async () => {
    await at.fresh(sqlite, postgres);
    await at.owner.query("INSERT INTO bars VALUES ('x', now())");
    await at.load(loader);
    await at.owner.query(keys);
    expect(await failing()).toEqual([]);
    await at.owner.query("DROP TABLE bars");
    expect(await failing()).toEqual(["bars target-only"]);
    await expect(at.load(loader)).rejects.toMatchObject({
      code: "target-table-missing",
      subject: "target table bars",
    });
    await expect(at.load({ tables: { bars: {} } })).rejects.toMatchObject({ code: "source-table-missing" });
  });

  test("a looked-up value that changed at its place changes the rows that have it", async () => {
    await at.fresh(sqlite, postgres);
    const first = await at.load(loader);
    await at.owner.query(keys.replace(/,\s*ADD FOREIGN KEY \(signal_id, signal_at\) REFERENCES signals/, ""));
    at.write("UPDATE signals SET at = '2024-02-01 09:31:00' WHERE id = 's1'");
    const plan = await at.scan(loader, first);
    expect(plan.tables.decisions?.change).toBe("1 of 1 part changed (same number of rows)");
    expect(plan.tables.chats?.change).toBe("unchanged");
    const second = await at.load(loader);
    expect(second.tables.decisions).toMatchObject({ inserted: 0, updated: 2, deleted: 0 });
    expect(await at.rows("SELECT DISTINCT signal_at::text FROM decisions WHERE signal_id = 's1'")).toEqual([
      "2024-02-01 09:31:00+00",
    ]);
    expect(await failing()).toEqual([]);
  });

  test("another expression is another mapping", async () => {
    await at.fresh(sqlite, postgres);
    await at.load(loader);
    await at.owner.query(keys);
    const changed = structuredCloneOf(loader);
    const chats = changed.tables.chats;
    if (chats?.derive) chats.derive.first_name = expression("coalesce(nick, 'Guest')");
    const load = await at.load(changed);
    expect(load.tables.chats).toMatchObject({ inserted: 0, updated: 1, deleted: 0 });
    expect(load.tables.users).toMatchObject({ inserted: 0, updated: 0, deleted: 0, ms: 0 });
    expect(await at.rows("SELECT first_name FROM chats WHERE id = 'u3'")).toEqual(["Guest"]);
  });

  test("a value that does not fit is a reject with its column; a lookup that finds nothing is NULL", async () => {
    await at.fresh(
      `${sqlite} INSERT INTO decisions VALUES (4, 'nowhere', 'u1', 5), (5, 's1', 'u1', 6);
       INSERT INTO signals VALUES ('s3', 'soon', 1); UPDATE decisions SET signal_id = 's3' WHERE id = 5`,
      postgres,
    );
    const load = await at.load(loader, { maxRejects: 5 });
    expect(load.rejected).toBe(3);
    const lines = `SELECT table_name, row_key, column_name, value, reason FROM timelift.reject
      WHERE workload = '${at.args(loader).workload}' ORDER BY table_name, rowid`;
    expect(await at.rows(lines)).toEqual([
      "decisions id integer 4 signal_at NULL is refused by the target's NOT NULL",
      'decisions id integer 5 signal_at text "soon" is no timestamptz',
      'signals id text "s3" at text "soon" is no timestamptz',
    ]);
    at.write(
      "INSERT INTO signals VALUES ('nowhere', '2024-02-05', 1); UPDATE signals SET at = '2024-03-01' WHERE id = 's3'",
    );
    expect((await at.load(loader)).rejected).toBe(0);
    expect(await at.rows("SELECT signal_at::text FROM decisions WHERE id > 3 ORDER BY id")).toEqual([
      "2024-02-05 00:00:00+00",
      "2024-03-01 00:00:00+00",
    ]);
  });

  test("numbers that are no moments name the declaration that they lack", async () => {
    await at.fresh(
      "CREATE TABLE t (id INTEGER PRIMARY KEY, n INTEGER); INSERT INTO t VALUES (1, 1700000000)",
      "CREATE TABLE t (id bigint, at timestamptz)",
    );
    const plain = defineLoader({
      tables: { t: { columns: { n: drop }, derive: { at: expression("n + 1") } } },
    });
    await expect(at.load(plain)).rejects.toThrow(
      /declare derive: \{ at: …\(…, \{ read: epoch\("s"\) \}\) \}/,
    );
    const read = defineLoader({
      tables: { t: { columns: { n: drop }, derive: { at: expression("n + 1", { read: epoch("s") }) } } },
    });
    await at.load(read);
    expect(await at.rows("SELECT at::text FROM t")).toEqual(["2023-11-14 22:13:21+00"]);
  });
});

describe("lookups", () => {
  const target = `CREATE TABLE parent (code text, v text); CREATE TABLE child (id bigint, code text, v text)`;
  const of = (more: Partial<LoaderDefinition["tables"][string]> = {}) =>
    defineLoader({
      tables: { parent: {}, child: { derive: { v: lookup("parent", { code: "code" }, "v") }, ...more } },
    });
  const values = () => at.rows("SELECT id, v FROM child ORDER BY id");

  test.each([
    ["a primary key", "(code TEXT PRIMARY KEY, v TEXT)", "TEXT"],
    ["a table without rowid", "(code TEXT PRIMARY KEY, v TEXT) WITHOUT ROWID", "TEXT"],
    ["no index at all", "(code TEXT, v TEXT)", "TEXT"],
    ["letter case that does not count", "(code TEXT COLLATE NOCASE, v TEXT)", "TEXT"],
    ["trailing spaces that do not count", "(code TEXT COLLATE RTRIM, v TEXT)", "TEXT"],
    ["other types on both sides", "(code TEXT, v TEXT)", "INTEGER"],
    ["untyped columns", "(code, v)", ""],
    ["an integer key", "(code INTEGER PRIMARY KEY, v TEXT)", "TEXT"],
  ])("find what SQLite finds: %s", async (name, parent, type) => {
    const [a, b, c] = /integer|other types/.test(name) ? ["1", "02", "3"] : ["a", "b ", "C"];
    await at.fresh(
      `CREATE TABLE parent ${parent};
       INSERT INTO parent VALUES ('${a}', 'one'), ('${b}', 'two'), (lower('${c}'), 'three');
       CREATE TABLE child (id INTEGER PRIMARY KEY, code ${type});
       INSERT INTO child VALUES (1, '${a}'), (2, trim('${b}')), (3, '${c}'), (4, NULL), (5, 'none');`,
      "CREATE TABLE child (id bigint PRIMARY KEY, v text)",
    );
    const { child } = of({ columns: { code: drop } }).tables;
    const looks = defineLoader({ tables: child === undefined ? {} : { child } });
    await at.load(looks);
    const source = openSource(at.source);
    const expected = source
      .prepare("SELECT c.id, (SELECT p.v FROM parent p WHERE p.code = c.code) FROM child c ORDER BY 1")
      .raw()
      .all()
      .map((row) => (row as unknown[]).map(String).join(" "));
    source.close();
    expect(await values()).toEqual(expected);
    expect(expected).toContain("1 one");
    expect((await validate(looks)).status).toBe("PASS");
  });

  test("read 100,000 rows of an unindexed table no slower than they have to", async () => {
    await at.fresh(
      `CREATE TABLE parent (code TEXT, v TEXT); CREATE TABLE child (id INTEGER PRIMARY KEY, code TEXT);
       WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 100000)
         INSERT INTO parent SELECT 'code ' || i, i FROM n;
       INSERT INTO child SELECT rowid, code FROM parent ORDER BY v`,
      target,
    );
    await at.load(of());
    expect(await at.rows("SELECT count(*) FROM child WHERE code = 'code ' || v")).toEqual(["100000"]);
    // One look at the whole table for each row would take minutes, and the test's time is limited.
  }, 60_000);

  test("by a key that is not unique are refused only where the rows do not agree", async () => {
    const parents = (last: string) =>
      `CREATE TABLE parent (code TEXT, v TEXT); INSERT INTO parent VALUES ('a', 'one'), ('a', 'one'), (NULL, 'x'), (NULL, 'y')${last};
       CREATE TABLE child (id INTEGER PRIMARY KEY, code TEXT); INSERT INTO child VALUES (1, 'a')`;
    await at.fresh(parents(""), target);
    await at.load(of());
    expect(await values()).toEqual(["1 one"]);
    for (const last of [", ('a', 'two')", ", ('a', NULL)"]) {
      await at.fresh(parents(last), target);
      await expect(at.load(of())).rejects.toMatchObject({
        ...{ code: "lookup-ambiguous", subject: "target column child.v" },
        message: expect.stringContaining("several rows of parent have (code) = ('a') and do not agree on v"),
      });
      expect(await at.rows("SELECT count(*) FROM parent")).toEqual(["0"]);
    }
    const chosen = of({
      derive: { v: expression("(SELECT max(v) FROM parent p WHERE p.code = child.code)") },
    });
    await at.load(chosen);
  });

  test("are seen by `append` for new rows only", async () => {
    await at.fresh(
      `CREATE TABLE parent (code TEXT PRIMARY KEY, v TEXT); INSERT INTO parent VALUES ('a', 'one');
       CREATE TABLE child (id INTEGER PRIMARY KEY, code TEXT); INSERT INTO child VALUES (1, 'a')`,
      target,
    );
    const appended = of({ change: append("id") });
    await at.load(appended);
    at.write("UPDATE parent SET v = 'two'; INSERT INTO child VALUES (2, 'a')");
    await at.owner.query("ALTER TABLE parent ADD PRIMARY KEY (code)");
    expect((await at.load(appended)).tables.child).toMatchObject({ inserted: 1, updated: 0 });
    expect(await values()).toEqual(["1 one", "2 two"]);
  });

  test("and conditions of a narrowed load work on derived columns", async () => {
    await at.fresh(sqlite, postgres);
    const { schema } = planSource(at.source, loader);
    const hypertables = [{ table: "decisions", time: "signal_at" }];
    const since = narrowLoader(loader, { startDate: "2024-02-02" }, { schema, hypertables });
    await at.load(since);
    expect(await at.rows("SELECT id FROM decisions")).toEqual(["2"]);
    const named = narrowLoader(loader, { keys: { first_name: ["User"] } }, { schema, hypertables });
    expect(named.tables.bars).toBe(loader.tables.bars);
    expect(planSource(at.source, named).reads.map(({ target }) => target)).not.toContain("bars");
    await at.fresh(sqlite, postgres);
    await at.load(named);
    expect(await at.rows("SELECT id FROM chats")).toEqual(["u3"]);
  });
});

describe("mistakes are named before anything is read or written", () => {
  const problem = (derive: unknown, more: object = {}) => {
    const table = { columns: { made: drop }, derive, ...more } as LoaderDefinition["tables"][string];
    return at.load({ tables: { decisions: table } });
  };
  const good = {
    signal_at: lookup("signals", { id: "signal_id" }, "at"),
    made: expression("1"),
    minutes: expression("1"),
  };

  test.each([
    [
      "lookup-table",
      { signal_at: lookup("signal", { id: "signal_id" }, "at") },
      /no such table or view.*Did you mean "signals"/,
    ],
    [
      "lookup-column",
      { signal_at: lookup("signals", { ids: "signal_id" }, "at") },
      /looked up by signals\.ids.*only: id, at, score.*"id"/,
    ],
    [
      "lookup-column",
      { signal_at: lookup("signals", { id: "signal" }, "at") },
      /looked up with decisions\.signal,.*"signal_id"/,
    ],
    [
      "lookup-column",
      { signal_at: lookup("signals", { id: "signal_id" }, "time") },
      /value of signals\.time/,
    ],
    ["lookup-column", { signal_at: lookup("signals", {}, "at") }, /by no key/],
    [
      "derivation-refused",
      { minutes: expression("made /") },
      /SQLite refuses "made \/" over a row of decisions/,
    ],
    ["derivation-refused", { minutes: expression("maid") }, /no such column: maid/],
    ["derivation-refused", { minutes: expression('"maid"') }, /no such column/],
    ["derivation-refused", { minutes: expression("count(*)") }, /misuse of aggregate/],
    ["derivation-refused", { minutes: expression("row_number() OVER ()") }, /misuse of window/],
    ["derivation-refused", { minutes: expression("1, 2") }, /row value misused/],
    ["derivation-refused", { minutes: expression("made + ?") }, /parameter/],
    ["derivation-unclear", { minutes: "made" }, /may be meant as SQL or as a text/],
    ["target-column-missing", { minute: expression("1") }, /the loader derives it.*Did you mean "minutes"/],
    [
      "target-column-twice",
      { id: expression("1") },
      /source column id is mapped to it, and the loader derives it too/,
    ],
    [
      "reading-without-time",
      { minutes: expression("1", { read: epoch("s") }) },
      /reads numbers of its derivation/,
    ],
  ])("%s", async (code, derive, message) => {
    await at.fresh(sqlite, postgres);
    const load = problem({ ...good, ...derive });
    await expect(load).rejects.toMatchObject({ name: "TimeliftError", code });
    await expect(load).rejects.toThrow(message);
  });

  test("a column that nothing fills says how it can be", async () => {
    await at.fresh(sqlite, postgres);
    const { signal_at: _, ...without } = good;
    await expect(problem(without)).rejects.toThrow(/signal_at.*NOT NULL without a default[\s\S]*derive it/);
  });
});

/** A copy that can be changed; symbols stay what they are. */
function structuredCloneOf(definition: LoaderDefinition): LoaderDefinition {
  const tables = Object.entries(definition.tables).map(([name, table]) => {
    return [name, { ...table, ...(table.derive && { derive: { ...table.derive } }) }] as const;
  });
  return { tables: Object.fromEntries(tables) };
}
