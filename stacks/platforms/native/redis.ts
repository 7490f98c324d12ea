import { createHash } from "node:crypto";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { RedisDeclaration, Setting } from "../../services/service.ts";
import { askRedis } from "./health.ts";
import type { ServiceKind } from "./service-kind.ts";

/** Redis as a process: configuration by file, so that no argument tells the password. */
export const redis: ServiceKind<RedisDeclaration> = {
  secretsOf: () => ["redis"],

  async prepare({ declaration, folder, sandbox, secrets }) {
    mkdirSync(folder.data, { recursive: true, mode: 0o700 });
    const own = {
      bind: "127.0.0.1",
      port: declaration.port,
      dir: join(sandbox.inside(folder.stateMount), "data"),
      daemonize: false,
    };
    const digest = createHash("sha256").update(secrets.redis).digest("hex");
    const user = `user default on #${digest} ~* &* +@all`;
    const lines = Object.entries({ ...declaration.settings, ...own }).map(
      ([name, value]) => `${name} ${word(value)}`,
    );
    folder.write("conf/redis.conf", `${[...lines, user].join("\n")}\n`);
  },

  command: ({ program, folder, sandbox }) => [
    join(program.folder, "redis-server"),
    join(sandbox.inside(folder.stateMount), "conf/redis.conf"),
  ],

  ask: ({ declaration, secrets }) => askRedis(declaration.port, secrets.redis),

  reload: async () => false,

  // It writes its data out first.
  stop: { signal: "SIGTERM", graceSeconds: 60 },
};

function word(value: Setting): string {
  if (typeof value === "boolean") return value ? "yes" : "no";
  return typeof value === "string" ? JSON.stringify(value) : String(value);
}
