import { existsSync } from "node:fs";
import { importFile } from "../../../loaders/import-file.ts";
import { TimeliftError } from "../../../loaders/timelift-error.ts";
import type { Dashboard } from "../../../migrations/dashboard.ts";
import type { Workload } from "../../workload.ts";

/**
 * The dashboards that a workload brings along; none where it has no such file.
 * @throws TimeliftError `workload-dashboards`, and what importing the file throws
 */
export async function workloadDashboards({ name, dashboardsFile }: Workload): Promise<Dashboard[]> {
  if (!existsSync(dashboardsFile)) return [];
  const { default: dashboards } = await importFile<{ default: Dashboard[] }>(dashboardsFile);
  const isList = Array.isArray(dashboards);
  const problem = isList ? problemOf(dashboards) : "its default export is no list";
  if (isList && problem === undefined) return dashboards;
  throw new TimeliftError({
    code: "workload-dashboards",
    subject: `dashboards of ${name}`,
    problem: `${problem}.`,
    remedy: "export default defineDashboards([{ uid, title, … }]), as docs/dashboards.md says",
  });
}

/** What Grafana would refuse, or show over a dashboard of timelift's own. */
function problemOf(dashboards: Dashboard[]): string | undefined {
  const seen = new Set(["timelift-health", "timelift-queries", "timelift-migration"]);
  for (const { uid, rows } of dashboards) {
    if (!/^[a-z0-9-]{1,40}$/.test(uid ?? ""))
      return `uid ${JSON.stringify(uid)} is not up to 40 of a-z, 0-9 and -`;
    if (seen.has(uid)) return `there are two dashboards with the uid ${uid}`;
    if (!Array.isArray(rows)) return `dashboard ${uid} has no rows`;
    seen.add(uid);
  }
  return undefined;
}
