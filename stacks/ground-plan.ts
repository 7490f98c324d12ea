import type { DatabasePlan, ExtensionPlan, GrantPlan } from "./database-plan.ts";
import type { Login } from "./services/login.ts";
import type { Role } from "./services/role.ts";

/**
 * The part of a plan that Pulumi's postgresql plugin cannot say, and what has to be there before it begins: roles without
 * any right, and the database. It is made real by `platforms/ground.ts`; the plugin's part is in `database.ts`.
 */
export interface GroundPlan {
  through: "plugin";
  /** Number of the passwords that are in use. */
  generation: number;
  database: string;
  groups: Role[];
  logins: GroundLogin[];
  /** Those that a server has to have, which the plugin makes, and those that are made where it has them. */
  extensions: ExtensionPlan[];
  /** On databases that the plugin does not connect to. */
  grants: GrantPlan[];
}

/** A login, with those of its settings that the plugin has no word for. */
export interface GroundLogin {
  name: Login;
  settings: Record<string, string>;
}

/** The database in which the plugin begins each of its connections. */
export const pluginDatabase = "postgres";

/** Settings of a login that the plugin has words for. */
export const pluginSettings = ["role", "statement_timeout", "idle_in_transaction_session_timeout"];

/** What of a plan is made by timelift itself where the plugin makes the rest. */
export function groundOf(plan: DatabasePlan): GroundPlan {
  const { generation, database, extensions } = plan;
  return {
    through: "plugin",
    ...{ generation, database, extensions },
    groups: plan.groups.map(({ name }) => name),
    logins: plan.logins.map(({ name, settings }) => ({
      name,
      settings: Object.fromEntries(
        Object.entries(settings).filter(([setting]) => !pluginSettings.includes(setting)),
      ),
    })),
    grants: plan.grants.filter((grant) => !isOfPlugin(plan, grant)),
  };
}

/** Whether the plugin makes a grant: it connects to the stack's own database and to its first one alone. */
export function isOfPlugin({ database }: Pick<DatabasePlan, "database">, { on, object }: GrantPlan): boolean {
  return on === "schema" || object === database || object === pluginDatabase;
}

export function isGround(contents: DatabasePlan | GroundPlan): contents is GroundPlan {
  return "through" in contents;
}
