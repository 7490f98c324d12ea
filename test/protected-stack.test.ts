import { existsSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { buildSample } from "../cli/sample/stockula.ts";
import { ProjectCopy } from "./project-copy.ts";

/** One story through the real Pulumi CLI: each test goes on where the one before it ended. */
describe("a protected stack", () => {
  let project: ProjectCopy;

  beforeAll(async () => {
    project = await ProjectCopy.make({});
    await buildSample(join(project.dir, "app.db"));
    configure({ dropData: true });
    await up();
  });

  afterAll(async () => {
    // A failure may have left it protected.
    configure({});
    await project.timelift("up", "--skip-preview");
    await project.timelift("destroy");
    project.remove();
  });

  const configure = (more: Record<string, unknown>) =>
    project.configure({
      ...{ source: "app.db", ports: project.ports, memoryMb: 512, services: ["pgbouncer", "redis"] },
      ...more,
    });

  async function up(...args: string[]): Promise<void> {
    const { exitCode, output } = await project.timelift("up", "--skip-preview", ...args);
    expect(exitCode, output).toBe(0);
  }

  async function states(): Promise<Record<string, string>> {
    const { stdout } = await project.timelift("status", "--json");
    const services = JSON.parse(stdout) as { service: string; state: string }[];
    return Object.fromEntries(services.map(({ service, state }) => [service, state]));
  }

  async function refusal(...args: string[]): Promise<string> {
    const { exitCode, output } = await project.timelift(...args);
    expect(exitCode, output).toBe(1);
    return output;
  }

  const dataOf = (service: string) =>
    existsSync(join(project.dir, ".timelift", "dev", "services", service, "data"));
  const allRunning = { timescaledb: "running", pgbouncer: "running", redis: "running" };

  test("is not destroyed, nor is what was deployed before the protection was", async () => {
    configure({ protect: true });
    const whole = await refusal("destroy");
    expect(whole).toMatch(/it is protected .* would go/);
    expect(whole).toContain("./timelift destroy --stack dev --exclude-protected");
    expect(await refusal("destroy", "--exclude-protected")).toMatch(
      /deployed last lets these go: .*timescaledb/,
    );
    expect(await states()).toEqual(allRunning);
  });

  test("is not destroyed by plain pulumi either, once that is deployed", async () => {
    await up();
    const { exitCode, output } = await project.pulumi("destroy", "--yes", "--skip-preview");
    expect([exitCode === 0, output]).toEqual([
      false,
      expect.stringMatching(/timescaledb.*cannot be deleted|protected/s),
    ]);
    expect(dataOf("timescaledb")).toBe(true);
    expect((await states()).timescaledb).toBe("running");
    await up();
    expect(await states()).toEqual(allRunning);
  });

  test("lets go of what can be made again, while the service with the rows runs on", async () => {
    const { exitCode, output } = await project.timelift("destroy", "--exclude-protected");
    expect(exitCode, output).toBe(0);
    expect(await states()).toMatchObject({ timescaledb: "running", redis: "stopped" });
    expect(dataOf("redis")).toBe(true);
    await up();
    expect(await states()).toEqual(allRunning);
  });

  test("whose protection is switched off lets data go by name only", async () => {
    configure({ protect: false, dropData: true });
    for (const verb of ["preview", "up", "destroy"]) {
      expect(await refusal(verb)).toContain("data go there only by name");
    }
    const named = ["--target", "**::timescaledb", "--target-dependents"];
    await up(...named);
    // What was deployed lets data go, whatever the config says since.
    configure({ protect: false });
    expect(await refusal("destroy")).toMatch(/timescaledb.*: protection of stack dev is switched off/);
    expect(dataOf("timescaledb")).toBe(true);
    const gone = await project.timelift("destroy", ...named);
    expect(gone.exitCode, gone.output).toBe(0);
    expect([dataOf("timescaledb"), dataOf("redis")]).toEqual([false, true]);
    const rest = await project.timelift("destroy");
    expect(rest.exitCode, rest.output).toBe(0);
    expect(dataOf("redis")).toBe(true);
  });
});
