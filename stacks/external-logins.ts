import type { ExternalTarget, Login } from "./external-target.ts";
import type { Role } from "./services/role.ts";

/** Who stands for each role in a database of others: the application's login is the owner's, for it has no other. */
export function loginsOf({ logins }: Pick<ExternalTarget, "logins">): Record<Role, Login> {
  const { owner, loader, readonly } = logins;
  return {
    timelift_owner: owner,
    timelift_loader: loader,
    timelift_app: owner,
    timelift_readonly: readonly,
    timelift_monitor: readonly,
  };
}
