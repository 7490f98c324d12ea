import type { Dashboard } from "../../../migrations/dashboard.ts";
import { type Limits, standardLimits } from "./limits.ts";
import { migration } from "./migration.ts";
import { queryPerformance } from "./query-performance.ts";
import { timescaleHealth } from "./timescale-health.ts";

/** The dashboards that every stack has. */
export function coreDashboards(limits: Limits = standardLimits): Dashboard[] {
  return [timescaleHealth(limits), queryPerformance(limits), migration(limits)];
}
