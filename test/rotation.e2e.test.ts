import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { buildSample } from "../cli/sample/stockula.ts";
import { AskingApplication } from "./asking-application.ts";
import { ProjectCopy } from "./project-copy.ts";

let project: ProjectCopy;

const configure = (more: Record<string, unknown>) =>
  project.configure({ source: "app.db", dropData: true, memoryMb: 512, ports: project.ports, ...more });

async function timelift(...args: string[]): Promise<string> {
  const { exitCode, output } = await project.timelift(...args);
  if (exitCode !== 0) throw new Error(output);
  return output;
}

const output = <T = string>(name: string) => project.output<T>(name);

const ask = (url: string, sql = "SELECT count(*)::int AS n FROM stocks") => project.ask(url, sql);

beforeAll(async () => {
  project = await ProjectCopy.make({});
  await buildSample(join(project.dir, "app.db"));
  configure({});
  await timelift("up", "--skip-preview");
});

afterAll(async () => {
  await project.timelift("destroy");
  project.remove();
});

test("one number in the config makes new passwords, and no request of an application fails", async () => {
  const urls = [await output("databaseUrl")];
  expect(urls[0]).toContain("//timelift_app_a:");
  const application = new AskingApplication(
    project.fromHere(urls[0] as string),
    "SELECT count(*) FROM stocks",
  );
  await expect.poll(() => application.asked).toBeGreaterThan(20);

  configure({ passwordGeneration: 2 });
  const preview = await timelift("preview");
  expect(preview).toMatch(/Credentials\s+credentials-2\s+create/);
  expect(preview).not.toMatch(/\b(replace|delete)\b/);
  expect(preview).not.toMatch(/NativeService\s+(redis|prometheus)\s+update/);
  await timelift("up", "--skip-preview");

  urls.push(await output("databaseUrl"));
  expect(urls[1]).toContain("//timelift_app_b:");
  await application.end();
  expect(application.failures).toEqual([]);
  expect(await ask(urls[0] as string)).toEqual(await ask(urls[1] as string));
  expect(await output("directUrl")).toContain("//timelift_owner_b:");
  expect(await timelift("validate")).toContain("validation PASS");
  await timelift("preview", "--expect-no-changes");

  configure({ passwordGeneration: 3 });
  await timelift("up", "--skip-preview");
  await expect(ask(urls[0] as string)).rejects.toThrow();
  await ask(urls[1] as string);
  await ask(await output("databaseUrl"));
});

test("a number that is not the next one is refused before anything is done", async () => {
  for (const passwordGeneration of [5, 2]) {
    configure({ passwordGeneration });
    const { exitCode, output: text } = await project.timelift("preview");
    expect([exitCode, text]).toEqual([
      expect.any(Number),
      expect.stringContaining("goes up by one at a time"),
    ]);
    expect(exitCode).not.toBe(0);
  }
  configure({ passwordGeneration: 3 });
});

test("other limits of a role are taken in place, by new connections", async () => {
  const roles = { app: { statementTimeout: "7s", connections: 25 }, readonly: { statementTimeout: "1h" } };
  configure({ passwordGeneration: 3, roles });
  await timelift("up", "--skip-preview");
  const direct = new URL(await output("databaseUrl"));
  direct.port = String(project.ports.timescaledb);
  expect(await ask(direct.href, "SHOW statement_timeout")).toEqual({ statement_timeout: "7s" });
  expect(
    await ask(
      await output("directUrl"),
      "SELECT rolconnlimit AS n FROM pg_roles WHERE rolname = 'timelift_app_a'",
    ),
  ).toEqual({ n: 25 });
});

test("an extension that is asked for is there, with the programs that bring it", async () => {
  configure({ passwordGeneration: 3, extensions: ["vector", "plpython3u"] });
  await timelift("up", "--skip-preview");
  const owner = await output("directUrl");
  expect(await ask(owner, "SELECT '[1,2]'::vector <-> '[4,6]'::vector AS distance")).toEqual({ distance: 5 });
  expect(await ask(owner, "SELECT count(*)::int AS n FROM pg_language WHERE lanname = 'plpython3u'")).toEqual(
    {
      n: 1,
    },
  );
  expect(await timelift("status")).toContain("postgresql-17-pgvector");
  await timelift("preview", "--expect-no-changes");
});
