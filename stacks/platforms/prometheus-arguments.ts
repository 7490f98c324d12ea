import type { PrometheusDeclaration } from "../services/service.ts";

/** What differs between the places where a Prometheus runs. */
export interface PrometheusPlace {
  /** Folder of prometheus.yml, as it sees it. */
  conf: string;
  /** Folder of its samples, as it sees it. */
  data: string;
  /** Address that it listens on. */
  listen: string;
}

/** The arguments of a Prometheus: its settings are flags. */
export function prometheusArguments(
  { port, settings }: PrometheusDeclaration,
  { conf, data, listen }: PrometheusPlace,
): string[] {
  return [
    `--config.file=${conf}/prometheus.yml`,
    `--storage.tsdb.path=${data}`,
    `--web.listen-address=${listen}:${port}`,
    ...Object.entries(settings).map(([flag, value]) => `--${flag}=${value}`),
  ];
}
