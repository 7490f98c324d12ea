import { randomBytes } from "node:crypto";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { redisUsers } from "../../services/redis-users.ts";
import type { RedisDeclaration } from "../../services/service.ts";
import { redisAcl, redisSettings, redisValue } from "../redis-files.ts";
import { askRedis } from "./health.ts";
import { tellRedis } from "./redis-conversation.ts";
import type { ServiceFolder } from "./service-folder.ts";
import type { ServiceKind } from "./service-kind.ts";

/** Kept as long as the process runs: by it this user alone can hand the process a new configuration. */
const adminSecret = "redis_admin";

/** Redis as a process: configuration by file, and digests in it, so that no argument and no file tells a password. */
export const redis: ServiceKind<RedisDeclaration> = {
  secretsOf: () => ["redis", "redis_monitor"],

  async prepare({ declaration, folder, sandbox, secrets }) {
    mkdirSync(folder.data, { recursive: true, mode: 0o700 });
    const state = sandbox.inside(folder.stateMount);
    const place = { bind: "127.0.0.1", dir: join(state, "data"), aclfile: join(state, "conf/users.acl") };
    folder.write("conf/redis.conf", redisSettings(declaration, place));
    const passwords = { app: secrets.redis, monitor: secrets.redis_monitor, admin: adminPassword(folder) };
    folder.write("conf/users.acl", redisAcl(passwords));
  },

  command: ({ program, folder, sandbox }) => [
    join(program.folder, "redis-server"),
    join(sandbox.inside(folder.stateMount), "conf/redis.conf"),
  ],

  ask: ({ declaration, secrets }) => askRedis(declaration.port, secrets.redis),

  /** Settings and users are taken in place, so that the cache stays warm and no other client loses its connection. */
  async reload({ declaration, folder }, before) {
    const { port, settings } = declaration;
    const isGone = Object.keys(before.settings).some((name) => !(name in settings));
    if (before.port !== port || isGone) return false;
    const changed = Object.entries(settings).filter(([name, value]) => before.settings[name] !== value);
    const commands = changed.map(([name, value]) => ["CONFIG", "SET", name, redisValue(value)]);
    const login = { user: redisUsers.admin, password: adminPassword(folder) };
    try {
      await tellRedis(port, login, [...commands, ["ACL", "LOAD"]]);
      return true;
    } catch {
      // One that only a start takes, or a process from before there was such a user.
      return false;
    }
  },

  // It writes its data out first.
  stop: { signal: "SIGTERM", graceSeconds: 60 },
};

function adminPassword(folder: ServiceFolder): string {
  const known = folder.secret(adminSecret);
  if (known !== undefined) return known;
  const password = randomBytes(24).toString("base64url");
  folder.write(`secrets/${adminSecret}`, password);
  return password;
}
