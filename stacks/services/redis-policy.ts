/** What Redis lets go of when its memory is full, by its own names. */
export const redisPolicies = [
  "noeviction",
  "allkeys-lru",
  "allkeys-lfu",
  "allkeys-random",
  "volatile-lru",
  "volatile-lfu",
  "volatile-random",
  "volatile-ttl",
] as const;
export type RedisPolicy = (typeof redisPolicies)[number];
