import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { buildSample } from "../cli/sample/stockula.ts";
import { renderStackFile } from "../cli/stack/stack-file.ts";
import { ProjectCopy } from "./project-copy.ts";
import { shippedStacks } from "./shipped-stacks.ts";

const project = join(import.meta.dirname, "..");

/** A stack file's lines that are no comment, and not the salt that a backend of its own left there. */
const settings = (text: string) =>
  text.split("\n").filter((line) => line.trim() !== "" && !/^\s*#|^encryptionsalt:/.test(line));

describe("timelift stack new", () => {
  let copy: ProjectCopy;
  beforeAll(async () => {
    copy = await ProjectCopy.make({});
    await buildSample(join(copy.dir, "app.db"));
  });
  afterAll(() => copy.remove());

  const make = (...args: string[]) => copy.timelift("stack", "new", ...args);
  const fileOf = (stack: string) => join(copy.dir, `Pulumi.${stack}.yaml`);

  async function refusal(...args: string[]): Promise<string> {
    const { exitCode, output } = await make(...args);
    expect(exitCode, output).toBe(1);
    return output;
  }

  test("writes a commented file, makes the stack, and names the next command", async () => {
    const source = join(copy.dir, "app.db");
    const options = ["--platform", "docker", "--source", source, "--publish", "pgbouncer,redis", "--protect"];
    const { exitCode, output } = await make("qa", ...options, "--yes");
    expect(exitCode, output).toBe(0);
    expect(output).toMatch(/^Next: \.\/timelift up --stack qa$/m);
    const text = readFileSync(fileOf("qa"), "utf8");
    const [timescaledb, pgbouncer, redis] = [15435, 16435, 16382];
    expect(settings(text).join("\n").replaceAll('"', "")).toBe(
      [
        "config:",
        "  timelift:platform: docker",
        "  timelift:workload: stockula",
        "  timelift:source: app.db",
        "  timelift:edition: community",
        "  timelift:publish:",
        ...["timescaledb", "pgbouncer", "redis"].map((name) => `    ${name}: 127.0.0.1`),
        "  timelift:ports:",
        `    timescaledb: ${timescaledb}`,
        `    pgbouncer: ${pgbouncer}`,
        `    redis: ${redis}`,
        "  timelift:protect: true",
      ].join("\n"),
    );
    expect(text.split("\n").filter((line) => /^\s+# /.test(line)).length).toBeGreaterThan(8);
    expect(text).toContain("encryptionsalt:");
    expect((await copy.pulumi("stack", "ls")).output).toMatch(/^qa\b/m);
  });

  test("a native stack of it deploys as it stands: preview finds nothing to complain of", async () => {
    const made = await make("lab", "--platform", "native", "--source", join(copy.dir, "app.db"), "--yes");
    expect(made.exitCode, made.output).toBe(0);
    const { exitCode, output } = await copy.timelift("preview", "--stack", "lab");
    expect(exitCode, output).toBe(0);
    expect(output).toContain("NativeService timescaledb create");
  });

  test("keeps the URL of an external database as a secret, which no file shows", async () => {
    const url = "postgresql://owner:hidden-Zq92@127.0.0.1:1/app?sslmode=disable";
    const source = join(copy.dir, "app.db");
    const args = ["--platform", "external", "--source", source, "--target-url-stdin", "--yes"];
    const { exitCode, output } = await copy.timeliftWith(
      { input: `${url}\n` },
      "stack",
      "new",
      "live",
      ...args,
    );
    expect(exitCode, output).toBe(0);
    expect(output).toContain("Next: ./timelift target --stack live");
    const text = readFileSync(fileOf("live"), "utf8");
    expect(text).toMatch(/timelift:targetUrl:\n\s+secure: v1:/);
    expect(text).toContain("timelift:protect:");
    expect(text + output).not.toContain("hidden-Zq92");
    const target = await copy.timelift("target", "--stack", "live");
    expect(target.output).toContain("127.0.0.1:1");
  });

  test("never overwrites a stack, and leaves no file of one that could not be made", async () => {
    writeFileSync(fileOf("mine"), "config: {}\n");
    expect(await refusal("mine", "--yes")).toContain("there is such a stack already");
    expect(readFileSync(fileOf("mine"), "utf8")).toBe("config: {}\n");
    const env = { ...copy.env, PULUMI_BACKEND_URL: "file:///dev/null/no" };
    const broken = await copy.timeliftWith({ env }, "stack", "new", "lost", "--yes");
    expect([broken.exitCode, existsSync(fileOf("lost"))]).toEqual([1, false]);
  });

  test("asks on a terminal only", async () => {
    expect(await refusal("other", "--platform", "docker")).toContain("no terminal to ask on");
  });

  test.each([
    [["a/b"], "letters, digits, _, . and -"],
    [["x", "--platform", "moon"], "Allowed choices are native, docker, external"],
    [["x", "--workload", "nope"], "there is no such workload"],
    [["x", "--source", "nope.db"], "no such file"],
    [["x", "--publish", "redis"], "it is for --platform docker, and this one is native"],
    [["x", "--platform", "docker", "--publish", "mysql"], "there is no mysql"],
    [["x", "--platform", "docker", "--docker-host", "db.example.com"], "it is no ssh://user@host"],
    [["x", "--port", "timescaledb"], "timescaledb is not SERVICE=PORT"],
    [["x", "--port", "redis=80"], "redis=80 is not between 1024 and 65535"],
    [["x", "--platform", "external", "--target-url-stdin"], "stdin holds none"],
  ])("refuses %j", async (args, why) => {
    expect(await refusal(...args, "--yes")).toContain(why);
    expect(existsSync(fileOf("x"))).toBe(false);
  });
});

describe("the environments that come with the project", () => {
  test.each(shippedStacks)("$stack is what stack new writes", (choices) => {
    const text = readFileSync(join(project, `Pulumi.${choices.stack}.yaml`), "utf8");
    expect(text.replace(/^encryptionsalt:.*\n/m, "")).toBe(renderStackFile(choices));
  });

  test.each([
    ["staging", "timelift:source: no SQLite file is named"],
    ["prod", "timelift:targetUrl: timelift:platform is external, and no database is named"],
  ])("%s demands what only its user can say", async (stack, why) => {
    const copy = await ProjectCopy.make({});
    try {
      if (stack === "prod") await buildSample(join(copy.dir, "app.db"));
      const source = stack === "prod" ? ["--source", join(copy.dir, "app.db")] : [];
      const { exitCode, output } = await copy.timelift("preview", "--stack", stack, ...source);
      expect([exitCode === 0, output]).toEqual([false, expect.stringContaining(why)]);
      expect(output).toContain("pulumi config set");
    } finally {
      copy.remove();
    }
  });
});
