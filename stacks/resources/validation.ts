import * as pulumi from "@pulumi/pulumi";
import type { Thresholds } from "../../loaders/validate/thresholds.ts";
import type { CheckStatus } from "../../loaders/validation-report.ts";
import type { Edition } from "../../migrations/edition.ts";
import type { HypertableSettings } from "../../migrations/hypertable-settings.ts";
import type { WorkloadReference } from "../workload.ts";
import { DynamicResource } from "./dynamic-resource.ts";
import type { Endpoint } from "./endpoint.ts";

/** A comparison of every row of the source with the target. */
export interface ValidationArgs {
  /** As the config writes it; carried to the validator, never compared. */
  source: string;
  workload: WorkloadReference;
  target: Endpoint;
  /** Who logs in. @default "timelift_readonly_a" */
  user?: string;
  /** Password of the role that reads. */
  password: pulumi.Input<string>;
  /**
   * Who keeps the result in the target's schema `timelift`, which monitoring reads: the loading role.
   * @default nobody
   */
  recorder?: { user: string; password: pulumi.Input<string> };
  /** The stack's folder, relative to the project: the private copy of the source lives there. */
  stateDir: string;
  /** Fingerprint of the source that was loaded; a new one is compared anew. */
  loaded: pulumi.Input<string>;
  /** Migrations that stand after the load; a new one is compared anew. */
  after: pulumi.Input<string[]>;
  /** What aggregates, policies and guards were realised as; a change is looked at anew. */
  realised?: pulumi.Input<Record<string, string>>;
  /** Edition of TimescaleDB that the migrations were built for. @default "apache" */
  edition?: Edition;
  /** What stands in place of what the migrations declare of their hypertables. @default {} */
  hypertables?: Record<string, HypertableSettings>;
  /** Migrations that are down on purpose; while there are any, nothing is proved. */
  held: pulumi.Input<string[]>;
  /** `changed` compares when one of the above did, `always` at every up. */
  when: "changed" | "always";
  /** What is demanded; another demand is compared anew. */
  thresholds: Thresholds;
}

/** A proof, or a failed update: by default it fails when a single row differs. */
export class Validation extends DynamicResource {
  declare readonly status: pulumi.Output<CheckStatus>;
  /** A PASS, FAIL or SKIP line for each check. */
  declare readonly lines: pulumi.Output<string[]>;
  /** The ValidationReport as JSON; secret, for it quotes rows that differ. */
  declare readonly report: pulumi.Output<string>;

  /** The report as an HTML page: its path from the project folder, or why there is none. */
  declare readonly page: pulumi.Output<string>;

  constructor(name: string, args: ValidationArgs, opts?: pulumi.CustomResourceOptions) {
    const outputs = { status: undefined, lines: undefined, report: undefined, page: undefined };
    const inputs = {
      ...args,
      password: pulumi.secret(args.password),
      recorder: args.recorder && pulumi.secret(args.recorder),
      ...outputs,
    };
    const secret = { ...opts, additionalSecretOutputs: ["report"] };
    super("Validation", "validation-provider", name, inputs, secret);
  }
}
