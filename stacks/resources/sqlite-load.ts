import * as pulumi from "@pulumi/pulumi";
import type { HypertableSettings } from "../../migrations/hypertable-settings.ts";
import type { WorkloadReference } from "../workload.ts";
import { DynamicResource } from "./dynamic-resource.ts";
import type { Endpoint } from "./endpoint.ts";

/** A load of one SQLite file. */
export interface SqliteLoadArgs {
  /** As the config writes it; carried to the loader, never compared. */
  source: string;
  workload: WorkloadReference;
  /** The database itself, never the pooler: COPY and advisory locks need a session. */
  target: Endpoint;
  /** Who logs in. @default "timelift_loader_a" */
  user?: string;
  /** Password of the role that loads. */
  password: pulumi.Input<string>;
  /** The stack's folder, relative to the project: the private copy of the source lives there. */
  stateDir: string;
  /**
   * Rows that may be rejected before the load fails: a number of rows, or a share such as "0.1%".
   * @default "0"
   */
  maxRejects?: string;
  /**
   * What stands in place of what the migrations declare of their hypertables; it says which rows go straight to the
   * columnstore.
   * @default {}
   */
  hypertables?: Record<string, HypertableSettings>;
  /** Migrations that stand; tables made anew are loaded anew. */
  tables: pulumi.Input<string[]>;
  /** Migrations that are down on purpose; while there are any, nothing is loaded. */
  held: pulumi.Input<string[]>;
}

/** Rows of a SQLite file in the target. A preview shows how many will go, per table. */
export class SqliteLoad extends DynamicResource {
  /** Fingerprint of the source as it was loaded. */
  declare readonly loaded: pulumi.Output<string>;
  /** Rows in the target that came from the source. */
  declare readonly rows: pulumi.Output<number>;
  /** What the last load did, a line a table. */
  declare readonly summary: pulumi.Output<Record<string, string>>;

  constructor(name: string, args: SqliteLoadArgs, opts?: pulumi.CustomResourceOptions) {
    const outputs = { loaded: undefined, rows: undefined, summary: undefined, parts: undefined };
    const inputs = { ...args, password: pulumi.secret(args.password), ...outputs };
    super("SqliteLoad", "sqlite-load-provider", name, inputs, opts);
  }
}
