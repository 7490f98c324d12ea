import type { RedisDeclaration } from "./service.ts";

/** How large the cache is and where it listens. */
export interface RedisArgs {
  /** TCP port on 127.0.0.1. */
  port: number;
  /**
   * Memory for data, in MB; beyond it the keys unused for longest go.
   * @default 256
   */
  maxMemoryMb?: number;
}

/** A Redis for the application's cache: bounded memory, one password, written to disk every second. */
export function redis(args: RedisArgs): RedisDeclaration {
  return {
    name: "redis",
    version: { minimum: "7.0" },
    port: args.port,
    settings: {
      maxmemory: `${args.maxMemoryMb ?? 256}mb`,
      "maxmemory-policy": "allkeys-lru",
      appendonly: true,
      appendfsync: "everysec",
    },
    health: { command: "PING", timeoutSeconds: 30 },
  };
}
