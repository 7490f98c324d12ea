import { existsSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestProject } from "vitest/node";
import { stopService } from "../stacks/platforms/native/native-service.ts";
import { freePort } from "../stacks/platforms/native/port.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** Where this run's database server is, once a test has asked for it (`test/postgres.ts`). */
    testServer: { stateDir: string; port: number };
  }
}

const prefix = "timelift-test-";

/** Gives this run a place for a database server; the first test that wants one starts it. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  await removeLeftovers();
  const stateDir = join(tmpdir(), `${prefix}${process.pid}`);
  mkdirSync(stateDir, { recursive: true, mode: 0o700 });
  project.provide("testServer", { stateDir, port: await freePort() });
  return () => remove(stateDir);
}

/** Servers of runs that were killed. */
async function removeLeftovers(): Promise<void> {
  for (const name of readdirSync(tmpdir()).filter((each) => /^timelift-test-\d+$/.test(each))) {
    if (!existsSync(join("/proc", name.slice(prefix.length)))) await remove(join(tmpdir(), name));
  }
}

async function remove(stateDir: string): Promise<void> {
  await stopService({ stateDir, declaration: { name: "timescaledb" }, dropData: true });
  rmSync(stateDir, { recursive: true, force: true });
}
