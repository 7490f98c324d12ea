import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { RedisDeclaration } from "../../services/service.ts";
import { redisSettings, redisUser } from "../redis-files.ts";
import { askRedis } from "./health.ts";
import type { ServiceKind } from "./service-kind.ts";

/** Redis as a process: configuration by file, so that no argument tells the password. */
export const redis: ServiceKind<RedisDeclaration> = {
  secretsOf: () => ["redis"],

  async prepare({ declaration, folder, sandbox, secrets }) {
    mkdirSync(folder.data, { recursive: true, mode: 0o700 });
    const dir = join(sandbox.inside(folder.stateMount), "data");
    const settings = redisSettings(declaration, { bind: "127.0.0.1", dir });
    folder.write("conf/redis.conf", settings + redisUser(secrets.redis));
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
