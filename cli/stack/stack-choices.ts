import type { Edition } from "../../migrations/edition.ts";
import type { ServiceName } from "../../stacks/services/service.ts";

export type PlatformName = "native" | "docker" | "external";

/** What a new stack is to be; the rest of its config are defaults. */
export interface StackChoices {
  stack: string;
  platform: PlatformName;
  /** Name of a workload of the project. */
  workload: string;
  /** A folder of a workload kept elsewhere, in place of the name; empty for none. */
  workloadPath: string;
  /** The SQLite file, as the config writes it; empty where it is named later. */
  source: string;
  edition: Edition;
  /** Services whose ports the docker platform publishes on 127.0.0.1, beside the database. */
  publish: ServiceName[];
  /** Ports that differ from the default ones, service -> port. */
  ports: Partial<Record<ServiceName, number>>;
  /** `docker:host`; empty for the engine of this machine. */
  dockerHost: string;
  protect: boolean;
}
