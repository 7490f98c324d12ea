import * as postgresql from "@pulumi/postgresql";
import * as pulumi from "@pulumi/pulumi";
import type { DatabasePlan, GrantPlan, LoginPlan } from "./database-plan.ts";
import { isOfPlugin, pluginDatabase } from "./ground-plan.ts";
import type { StackSecrets } from "./logins.ts";
import { superuser } from "./platforms/bootstrap.ts";
import type { Service } from "./platforms/platform.ts";
import { scramSecret } from "./platforms/scram-secret.ts";
import { loginOf } from "./services/login.ts";
import { urlHost } from "./url-host.ts";

/** What a server is to have inside, and how it is reached. */
export interface DatabaseContentsArgs {
  /** The server; it runs, with the plan's ground in it. */
  server: Service;
  plan: DatabasePlan;
  passwords: StackSecrets["generations"];
}

/**
 * What is inside a server, each role, extension, grant, … a resource of Pulumi's postgresql plugin: all of the plan that
 * the plugin has words for. None of it is ever dropped: a resource that goes, goes from Pulumi's state alone.
 */
export class DatabaseContents extends pulumi.ComponentResource {
  readonly #plan: DatabasePlan;
  readonly #server: Service;
  readonly #provider: postgresql.Provider;
  /** Roles, logins, `database`, schemas: what the others wait for. */
  readonly #made = new Map<string, pulumi.Resource>();

  constructor(name: string, args: DatabaseContentsArgs, opts?: pulumi.ComponentResourceOptions) {
    super("timelift:index:DatabaseContents", name, {}, opts);
    this.#plan = args.plan;
    this.#server = args.server;
    this.#provider = this.#connect();
    this.#makeRoles(args.passwords);
    this.#makeDatabase();
    this.#makeGrants();
    this.registerOutputs({});
  }

  /** Every setting is given, for the plugin takes what is missing from the environment (PGHOST, PGUSER, …). */
  #connect(): postgresql.Provider {
    const { host, port, tls, superuserPassword } = this.#server;
    return new postgresql.Provider(
      "postgresql",
      {
        ...{ host: urlHost(host), port, database: pluginDatabase },
        ...{ username: superuser, password: superuserPassword, superuser: true },
        ...{ sslmode: tls?.mode ?? "disable", connectTimeout: 30 },
        ...(tls?.rootCert !== undefined && { sslrootcert: tls.rootCert }),
      },
      { parent: this },
    );
  }

  /**
   * Roles and database are there before the plugin comes: it adopts them, and brings them in line. So a stack that
   * timelift itself made, kept data, and an update that was killed are taken over alike. A preview adopts nothing, for
   * there may be no server yet.
   */
  #options(after: (pulumi.Resource | undefined)[], adopted?: string): pulumi.CustomResourceOptions {
    return {
      parent: this,
      provider: this.#provider,
      dependsOn: [this.#server.resource, ...after.filter((each) => each !== undefined)],
      retainOnDelete: true,
      ...(adopted !== undefined && !pulumi.runtime.isDryRun() && { import: adopted }),
    };
  }

  #makeRoles(passwords: StackSecrets["generations"]): void {
    const { groups, logins } = this.#plan;
    for (const { name, runsJobs, memberOf } of groups) {
      const args = { name, login: runsJobs, roles: memberOf };
      this.#made.set(name, new postgresql.Role(name, args, this.#options([], name)));
    }
    for (const login of logins) {
      const { name, group } = login;
      // One after the other, where they are members of one role.
      const after = [this.#made.get(group), this.#made.get(loginOf(group, 1))];
      const args = { ...roleOf(login), ...verifierOf(login, passwords) };
      this.#made.set(name, new postgresql.Role(name, args, this.#options(after, name)));
    }
  }

  #makeDatabase(): void {
    const { database, owner, extensions, schemas } = this.#plan;
    let last: pulumi.Resource = new postgresql.Database(
      database,
      { name: database, owner },
      this.#options([this.#made.get(owner)], database),
    );
    for (const { name, required } of extensions) {
      if (!required) continue;
      last = new postgresql.Extension(`${database}.${name}`, { name, database }, this.#options([last]));
    }
    this.#made.set("database", last);
    for (const schema of schemas) {
      const after = [last, this.#made.get(schema.owner)];
      const made = new postgresql.Schema(
        `${database}.${schema.name}`,
        { ...schema, database, ifNotExists: true },
        this.#options(after),
      );
      this.#made.set(`schema ${schema.name}`, made);
    }
  }

  /** One after the other on each object: PostgreSQL refuses two at once ("tuple concurrently updated"). */
  #makeGrants(): void {
    const { database, defaultPrivileges } = this.#plan;
    const last = new Map<string, pulumi.Resource>();
    const after = (object: string, names: string[]) =>
      this.#options([
        this.#made.get("database"),
        last.get(object),
        ...names.map((name) => this.#made.get(name)),
      ]);
    for (const grant of pluginGrants(this.#plan)) {
      const { on, object, role, privileges } = grant;
      const where = on === "schema" ? { database, schema: object } : { database: object };
      const made = new postgresql.Grant(
        `${on === "schema" ? `${database}.${object}` : object}-${role}`,
        { ...where, objectType: on, role, privileges },
        after(`${on} ${object}`, [role, `schema ${object}`]),
      );
      last.set(`${on} ${object}`, made);
    }
    for (const { maker, schema, role, on, privileges } of defaultPrivileges) {
      const made = new postgresql.DefaultPrivileges(
        `${database}.${schema}-${on}s-${role}`,
        { database, schema, owner: maker, role, objectType: on, privileges },
        after("defaults", [maker, role, `schema ${schema}`]),
      );
      last.set("defaults", made);
    }
  }
}

/** A login as the plugin says it; what it has no words for is of the ground. */
function roleOf({ name, group, enabled, connections, settings }: LoginPlan) {
  const { statement_timeout: statement, idle_in_transaction_session_timeout: idle } = settings;
  return {
    ...{ name, login: enabled, roles: [group], assumeRole: settings.role, connectionLimit: connections },
    ...(statement !== undefined && { statementTimeout: Number(statement) }),
    ...(idle !== undefined && { idleInTransactionSessionTimeout: Number(idle) }),
  };
}

/** The grants on what the plugin connects to, and on the schemas that its extensions bring. */
function pluginGrants(plan: DatabasePlan): GrantPlan[] {
  const brought = plan.extensions.flatMap(({ required, schema }) =>
    required && schema
      ? schema.users.map((role) => ({
          ...{ on: "schema" as const, object: schema.name, role, privileges: ["USAGE"] },
        }))
      : [],
  );
  return [...plan.grants.filter((grant) => isOfPlugin(plan, grant)), ...brought];
}

/**
 * What PostgreSQL keeps of a login's password: the plugin's statements, and Pulumi's state of them, hold no more. Each
 * comes of its own generation alone, so that a preview of new passwords leaves those of before as they are.
 */
function verifierOf(
  { name, group, enabled }: LoginPlan,
  passwords: StackSecrets["generations"],
): { password?: pulumi.Output<string> } {
  const found = Object.entries(passwords).find(([generation]) => loginOf(group, Number(generation)) === name);
  if (!enabled || found === undefined) return {};
  return { password: pulumi.secret(found[1].apply((known) => scramSecret(name, known[group]))) };
}
