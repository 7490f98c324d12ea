import { createHash } from "node:crypto";
import type { RedisDeclaration, Setting } from "../services/service.ts";

/** What differs between the places where a Redis runs, by Redis' own names. */
export interface RedisPlace {
  /** Addresses that it listens on. */
  bind: string;
  /** Folder of its data, as it sees it. */
  dir: string;
}

/** The lines of redis.conf, all but the users. */
export function redisSettings({ settings, port }: RedisDeclaration, place: RedisPlace): string {
  const all = { ...settings, ...place, port, daemonize: false };
  return Object.entries(all)
    .map(([name, value]) => `${name} ${word(value)}\n`)
    .join("");
}

/** The line of redis.conf that lets in who knows the password, of which it tells a digest only. */
export function redisUser(password: string): string {
  const digest = createHash("sha256").update(password).digest("hex");
  return `user default on #${digest} ~* &* +@all\n`;
}

function word(value: Setting): string {
  if (typeof value === "boolean") return value ? "yes" : "no";
  return typeof value === "string" ? JSON.stringify(value) : String(value);
}
