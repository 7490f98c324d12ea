import { randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startService, stopService } from "../stacks/platforms/native/native-service.ts";
import { timescaledb } from "../stacks/services/timescaledb.ts";
import { freePorts, stackSecrets } from "./native-stack.ts";

const project = join(import.meta.dirname, "..");
const stack = `test-${randomBytes(4).toString("hex")}`;
const stateDir = join(project, ".timelift", stack);
const [port = 0] = await freePorts(1);
const declaration = timescaledb({ port, database: "app", memoryMb: 512 });

beforeAll(async () => {
  mkdirSync(stateDir, { recursive: true, mode: 0o700 });
  await startService({ stateDir, declaration, secrets: stackSecrets }, () => {});
});

afterAll(async () => {
  await stopService({ stateDir, declaration, dropData: true });
  rmSync(stateDir, { recursive: true, force: true });
});

const timelift = (args: string[], env: Record<string, string> = {}) =>
  execa(process.execPath, [join(project, "cli/main.ts"), ...args], { reject: false, env });

test("status says what runs, as a table and as JSON", async () => {
  const { stdout } = await timelift(["status", "--stack", stack, "--json"]);
  const [status, ...others] = JSON.parse(stdout);
  expect(others).toEqual([]);
  expect(status).toMatchObject({ service: "timescaledb", state: "running", port, pid: expect.any(Number) });
  expect(status.memoryBytes).toBeGreaterThan(10_000_000);
  expect(status.dataBytes).toBeGreaterThan(20_000_000);
  const table = (await timelift(["status", "--stack", stack])).stdout;
  expect(table.split("\n")[1]).toMatch(new RegExp(`^timescaledb +running +${status.pid} +${port} `));
});

test("status of a stack that is not there says so", async () => {
  expect((await timelift(["status", "--stack", "nowhere"])).stdout).toBe("stack nowhere has no services");
});

test("logs prints the end of a service's log", async () => {
  const { stdout } = await timelift(["logs", "timescaledb", "-n", "2", "--stack", stack]);
  expect(stdout.split("\n")).toHaveLength(2);
  const all = (await timelift(["logs", "timescaledb", "-n", "1000", "--stack", stack])).stdout;
  expect(all).toContain("database system is ready to accept connections");
});

test("logs of a service that is not there names those that are", async () => {
  const { exitCode, stderr } = await timelift(["logs", "redis", "--stack", stack]);
  expect(exitCode).toBe(1);
  expect(stderr).toContain(`stack ${stack} has timescaledb`);
});

const whoami = ["--", "-X", "-Atc", "SELECT current_user"];

test.each(["readonly", "app", "owner"])("psql logs in as %s", async (role) => {
  const { stdout } = await timelift(["psql", "--stack", stack, "--role", role, ...whoami]);
  expect(stdout).toBe(`timelift_${role}`);
});

test("psql comes from the Debian tree where the system has none", async () => {
  const path = mkdtempSync(join(tmpdir(), "timelift-path-"));
  for (const folder of ["/bin", "/usr/bin"]) {
    for (const name of readdirSync(folder).filter((each) => each !== "psql")) {
      rmSync(join(path, name), { force: true });
      symlinkSync(join(folder, name), join(path, name));
    }
  }
  const { stdout } = await timelift(["psql", "--stack", stack, ...whoami], { PATH: path });
  rmSync(path, { recursive: true });
  expect(stdout).toBe("timelift_readonly");
});

test("psql's own exit code is passed on", async () => {
  const { exitCode } = await timelift([
    "psql",
    "--stack",
    stack,
    "--",
    "-X",
    "-v",
    "ON_ERROR_STOP=1",
    "-f",
    "/nowhere",
  ]);
  expect(exitCode).toBe(1);
});
