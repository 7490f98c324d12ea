import type { PrometheusDeclaration } from "./service.ts";

/** One group of addresses that Prometheus reads metrics from. */
export interface ScrapeJob {
  /** Name of the job, the `job` label of its metrics. */
  job: string;
  /** Addresses as `host:port`. */
  targets: string[];
}

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
   * How long samples are kept, in days.
   * @default 15
   */
  retentionDays?: number;
}

/** A Prometheus that watches itself and the given jobs. Its settings are its command-line flags. */
export function prometheus(args: PrometheusArgs): PrometheusDeclaration {
  const itself = { job: "prometheus", targets: [`127.0.0.1:${args.port}`] };
  return {
    name: "prometheus",
    version: { minimum: "2.45" },
    port: args.port,
    memoryMb: 1024,
    settings: { "storage.tsdb.retention.time": `${args.retentionDays ?? 15}d` },
    files: { "prometheus.yml": scrapeConfig([itself, ...(args.scrape ?? [])], args.intervalSeconds ?? 15) },
    health: { path: "/-/ready", timeoutSeconds: 60 },
  };
}

/** JSON is YAML, so Prometheus reads it, and nothing needs quoting by hand. */
function scrapeConfig(jobs: ScrapeJob[], intervalSeconds: number): string {
  const config = {
    global: { scrape_interval: `${intervalSeconds}s` },
    scrape_configs: jobs.map(({ job, targets }) => ({ job_name: job, static_configs: [{ targets }] })),
  };
  return `${JSON.stringify(config, null, 2)}\n`;
}
