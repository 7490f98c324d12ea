import { redisUsers } from "../../services/redis-users.ts";
import type { RedisDeclaration } from "../../services/service.ts";
import { redisAcl, redisSettings } from "../redis-files.ts";
import { type ContainerKind, confFolder } from "./container-kind.ts";
import { imageLayouts } from "./images.ts";

/** Redis in a container. Health checks ask as a user who may say PING and nothing else, so they need no secret. */
export const redis: ContainerKind<RedisDeclaration> = {
  files: (declaration) => ({
    "redis.conf": redisSettings(declaration, {
      bind: "0.0.0.0",
      dir: imageLayouts.redis.data as string,
      aclfile: `${confFolder}/users.acl`,
    }),
  }),

  secretFiles: {
    "users.acl": async (_declaration, secrets) =>
      redisAcl({ app: secrets.redis, monitor: secrets.redis_monitor }),
  },

  command: () => ["redis-server", `${confFolder}/redis.conf`],

  ask: ({ port, health }) => [
    ...["redis-cli", "-e", "-p", String(port)],
    ...["--user", redisUsers.health, "--pass", "none", "--no-auth-warning"],
    health.command,
  ],

  // It writes its data out first.
  stop: { signal: "SIGTERM", graceSeconds: 60 },
};
