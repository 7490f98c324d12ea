import type { PrometheusDeclaration, ScrapeJob, ServiceDeclaration } from "./service.ts";

/** What Prometheus watches and where it listens. */
export interface PrometheusArgs {
  /** TCP port on 127.0.0.1. */
  port: number;
  /**
   * What to watch besides Prometheus itself.
   * @default nothing more
   */
  scrape?: ScrapeJob[];
  /**
   * How often to read metrics, in seconds.
   * @default 15
   */
  intervalSeconds?: number;
  /**
   * Labels of every sample.
   * @default none
   */
  labels?: Record<string, string>;
  /**
   * The Alertmanager that takes its alerts.
   * @default none
   */
  alertmanager?: Pick<ServiceDeclaration, "name" | "port">;
  /**
   * Files of rules: name -> text.
   * @default none
   */
  rules?: Record<string, string>;
  /**
   * How long samples are kept, in days.
   * @default 15
   */
  retentionDays?: number;
}

/** A Prometheus that watches itself and the given jobs. Its settings are its command-line flags. */
export function prometheus(args: PrometheusArgs): PrometheusDeclaration {
  const {
    alertmanager,
    port,
    scrape = [],
    intervalSeconds = 15,
    labels = {},
    rules = {},
    retentionDays = 15,
  } = args;
  return {
    name: "prometheus",
    version: { minimum: "2.45" },
    port,
    memoryMb: 1024,
    settings: { "storage.tsdb.retention.time": `${retentionDays}d` },
    ...{ intervalSeconds, labels },
    ...(alertmanager && { alertmanager: { name: alertmanager.name, port: alertmanager.port } }),
    files: rules,
    scrape: [{ job: "prometheus", services: [{ name: "prometheus", port }] }, ...scrape],
    health: { path: "/-/ready", timeoutSeconds: 60 },
  };
}

/** The job that reads the metrics of one exporter: `postgres` of `postgres-exporter`. */
export function scrapeOf({ name, port }: Pick<ServiceDeclaration, "name" | "port">): ScrapeJob {
  return { job: name.replace(/-exporter$/, ""), services: [{ name, port }] };
}
