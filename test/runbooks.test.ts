import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { StackCopy } from "./stack-copy.ts";

const folder = join(import.meta.dirname, "../docs/runbooks");

/** Lines of the blocks of shell below a heading. */
function commandsOf(text: string, heading: string): string[] {
  const section = text.split(`\n## ${heading}\n`)[1]?.split("\n## ")[0] ?? "";
  return [...section.matchAll(/^```sh\n(.*?)^```$/gms)].flatMap(([, block = ""]) => block.trim().split("\n"));
}

const books = readdirSync(folder).map((name) => ({ name, text: readFileSync(join(folder, name), "utf8") }));
const commands = (heading: string) => [...new Set(books.flatMap(({ text }) => commandsOf(text, heading)))];
/** What changes a stack that Pulumi deployed is only known to be a command; this stack is a part of one. */
const deploying = ["./timelift up", "./timelift preview"];

describe("the commands of the runbooks run as written", () => {
  let stack: StackCopy;
  beforeAll(async () => {
    stack = await StackCopy.make({
      loader: `import { defineLoader } from "../loaders/define-loader.ts"; export default defineLoader({ tables: { orders: {} } });`,
      tables: `db.table("orders", { id: "bigint not null" });`,
    });
    const source = new Database(stack.source);
    source.exec("CREATE TABLE orders (id INTEGER PRIMARY KEY)");
    source.close();
  });
  afterAll(() => stack.remove());

  test.each([...commands("Look"), ...commands("Do").filter((each) => !deploying.includes(each))])(
    "%s",
    async (command) => {
      // In place of the wrapper, which would look for the tools again: what it runs.
      const line = command.replace(/^\.\/timelift /, `"${process.execPath}" cli/main.ts `);
      const { exitCode, all } = await execa("bash", ["-c", line], {
        ...{ cwd: stack.project.dir, env: stack.project.env, extendEnv: false, reject: false, all: true },
      });
      // A log of a service that this stack does not have is missing for that reason alone.
      if (exitCode !== 0 && command.includes(" logs pgbouncer")) expect(all).toContain("has not started it");
      else expect(exitCode, all).toBe(0);
    },
  );

  test("there are some in each runbook", () => {
    for (const { name, text } of books)
      expect([name, commandsOf(text, "Look").length]).not.toEqual([name, 0]);
  });
});
