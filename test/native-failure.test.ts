import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, expect, test } from "vitest";
import { findProgram } from "../stacks/platforms/native/program.ts";
import { treeLinker } from "../stacks/platforms/native/sandbox.ts";
import { ensureSysroot } from "../stacks/platforms/native/sysroot.ts";
import { redis } from "../stacks/services/redis.ts";
import { timescaledb } from "../stacks/services/timescaledb.ts";
import { freePorts, stackSecrets } from "./native-stack.ts";

const main = join(import.meta.dirname, "../cli/main.ts");
const folder = mkdtempSync(join(tmpdir(), "timelift-failure-"));
const [port = 0] = await freePorts(1);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Runs `timelift service start|stop` after `before`, in a user and mount namespace of its own. */
async function inNamespace(before: string, verb: "start" | "stop", request: object) {
  const { stdout, stderr } = await execa(
    "unshare",
    ["--user", "--map-root-user", "--mount", "sh", "-c", `${before} && exec "$@"`, "sh"].concat([
      ...[process.execPath, main, "service", verb],
    ]),
    { input: `${JSON.stringify(request)}\n`, reject: false },
  );
  return JSON.parse(stdout || JSON.stringify({ stderr }));
}

test("a full disk is called by its name", async () => {
  const small = join(folder, "small");
  mkdirSync(small);
  const declaration = timescaledb({ port, database: "app", memoryMb: 512 });
  const answer = await inNamespace(`mount -t tmpfs -o size=16m tmpfs ${small}`, "start", {
    stateDir: small,
    declaration,
    secrets: stackSecrets,
  });
  expect(answer.error).toMatchObject({ code: "disk-full", subject: "timescaledb" });
  expect(answer.error.message).toContain("No space left on device");
});

test("a kernel that refuses user namespaces is called by its name, with the command that allows them", async () => {
  const answer = await inNamespace("echo 0 > /proc/sys/user/max_user_namespaces", "start", {
    stateDir: join(folder, "refused"),
    declaration: redis({ port }),
    secrets: stackSecrets,
  });
  expect(answer.error).toMatchObject({ code: "sandbox-refused" });
  expect(answer.error.remedy).toContain("sysctl -w user.max_user_namespaces");
});

/** A folder for PATH with a redis-server that is real, but says that it is `version`. */
async function pathWithRedis(version: string): Promise<string> {
  const path = mkdtempSync(join(folder, "path-"));
  const tree = await ensureSysroot(() => {});
  const program = [...treeLinker(tree), join(tree, "usr/bin/redis-server")].join(" ");
  const script = `#!/bin/sh\n[ "$1" = --version ] && echo "Redis server v=${version} sha=0" && exit\nexec ${program} "$@"\n`;
  writeFileSync(join(path, "redis-server"), script);
  chmodSync(join(path, "redis-server"), 0o755);
  return path;
}

test("a program on PATH is used where it is new enough, and runs as no root", async () => {
  const path = await pathWithRedis("7.2.5");
  const request = { stateDir: join(folder, "host"), declaration: redis({ port }), secrets: stackSecrets };
  const env = { PATH: `${path}:${process.env.PATH}` };
  const run = async (verb: string) => {
    const args = [main, "service", verb];
    return JSON.parse(
      (await execa(process.execPath, args, { input: `${JSON.stringify(request)}\n`, env })).stdout,
    );
  };
  const { result } = await run("start");
  expect(result).toMatchObject({ version: "7.2.5", origin: `host (${path})` });
  await run("stop");
});

test("a program on PATH that is too old is passed over", async () => {
  const before = process.env.PATH;
  process.env.PATH = `${await pathWithRedis("6.2.1")}:${before}`;
  try {
    const program = await findProgram(redis({ port }), () => {});
    expect(program.origin).toBe("sysroot");
  } finally {
    process.env.PATH = before;
  }
});

test("data of a PostgreSQL that is not here is not opened by another", async () => {
  await expect(findProgram(timescaledb({ port, database: "app" }), () => {}, 16)).rejects.toMatchObject({
    code: "program-missing",
    message: expect.stringContaining("made by PostgreSQL 16"),
  });
});
