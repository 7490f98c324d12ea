import type { Role } from "../services/role.ts";

/**
 * A regular expression of Prometheus for the roles whose queries count for latency: the application's. Loads, migrations
 * and validations take long by nature; people who ask in psql wait knowingly.
 */
export function applicationLogins({ timelift_app }: Pick<Record<Role, string>, "timelift_app">): string {
  // In quotes of PromQL, a backslash has to be said twice.
  return timelift_app.replace(/[.*+?^${}()|[\]\\]/g, "\\\\$&");
}
