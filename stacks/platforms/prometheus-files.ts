import type { PrometheusDeclaration, ServiceName } from "../services/service.ts";

/** What differs between the places where a Prometheus runs. */
export interface PrometheusView {
  /** The host at which it finds a service of the stack. */
  hostOf(service: ServiceName): string;
}

/** Prometheus' configuration files: name -> text. JSON is YAML, and nothing needs quoting by hand. */
export function prometheusFiles(
  { alertmanager, files, intervalSeconds, labels, scrape }: PrometheusDeclaration,
  { hostOf }: PrometheusView,
): Record<string, string> {
  const config = {
    global: { scrape_interval: `${intervalSeconds}s`, evaluation_interval: `${intervalSeconds}s` },
    rule_files: Object.keys(files ?? {}),
    ...(alertmanager && {
      alerting: {
        alertmanagers: [
          { static_configs: [{ targets: [`${hostOf(alertmanager.name)}:${alertmanager.port}`] }] },
        ],
      },
    }),
    scrape_configs: scrape.map(({ job, services = [], targets = [] }) => ({
      job_name: job,
      static_configs: [
        { targets: [...services.map(({ name, port }) => `${hostOf(name)}:${port}`), ...targets], labels },
      ],
    })),
  };
  return { ...files, "prometheus.yml": `${JSON.stringify(config, null, 2)}\n` };
}
