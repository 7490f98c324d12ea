import type { RedisPolicy } from "./redis-policy.ts";
import type { RedisDeclaration } from "./service.ts";

/** How large the cache is and where it listens. */
export interface RedisArgs {
  /** TCP port on 127.0.0.1. */
  port: number;
  /**
   * Memory for data, in MB.
   * @default 256
   */
  maxMemoryMb?: number;
  /**
   * What it lets go of beyond that; by default the keys unused for longest. With `noeviction` it refuses to write.
   * @default allkeys-lru
   */
  policy?: RedisPolicy;
}

/** A Redis for the application's cache: bounded memory, users with what they need, written to disk every second. */
export function redis(args: RedisArgs): RedisDeclaration {
  const { maxMemoryMb = 256, policy = "allkeys-lru" } = args;
  return {
    name: "redis",
    version: { minimum: "7.0" },
    port: args.port,
    // While it rewrites its file, pages that change are there twice.
    memoryMb: maxMemoryMb * 2 + 64,
    settings: {
      maxmemory: `${maxMemoryMb}mb`,
      "maxmemory-policy": policy,
      appendonly: true,
      appendfsync: "everysec",
    },
    health: { command: "PING", timeoutSeconds: 30 },
  };
}
