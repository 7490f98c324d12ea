import * as pulumi from "@pulumi/pulumi";
import type { Edition } from "../../migrations/edition.ts";
import type { HypertableSettings } from "../../migrations/hypertable-settings.ts";
import type { Phase } from "../../migrations/migration-files.ts";
import type { WorkloadReference } from "../workload.ts";
import { DynamicResource } from "./dynamic-resource.ts";
import type { Endpoint } from "./endpoint.ts";

/** One phase of a workload's migrations. */
export interface MigrationsArgs {
  phase: Phase;
  workload: WorkloadReference;
  /** Edition of TimescaleDB that the SQL is for. @default "apache" */
  edition?: Edition;
  /**
   * What stands in place of what the migrations declare of their hypertables.
   * @default {}
   */
  hypertables?: Record<string, HypertableSettings>;
  /**
   * Fingerprint of the source that was loaded; after a new one the aggregates are refreshed.
   * @default nothing is loaded before
   */
  loaded?: pulumi.Input<string>;
  /** The database itself, never the pooler: DDL and advisory locks need a session. */
  target: Endpoint;
  /** Who logs in. @default "timelift_owner_a" */
  user?: string;
  /** Password of the role that owns the tables. */
  password: pulumi.Input<string>;
  /**
   * The last migration that should stand, of either phase.
   * @default the last file
   */
  to?: string;
  /** Let a way back drop a table that holds rows. @default false */
  dropRows?: boolean;
  /** Refuse what drops or empties a table, before anything runs: a way back, or a migration. @default false */
  protect?: boolean;
}

/** Applied migrations. A preview shows the SQL of those that will run, before any server exists. */
export class Migrations extends DynamicResource {
  /** Names of the migrations that stand. */
  declare readonly applied: pulumi.Output<string[]>;
  /** Names of those that `to` leaves down; what builds on them waits. */
  declare readonly held: pulumi.Output<string[]>;
  /** Aggregate, policy, guard … -> what it is in the target, with the reason where it is a fallback or skipped. */
  declare readonly realised: pulumi.Output<Record<string, string>>;

  constructor(name: string, args: MigrationsArgs, opts?: pulumi.CustomResourceOptions) {
    const outputs = { applied: undefined, held: undefined, realised: undefined };
    const inputs = { ...args, password: pulumi.secret(args.password), ...outputs };
    super("Migrations", "migrations-provider", name, inputs, opts);
  }
}
