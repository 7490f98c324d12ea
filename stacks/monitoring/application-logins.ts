import { bothLogins } from "../services/login.ts";
import type { Role } from "../services/role.ts";

/**
 * A regular expression of Prometheus for the roles whose queries count for latency: the application's. Loads, migrations
 * and validations take long by nature; people who ask in psql wait knowingly. A login of the stack's own acts as its
 * role, which is whom a statement belongs to; that holds for every generation of passwords.
 */
export function applicationLogins({ timelift_app }: Pick<Record<Role, string>, "timelift_app">): string {
  if (bothLogins("timelift_app").some((login) => login === timelift_app)) return "timelift_app";
  // In quotes of PromQL, a backslash has to be said twice.
  return timelift_app.replace(/[.*+?^${}()|[\]\\]/g, "\\\\$&");
}
