import { z } from "zod";
import { optionalExtensions } from "./database-plan.ts";
import type { Role } from "./services/role.ts";
import type { RoleLimits } from "./services/role-limits.ts";

const units = { ms: 1, s: 1000, min: 60_000, h: 3_600_000 };
/** The longest that PostgreSQL takes, in milliseconds. */
const longest = 2 ** 31 - 1;

/** A time such as `30s`, in milliseconds; `none` is 0. */
const time = z
  .string({ error: 'a time such as "500ms", "30s", "5min", "1h", or "none"' })
  .regex(/^(none|[1-9]\d*(ms|s|min|h))$/, 'a time such as "500ms", "30s", "5min", "1h", or "none"')
  .transform((text) => {
    const [, number, unit = "ms"] = /^(\d+)(\w+)$/.exec(text) ?? [];
    return Number(number ?? 0) * units[unit as keyof typeof units];
  })
  .refine((ms) => ms <= longest, "at most 596h");

const connections = z.union([z.literal("none").transform(() => 0), z.int().min(1)], {
  error: 'a number of connections, or "none"',
});

const limits = z.strictObject({
  statementTimeout: time.optional(),
  idleInTransactionTimeout: time.optional(),
  lockTimeout: time.optional(),
  connections: connections.optional(),
});

/** Names of the limits of a role. */
export const limitNames = Object.keys(limits.shape);

const shortRoles = ["owner", "loader", "app", "readonly", "monitor"] as const;
/** Names of the roles as the config has them. */
export const shortRoleNames: string[] = [...shortRoles];

const byRole = Object.fromEntries(shortRoles.map((name) => [name, limits.optional()])) as Record<
  (typeof shortRoles)[number],
  z.ZodOptional<typeof limits>
>;

/** `timelift:roles`: role -> its limits in place of the default ones. */
export const roleLimits = z
  .strictObject(byRole)
  .prefault({})
  .transform(
    (given) =>
      Object.fromEntries(
        Object.entries(given).map(([name, each]) => [`timelift_${name}`, withoutGaps(each ?? {})]),
      ) as Partial<Record<Role, Partial<RoleLimits>>>,
  );

/** A limit that is not given shall not stand in place of its default. */
function withoutGaps(given: z.output<typeof limits>): Partial<RoleLimits> {
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
}

/** `timelift:extensions`: what the database has beside timescaledb and pg_stat_statements. */
export const extensions = z
  .array(z.enum(optionalExtensions), { error: `a list of ${optionalExtensions.join(", ")}` })
  .default([])
  .transform((names) => optionalExtensions.filter((name) => names.includes(name)));
