import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ServiceFolder } from "../stacks/platforms/native/service-folder.ts";
import { redis } from "../stacks/services/redis.ts";
import { redisPolicies } from "../stacks/services/redis-policy.ts";
import { redisUsers } from "../stacks/services/redis-users.ts";
import { filesWith, freePorts, NativeStack, processesWith, stackSecrets } from "./native-stack.ts";
import { RedisClient } from "./redis-client.ts";

/** One story on a real Redis: each test goes on where the one before it ended. */
describe("the applications' cache", () => {
  const stack = new NativeStack();
  const folder = new ServiceFolder(stack.stateDir, "redis");
  const pid = () => folder.process?.pid;
  let [port = 0, other = 0] = [0, 0];
  let app: RedisClient;

  beforeAll(async () => {
    [port = 0, other = 0] = await freePorts(2);
    await stack.start(redis({ port }));
    app = await RedisClient.connect(port, redisUsers.app, stackSecrets.redis);
  });

  afterAll(async () => {
    app.close();
    await stack.remove();
  });

  test("lets nobody in without a login, nor with one of the user default", async () => {
    const stranger = await RedisClient.connect(port);
    await expect(stranger.ask("GET", "a")).rejects.toThrow(/NOAUTH/);
    for (const password of Object.values(stackSecrets)) {
      await expect(stranger.ask("AUTH", password)).rejects.toThrow(/WRONGPASS/);
    }
    await stranger.ask("AUTH", redisUsers.health, "whatever");
    expect(await stranger.ask("PING")).toBe("PONG");
    await expect(stranger.ask("GET", "a")).rejects.toThrow(/NOPERM/);
    stranger.close();
  });

  test("an application does with its keys what a cache is for", async () => {
    expect(await app.ask("SET", "quote:MSFT", "1", "EX", "60")).toBe("OK");
    expect(await app.ask("GET", "quote:MSFT")).toBe("1");
    expect(await app.ask("INCRBY", "quote:MSFT", "2")).toBe(3);
    expect(await app.ask("HSET", "h", "a", "1")).toBe(1);
    expect(await app.ask("SCAN", "0", "MATCH", "quote:*", "COUNT", "100")).toEqual(["0", ["quote:MSFT"]]);
    expect(await app.ask("EVAL", "return redis.call('GET', KEYS[1])", "1", "quote:MSFT")).toBe("3");
    expect(await app.ask("PUBLISH", "news", "x")).toBe(0);
    expect(await app.ask("INFO", "server")).toContain("redis_version");
    expect(await app.ask("CLIENT", "SETNAME", "web")).toBe("OK");
    expect(await app.ask("FLUSHDB")).toBe("OK");
  });

  test.each([
    "CONFIG GET maxmemory",
    "CONFIG SET maxmemory 1",
    "ACL LIST",
    "ACL SETUSER timelift_app +@all",
    "DEBUG SLEEP 0",
    "SHUTDOWN NOSAVE",
    "FLUSHALL",
    "SWAPDB 0 1",
    "KEYS *",
    "MONITOR",
    "SAVE",
    "BGREWRITEAOF",
    "REPLICAOF 127.0.0.1 1",
    "MIGRATE 127.0.0.1 1 a 0 1",
    "MODULE LIST",
    "CLIENT LIST",
    "SLOWLOG GET",
    "EVAL return(redis.call('FLUSHALL')) 0",
  ])("an application may not say %s", async (command) => {
    await expect(app.ask(...command.split(" "))).rejects.toThrow(/NOPERM|no permission|not allowed/i);
  });

  test("the exporter's user asks the server about itself, and reads no key", async () => {
    await app.ask("SET", "secret", "of the application");
    const monitor = await RedisClient.connect(port, redisUsers.monitor, stackSecrets.redis_monitor);
    expect(await monitor.ask("INFO", "ALL")).toContain("used_memory:");
    expect(await monitor.ask("CONFIG", "GET", "maxmemory")).toEqual(["maxmemory", String(256 * 2 ** 20)]);
    expect(await monitor.ask("SLOWLOG", "LEN")).toBe(0);
    expect(await monitor.ask("SLOWLOG", "GET", "10")).toEqual([]);
    expect(await monitor.ask("LATENCY", "LATEST")).toEqual([]);
    expect(await monitor.ask("LATENCY", "HISTOGRAM")).toBeInstanceOf(Array);
    expect(await monitor.ask("CLIENT", "LIST")).toContain(`user=${redisUsers.app}`);
    expect(await monitor.ask("DBSIZE")).toBe(1);
    for (const command of [
      "GET secret",
      "SCAN 0",
      "SET a b",
      "CONFIG SET maxmemory 1",
      "ACL LIST",
      "FLUSHDB",
    ]) {
      await expect(monitor.ask(...command.split(" "))).rejects.toThrow(/NOPERM/);
    }
    monitor.close();
  });

  test("takes another size and policy in place, and its clients stay", async () => {
    const before = pid();
    await stack.start(redis({ port, maxMemoryMb: 64, policy: "noeviction" }));
    expect(pid()).toBe(before);
    expect(await app.ask("GET", "secret")).toBe("of the application");
    const monitor = await RedisClient.connect(port, redisUsers.monitor, stackSecrets.redis_monitor);
    expect(await monitor.ask("CONFIG", "GET", "maxmemory*")).toEqual(
      expect.arrayContaining([String(64 * 2 ** 20), "noeviction"]),
    );
    monitor.close();
  });

  test("is bounded: beyond its size it refuses to write, or lets old keys go, as the policy says", async () => {
    const value = "x".repeat(2 ** 19);
    const fill = async () => {
      for (let index = 0; index < 160; index += 1) await app.ask("SET", `k${index}`, value);
    };
    await expect(fill()).rejects.toThrow(/OOM/);
    await stack.start(redis({ port, maxMemoryMb: 64, policy: "allkeys-lru" }));
    await fill();
    expect(await app.ask("DBSIZE")).toBeLessThan(160);
    expect(await app.ask("GET", "k159")).toBe(value);
    await app.ask("FLUSHDB");
  });

  test("takes another password in place: who is in stays, who comes needs the new one", async () => {
    const before = pid();
    await app.ask("SET", "kept", "yes");
    const secrets = { ...stackSecrets, redis: "redis-next-Zq90" };
    await stack.start(redis({ port, maxMemoryMb: 64 }), secrets);
    expect(pid()).toBe(before);
    expect(await app.ask("GET", "kept")).toBe("yes");
    app.close();
    await expect(RedisClient.connect(port, redisUsers.app, stackSecrets.redis)).rejects.toThrow(/WRONGPASS/);
    app = await RedisClient.connect(port, redisUsers.app, secrets.redis);
    expect(await app.ask("GET", "kept")).toBe("yes");
  });

  test("starts anew where only that takes a change, and keeps its keys", async () => {
    const before = pid();
    app.close();
    await stack.start(redis({ port: other, maxMemoryMb: 64 }));
    expect(pid()).not.toBe(before);
    app = await RedisClient.connect(other, redisUsers.app, stackSecrets.redis);
    expect(await app.ask("GET", "kept")).toBe("yes");
  });

  test("no password is in its configuration, which is for its user alone", () => {
    const secrets = readdirSync(join(folder.path, "secrets"));
    expect(secrets.sort()).toEqual(["redis", "redis_admin", "redis_monitor"]);
    const passwords = secrets.map((name) => folder.secret(name) as string);
    for (const password of passwords) {
      const files = filesWith(folder.path, password).filter((file) => !file.includes("/secrets/"));
      expect([files, processesWith(password)]).toEqual([[], []]);
    }
    for (const file of ["conf/redis.conf", "conf/users.acl", ...secrets.map((name) => `secrets/${name}`)]) {
      expect([file, statSync(join(folder.path, file)).mode & 0o777]).toEqual([file, 0o600]);
    }
    const digests = readFileSync(join(folder.conf, "users.acl"), "utf8").match(/#[0-9a-f]{64} /g);
    expect(digests).toHaveLength(3);
  });
});

test.each(redisPolicies)("Redis knows the policy %s", (policy) => {
  expect(redis({ port: 1, policy }).settings["maxmemory-policy"]).toBe(policy);
});
