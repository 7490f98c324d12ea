/** Who may do what in the applications' cache. Redis' own user `default`, who may do all, is off. */
export const redisUsers = {
  /** The applications. */
  app: "timelift_app",
  /** The exporter of metrics, who can read no key. */
  monitor: "timelift_monitor",
  /** Whoever runs the process, to hand it a new configuration; its password is of the moment. */
  admin: "timelift_admin",
  /** Health checks, without a password. */
  health: "health",
} as const;

/**
 * What a user may do, as Redis writes it.
 *
 * - `app`: every command on every key and channel, but those that Redis itself calls administrative or dangerous: no
 *   CONFIG, ACL, DEBUG, SHUTDOWN, MODULE, MONITOR, SAVE, REPLICAOF, MIGRATE, RESTORE, SORT, FLUSHALL, SWAPDB, nor KEYS,
 *   which holds everyone up (SCAN does not). Of the dangerous ones it keeps INFO, by which clients see that the server is
 *   ready, and FLUSHDB: whoever may delete each key may empty their cache.
 * - `monitor`: what an exporter asks the server about itself. No key can be read, though the slow log shows arguments.
 * - `admin`: settings and users.
 * - `health`: PING.
 */
export const redisRules: Record<keyof typeof redisUsers, string> = {
  app: "~* &* +@all -@admin -@dangerous +info +flushdb",
  monitor:
    "resetchannels -@all +ping +select +info +dbsize +config|get +slowlog|get +slowlog|len +latency|latest " +
    "+latency|history +latency|histogram +client|list +client|setname +client|setinfo",
  admin: "resetchannels -@all +config|set +config|get +acl|load",
  health: "resetchannels -@all +ping",
};
