import { chmodSync, chownSync, mkdirSync, mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ensureSysroot } from "../stacks/platforms/native/sysroot.ts";
import { redis } from "../stacks/services/redis.ts";
import type { ServiceDeclaration } from "../stacks/services/service.ts";
import { timescaledb } from "../stacks/services/timescaledb.ts";
import { asRole, freePorts, stackSecrets, value } from "./native-stack.ts";

const project = join(import.meta.dirname, "..");
const sources = ["cli", "loaders", "migrations", "stacks", "tools", "package.json", "node_modules"];
const home = mkdtempSync(join(tmpdir(), "timelift-user-"));
const stateDir = join(home, "state");
const isRoot = process.getuid?.() === 0;
/** Someone whom no passwd file names; who is no root is that user themselves. */
const uid = isRoot ? 51234 : (process.getuid?.() ?? 0);

/** The same Node, tree and project, where the ordinary user can reach them: by hard links, which take no space. */
beforeAll(async () => {
  const tree = await ensureSysroot(() => {});
  chmodSync(home, 0o755);
  for (const name of ["cache", "state"]) mkdirSync(join(home, name));
  await link(tree, join(home, "cache", basename(tree)));
  await link(process.execPath, join(home, "node"));
  mkdirSync(join(home, "project"));
  for (const name of sources) await link(realpathSync(join(project, name)), join(home, "project", name));
  if (isRoot) for (const name of [".", "cache", "state"]) chownSync(join(home, name), uid, uid);
});

afterAll(() => rmSync(home, { recursive: true, force: true }));

async function link(from: string, to: string): Promise<void> {
  const { failed } = await execa("cp", ["-al", from, to], { reject: false });
  if (failed) await execa("cp", ["-a", from, to]);
}

async function service(verb: "start" | "stop", declaration: ServiceDeclaration) {
  const request = { stateDir, declaration, secrets: stackSecrets, dropData: true };
  const { stdout, stderr } = await execa(
    join(home, "node"),
    [join(home, "project/cli/main.ts"), "service", verb],
    {
      ...(isRoot && { uid, gid: uid }),
      cwd: home,
      env: { PATH: "/usr/bin:/bin", HOME: home, TIMELIFT_CACHE: join(home, "cache") },
      extendEnv: false,
      input: `${JSON.stringify(request)}\n`,
      reject: false,
    },
  );
  if (stdout === "") throw new Error(stderr);
  return JSON.parse(stdout);
}

test("an ordinary user starts and stops services, as themselves", async () => {
  const [database = 0, cache = 0] = await freePorts(2);
  const declarations = [
    timescaledb({ port: database, database: "app", memoryMb: 512 }),
    redis({ port: cache }),
  ];
  for (const declaration of declarations) {
    const { result, error } = await service("start", declaration);
    expect(error).toBeUndefined();
    const { stdout } = await execa("stat", ["-c", "%u", `/proc/${result.pid}`]);
    expect(stdout).toBe(String(uid));
  }
  const answer = await asRole(database, "timelift_app", (client) => value(client, "SELECT 40 + 2"));
  expect(answer).toBe(42);
  for (const declaration of declarations) expect((await service("stop", declaration)).error).toBeUndefined();
});
