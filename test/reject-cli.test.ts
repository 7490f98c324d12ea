import { readFileSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { afterAll, beforeAll, expect, test } from "vitest";
import { StackCopy } from "./stack-copy.ts";

const loader = "export default { tables: { orders: {}, notes: {} } };";
const tables = `
  db.table("orders", { id: "bigint not null", placed: "date not null", amount: "integer" });
  db.table("notes", { note: "text" });`;

let at: StackCopy;
beforeAll(async () => {
  at = await StackCopy.make({ loader, tables });
  write(`
    CREATE TABLE orders (id INTEGER PRIMARY KEY, placed, amount);
    INSERT INTO orders VALUES (1, '2024-01-01', 1), (2, 'soon, or "later"', 'many'), (3, 'soon', 3), (4, '2024-01-04', 4);
    CREATE TABLE notes (note); INSERT INTO notes VALUES ('one'), (x'00ff')`);
});
afterAll(() => at?.remove());

function write(sql: string): void {
  const source = new Database(at.source);
  source.exec(sql);
  source.close();
}

test("rejects are listed, summed up, exported, and loaded after a correction", async () => {
  const nothing = await at.timelift("rejects");
  expect(nothing).toMatchObject({ exitCode: 0, stdout: "shop: no row is rejected" });

  const load = await at.timelift("load");
  expect(load.exitCode).toBe(1);
  expect(load.stderr).toMatch(/^load of shop: 3 rows of 6 were rejected, and maxRejects allows 0/m);
  expect((await at.timelift("load", "--max-rejects", "50%")).exitCode).toBe(0);

  const list = await at.timelift("rejects");
  expect(list.stdout.split("\n")).toEqual([
    "notes: 1 row rejected",
    "  notes.note: 1 blob: is no text",
    "    rowid 2  note  blob x'00ff' (2 bytes)  is no text",
    "orders: 2 rows rejected",
    "  orders.placed: 2 texts: is no date",
    "  orders.amount: 1 text: is no integer",
    '    id integer 2  placed  text "soon, or \\"later\\""  is no date',
    '    id integer 2  amount  text "many"                is no integer',
    '    id integer 3  placed  text "soon"                is no date',
    "Correct them in the source, or declare a rule in the loader; then: timelift rejects retry",
  ]);
  const short = await at.timelift("rejects", "--table", "orders", "--limit", "1");
  expect(short.stdout).toMatch(/is no date\n {4}and 2 more \(--csv FILE writes all\)/);
  expect(short.stdout).not.toContain("notes");
  const summary = await at.timelift("rejects", "--summary", "--table", "orders");
  expect(summary.stdout.split("\n")).toHaveLength(3);
  const unknown = await at.timelift("rejects", "--table", "order");
  expect(unknown).toMatchObject({ exitCode: 1 });
  expect(unknown.stderr).toContain("no row of it is rejected; there are some of notes, orders");

  const file = join(at.project.dir, "rejects.csv");
  expect((await at.timelift("rejects", "--csv", file)).stdout).toBe(`${file}: 4 rejected values`);
  const csv = readFileSync(file, "utf8").split("\n");
  expect(csv[0]).toBe("table,sourceTable,rowid,key,column,value,reason,run,at");
  const quoted =
    /^orders,orders,2,id integer 2,placed,"text ""soon, or \\""later\\""""",is no date,\d+,\d{4}-.*Z$/;
  expect(csv.filter((line) => quoted.test(line))).toHaveLength(1);
  expect(csv).toHaveLength(6);
  const unwritable = await at.timelift("rejects", "--csv", join(at.project.dir, "nowhere", "rejects.csv"));
  expect(unwritable.exitCode).toBe(1);
  expect(unwritable.stderr).toMatch(/cannot be written.*\n {2}remedy/);
  const json = JSON.parse((await at.timelift("rejects", "--json")).stdout);
  expect(json).toHaveLength(4);
  expect(json).toContainEqual(
    expect.objectContaining({ table: "orders", rowid: "3", column: "placed", value: 'text "soon"' }),
  );

  write("UPDATE orders SET placed = '2024-01-03' WHERE id = 3");
  const retry = await at.timelift("rejects", "retry");
  expect(retry.exitCode).toBe(1);
  expect(retry.stderr).toMatch(/2 rows of 6 were rejected/);
  expect(await at.rows("SELECT string_agg(id::text, ' ' ORDER BY id) FROM orders")).toEqual(["1 3 4"]);

  write("DELETE FROM orders WHERE id = 2; DELETE FROM notes WHERE note <> 'one'");
  expect(await at.timelift("rejects", "retry")).toMatchObject({ exitCode: 0 });
  expect((await at.timelift("rejects", "--json")).stdout).toBe("[]");
  expect((await at.timelift("rejects", "retry")).stdout).toBe("no row is rejected");
}, 180_000);
