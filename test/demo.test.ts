import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { isOnHost } from "../stacks/platforms/native/program.ts";
import { serviceNames } from "../stacks/services/service.ts";
import { freePorts } from "./native-stack.ts";
import { ProjectCopy } from "./project-copy.ts";

/** Debian has no Grafana. */
const here = serviceNames.filter((name) => name !== "grafana" || isOnHost(name)).length;
let project: ProjectCopy;

beforeAll(async () => {
  project = await ProjectCopy.make({ dropData: true });
});

afterAll(async () => {
  await project.timelift("destroy", "--stack", "dev-forward-factor");
  await project.timelift("destroy");
  project.remove();
});

test("a workload without a sample is refused at once, with the names of those that have one", async () => {
  const { exitCode, output } = await project.timelift("demo", "--workload", "nonesuch");
  expect(exitCode).toBe(1);
  expect(output).toContain(
    "workload nonesuch: there is no sample of it; there is one of stockula and of forward-factor",
  );
  expect(existsSync(join(project.dir, ".timelift", "state"))).toBe(false);
});

test("the default workload's demo ends all PASS in stack dev, and says what can be done next", async () => {
  const { exitCode, output } = await project.timelift("demo");
  expect(exitCode, output).toBe(0);
  expect(output).toMatch(/validation PASS: \d+ PASS, 2 SKIP; 5,816 rows compared/);
  expectOnlyColumnstoreSkipped(output);
  expect(output).toContain("./timelift up --source YOUR.db   your own stockula database");
  expect(readFileSync(join(project.dir, "Pulumi.dev.yaml"), "utf8")).toContain("timelift:workload: stockula");
});

test("a stack that holds one workload refuses the demo of another, and stays as it was", async () => {
  const { exitCode, output } = await project.timelift(
    "demo",
    "--workload",
    "forward-factor",
    "--stack",
    "dev",
  );
  expect(exitCode).toBe(1);
  expect(output).toContain(
    "stack dev: it holds the workload stockula; two workloads in one database would mix",
  );
  expect(output).toContain("the demo's own is dev-forward-factor");
  expect(readFileSync(join(project.dir, "Pulumi.dev.yaml"), "utf8")).toContain("timelift:workload: stockula");
  expect((await project.timelift("preview", "--expect-no-changes")).exitCode).toBe(0);
});

test("the demo of another workload stands beside the first, and goes without it", async () => {
  await freshStackFile("Pulumi.dev-forward-factor.yaml");
  const { exitCode, output } = await project.timelift("demo", "--workload", "forward-factor");
  expect(exitCode, output).toBe(0);
  expect(output).toMatch(/validation PASS: \d+ PASS, 4 SKIP/);
  expectOnlyColumnstoreSkipped(output);
  expect(output).toContain("./timelift destroy --stack dev-forward-factor");
  expect(await running("dev-forward-factor")).toBe(here);
  const destroyed = await project.timelift("destroy", "--stack", "dev-forward-factor");
  expect(destroyed.exitCode, destroyed.output).toBe(0);
  expect(await running("dev-forward-factor")).toBe(0);
  expect(await running("dev")).toBe(here);
});

/** Debian's edition has no columnstore; everything else that it lacks has a fallback. */
function expectOnlyColumnstoreSkipped(output: string): void {
  expect(output).not.toMatch(/^ +FAIL /m);
  for (const [line] of output.matchAll(/^ +SKIP .*$/gm)) expect(line).toMatch(/SKIP columnstore/);
  expect(output).toMatch(/PASS continuous aggregate .*\n +fallback: materialized view/);
}

test("a source of one's own takes the sample's place", async () => {
  const own = join(project.dir, "own.db");
  await project.timelift("sample", own);
  const { exitCode, output } = await project.timelift("demo", "--workload", "stockula", "--source", own);
  expect(exitCode, output).toBe(0);
  expect(readFileSync(join(project.dir, "Pulumi.dev.yaml"), "utf8")).toContain("timelift:source: own.db");
});

test("a stack whose config names a workload kept elsewhere is not the demo's", async () => {
  project.configure({ dropData: true, ports: project.ports, workloadPath: "shop" });
  await project.timelift("destroy");
  const { exitCode, output } = await project.timelift("demo");
  expect(exitCode).toBe(1);
  expect(output).toContain(
    "stack dev: its config names a workload of your own, timelift:workloadPath = shop",
  );
});

/** How many services of a stack run. */
async function running(stack: string): Promise<number> {
  const { stdout } = await project.timelift("status", "--json", "--stack", stack);
  const services = JSON.parse(stdout) as { state: string }[];
  return services.filter(({ state }) => state === "running").length;
}

/** Moves a stack that the project declares to ports that nobody uses, and takes off the salt of another passphrase. */
async function freshStackFile(name: string): Promise<void> {
  const file = join(project.dir, name);
  const free = await freePorts(serviceNames.length);
  const text = readFileSync(file, "utf8").replace(/^encryptionsalt: .*$/m, "");
  writeFileSync(
    file,
    text.replace(/^( {4}[\w-]+: )\d+$/gm, (_, key) => `${key}${free.pop()}`),
  );
  expect(free, "a port for each service").toEqual([]);
}
