import type { Edition } from "../../migrations/edition.ts";
import type { HypertableSettings } from "../../migrations/hypertable-settings.ts";
import type { ExternalTarget } from "../external-target.ts";
import { ExternalDatabase } from "../resources/external-database.ts";
import type { WorkloadReference } from "../workload.ts";
import type { Platform } from "./platform.ts";

/** A database of others, and what runs beside it. */
export interface ExternalPlatformArgs {
  target: ExternalTarget;
  /** What will be migrated and loaded there. */
  workload: WorkloadReference;
  edition: Edition;
  hypertables: Record<string, HypertableSettings>;
  /** Whether Pulumi refuses to let go of the database. */
  protect: boolean;
  /** The platform of every other service. */
  beside: Platform;
}

/** A database that is there already; other services run as on another platform. */
export function externalPlatform({ target, beside, protect, ...demand }: ExternalPlatformArgs): Platform {
  const { logins, ...at } = target;
  return {
    service(declaration, secrets, after) {
      if (declaration.name !== "timescaledb") return beside.service(declaration, secrets, after);
      const endpoint = { ...at, external: true };
      const args = { target: endpoint, logins, ...demand };
      const resource = new ExternalDatabase(declaration.name, args, { protect });
      return { resource, ...endpoint, version: resource.version };
    },
  };
}
