import { type Role, roles, type Secrets } from "./role.ts";

/** A login of a role: it is a member of the role, acts as it, and has a password and limits of its own. */
export type Login = `${Role}_${"a" | "b"}`;

/**
 * The login that serves a role in a generation of passwords: `_a` in odd ones, `_b` in even ones. So the login of the
 * generation before stays as it is while clients move to this one.
 */
export function loginOf(role: Role, generation: number): Login {
  return `${role}_${generation % 2 === 1 ? "a" : "b"}`;
}

/** Both logins of a role. */
export function bothLogins(role: Role): [Login, Login] {
  return [loginOf(role, 1), loginOf(role, 2)];
}

/** The logins of some roles that have a password, with it. */
export function passwordsByLogin(
  secrets: Secrets,
  generation: number,
  of: readonly Role[] = roles,
): [Login, string][] {
  const { previous } = secrets;
  return of.flatMap((role): [Login, string][] => [
    [loginOf(role, generation), secrets[role]],
    ...(previous ? [[loginOf(role, generation - 1), previous[role]] as [Login, string]] : []),
  ]);
}
