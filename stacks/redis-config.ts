import { z } from "zod";
import { redisPolicies } from "./services/redis-policy.ts";

const keys = z.strictObject({
  /** MiB of data; the service's memory is bounded above that. */
  maxMemoryMb: z.coerce.number().int().min(1).default(256),
  /** What goes when they are full. */
  policy: z
    .enum(redisPolicies, { error: `one of Redis' own: ${redisPolicies.join(", ")}` })
    .default("allkeys-lru"),
});

/** Keys of `timelift:redis`. */
export const redisSettingNames = Object.keys(keys.shape);

/** `timelift:redis`: how much the applications' cache holds, and what it lets go of. */
export const redis = keys.prefault({});
