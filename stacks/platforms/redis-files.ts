import { createHash } from "node:crypto";
import { redisRules, redisUsers } from "../services/redis-users.ts";
import type { RedisDeclaration, Setting } from "../services/service.ts";

/** What differs between the places where a Redis runs, by Redis' own names. */
export interface RedisPlace {
  /** Addresses that it listens on. */
  bind: string;
  /** Folder of its data, as it sees it. */
  dir: string;
  /** File of its users, as it sees it. */
  aclfile: string;
}

/** The text of redis.conf. */
export function redisSettings({ settings, port }: RedisDeclaration, place: RedisPlace): string {
  const all = { ...settings, ...place, port, daemonize: false };
  return Object.entries(all)
    .map(([name, value]) => `${name} ${word(value)}\n`)
    .join("");
}

/**
 * The text of the file of users: each with its rules, and of its password a digest. `health` has none, and those without
 * a password are not there.
 */
export function redisAcl(
  passwords: Partial<Record<Exclude<keyof typeof redisUsers, "health">, string>>,
): string {
  const users = Object.entries(passwords).map(([user, password]) => {
    const known = user as keyof typeof passwords;
    return `user ${redisUsers[known]} on #${digestOf(password)} ${redisRules[known]}\n`;
  });
  return [
    "user default off resetpass resetkeys resetchannels -@all\n",
    ...users,
    `user ${redisUsers.health} on nopass ${redisRules.health}\n`,
  ].join("");
}

/** A setting's value as CONFIG SET takes it. */
export function redisValue(value: Setting): string {
  if (typeof value === "boolean") return value ? "yes" : "no";
  return String(value);
}

const digestOf = (password: string) => createHash("sha256").update(password).digest("hex");
const word = (value: Setting) => (typeof value === "string" ? JSON.stringify(value) : redisValue(value));
