import * as pulumi from "@pulumi/pulumi";
import type { Edition } from "../../migrations/edition.ts";
import type { HypertableSettings } from "../../migrations/hypertable-settings.ts";
import type { Login } from "../external-target.ts";
import type { WorkloadReference } from "../workload.ts";
import { DynamicResource } from "./dynamic-resource.ts";
import type { Endpoint } from "./endpoint.ts";

/** A database that others run. */
export interface ExternalDatabaseArgs {
  /** The database itself, never a pooler. */
  target: Endpoint;
  /** Who makes tables, who writes rows, who reads; one login may stand for all. */
  logins: Record<"owner" | "loader" | "readonly", Login>;
  /** What will be migrated and loaded: its tables and objects say which rights it takes. */
  workload: WorkloadReference;
  /** Edition of TimescaleDB that the migrations are built for. */
  edition: Edition;
  /** What stands in place of what the migrations declare of their hypertables. @default {} */
  hypertables?: Record<string, HypertableSettings>;
}

/**
 * A database that is there already. Before anything is written, every right that the stack will need is asked for, at
 * once; then timelift makes its own schema there. It is never deleted: `destroy` leaves it as it is.
 */
export class ExternalDatabase extends DynamicResource {
  /** Version of TimescaleDB. */
  declare readonly version: pulumi.Output<string>;
  /** `PostgreSQL 17.6, TimescaleDB 2.19.3`. */
  declare readonly server: pulumi.Output<string>;
  /** What is worth to know of it and stops nothing. */
  declare readonly notes: pulumi.Output<string[]>;

  constructor(name: string, args: ExternalDatabaseArgs, opts?: pulumi.CustomResourceOptions) {
    const { logins, ...rest } = args;
    const each = <Value>(of: (login: Login) => Value) => ({
      ...{ owner: of(logins.owner), loader: of(logins.loader), readonly: of(logins.readonly) },
    });
    const inputs = {
      ...rest,
      users: each(({ user }) => user),
      passwords: pulumi.secret(each(({ password }) => password)),
      ...{ version: undefined, server: undefined, notes: undefined },
    };
    super("ExternalDatabase", "external-database-provider", name, inputs, opts);
  }
}
