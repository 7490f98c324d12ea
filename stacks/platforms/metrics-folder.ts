import { join } from "node:path";

/**
 * The folder of a stack in which timelift's commands leave their metrics, as files `NAME.prom` in Prometheus' text format,
 * each written whole and renamed into its place; the node exporter reads them.
 */
export function metricsFolder(stateDir: string): string {
  return join(stateDir, "metrics");
}
