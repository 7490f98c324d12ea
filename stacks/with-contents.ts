import { type DatabasePlanArgs, databasePlan } from "./database-plan.ts";
import type { Through } from "./database-through.ts";
import type { StackSecrets } from "./logins.ts";
import type { Service } from "./platforms/platform.ts";

/** What is inside a database server, and who makes it. */
export interface WithContentsArgs extends DatabasePlanArgs {
  through: Through;
  passwords: StackSecrets["generations"];
}

/**
 * A database server together with what is inside: whoever waits for it, waits for its roles and grants too. Where timelift
 * makes them itself, or others do, that is the server as it comes.
 */
export async function withContents(server: Service, args: WithContentsArgs): Promise<Service> {
  const { through, passwords, ...plan } = args;
  if (through === "builtin") return server;
  const { DatabaseContents } = await import("./database.ts");
  const resource = new DatabaseContents("database", { server, passwords, plan: databasePlan(plan) });
  return { ...server, resource };
}
