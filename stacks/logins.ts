import * as pulumi from "@pulumi/pulumi";
import { loginsOf } from "./external-logins.ts";
import type { ExternalTarget } from "./external-target.ts";
import { type Role, roles, type Secrets } from "./services/role.ts";

/** The name by which each role logs in. */
export function loginNames(external: ExternalTarget | undefined): Record<Role, string> {
  const logins = external && loginsOf(external);
  const names = roles.map((role) => [role, logins?.[role].user ?? role]);
  return Object.fromEntries(names) as Record<Role, string>;
}

/** The stack's passwords: generated, but for the roles of an external database, whose URLs bring theirs. */
export function loginPasswords(
  external: ExternalTarget | undefined,
  generated: pulumi.Output<Secrets>,
): pulumi.Output<Secrets> {
  if (external === undefined) return generated;
  const logins = Object.entries(loginsOf(external));
  const given = Object.fromEntries(logins.map(([role, { password }]) => [role, password]));
  return pulumi.secret(generated.apply((secrets) => ({ ...secrets, ...given })));
}
