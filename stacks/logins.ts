import * as pulumi from "@pulumi/pulumi";
import { loginsOf } from "./external-logins.ts";
import type { ExternalTarget } from "./external-target.ts";
import { Credentials } from "./resources/credentials.ts";
import { loginOf } from "./services/login.ts";
import { type Passwords, type RedisSecret, type Role, roles, type Secrets } from "./services/role.ts";

/** The name by which each role logs in. */
export function loginNames(external: ExternalTarget | undefined, generation: number): Record<Role, string> {
  const logins = external && loginsOf(external);
  const names = roles.map((role) => [role, logins?.[role].user ?? loginOf(role, generation)]);
  return Object.fromEntries(names) as Record<Role, string>;
}

/** The passwords of a stack, as those who need them take them. */
export interface StackSecrets {
  /** For the database, and all that logs in there. */
  database: pulumi.Output<Secrets>;
  /** Number of passwords -> those of the roles; of the one in use, and of the one before, which still opens. */
  generations: Record<number, pulumi.Output<Record<Role, string>>>;
  /** For Redis alone, which new passwords of the database leave as it is. */
  cache: pulumi.Output<Pick<Secrets, RedisSecret>>;
}

/**
 * The stack's passwords: generated, but for the roles of an external database, whose URLs bring theirs.
 *
 * Each generation of passwords is a resource of its own, so that a new one touches no other: the first, which holds that
 * of Redis too, those in use, and those of the generation before.
 */
export function stackSecrets(external: ExternalTarget | undefined, generation: number): StackSecrets {
  const first = new Credentials("credentials").passwords;
  const inUse = generation === 1 ? first : rolePasswords(generation);
  const previous = generation === 2 ? first : generation > 2 ? rolePasswords(generation - 1) : undefined;
  const logins = Object.entries(external ? loginsOf(external) : {});
  const given = Object.fromEntries(logins.map(([role, { password }]) => [role, password]));
  const database = pulumi.all([first, inUse, previous]).apply(
    ([{ redis, redis_monitor }, passwords, before]): Secrets => ({
      ...(passwords as Passwords),
      ...given,
      ...{ redis, redis_monitor },
      ...(before && { previous: ofRoles(before) }),
    }),
  );
  const cache = first.apply(({ redis, redis_monitor }) => ({ redis, redis_monitor }));
  const generations = { [generation]: inUse, ...(previous && { [generation - 1]: previous }) };
  return { database: pulumi.secret(database), generations, cache: pulumi.secret(cache) };
}

function rolePasswords(generation: number): pulumi.Output<Record<Role, string>> {
  return new Credentials(`credentials-${generation}`, { names: [...roles] }).passwords;
}

function ofRoles(passwords: Record<Role, string>): Record<Role, string> {
  return Object.fromEntries(roles.map((role) => [role, passwords[role]])) as Record<Role, string>;
}
