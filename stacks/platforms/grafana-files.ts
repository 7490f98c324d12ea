import { postgresSource, prometheusSource } from "../monitoring/dashboards/sources.ts";
import type { GrafanaDeclaration } from "../services/service.ts";
import { urlHost } from "../url-host.ts";

/** What differs between the places where a Grafana runs; folders and files as it sees them. */
export interface GrafanaPlace {
  /** Folder of its configuration, which it does not write to. */
  conf: string;
  /** Folder of its own database. */
  data: string;
  /** Address that it listens on. */
  listen: string;
  /** Files that hold a password and nothing else. */
  adminPasswordFile: string;
  sourcePasswordFile: string;
  /** PEM of the authorities of the database's server. */
  authorityFile: string;
  /** Hosts of the stack's own services. */
  databaseHost: string;
  prometheusHost: string;
}

/** Grafana's configuration without a secret: file below the folder of its configuration -> text. */
export function grafanaFiles(declaration: GrafanaDeclaration, place: GrafanaPlace): Record<string, string> {
  const boards = Object.entries(declaration.dashboards).map(([name, json]) => [
    `dashboards/${name}.json`,
    json,
  ]);
  return {
    "grafana.ini": ini(declaration, place),
    "provisioning/datasources/timelift.yaml": yaml(dataSources(declaration, place)),
    "provisioning/dashboards/timelift.yaml": yaml({
      apiVersion: 1,
      providers: [
        {
          ...{ name: "timelift", type: "file", folder: "timelift", folderUid: "timelift" },
          ...{ disableDeletion: true, allowUiUpdates: false, updateIntervalSeconds: 30 },
          options: { path: `${place.conf}/dashboards` },
        },
      ],
    }),
    ...Object.fromEntries(boards),
  };
}

/** The arguments that an image's own environment cannot overrule. */
export function grafanaArguments(
  { conf, data }: Pick<GrafanaPlace, "conf" | "data">,
  home: string,
): string[] {
  return [
    "server",
    `--homepath=${home}`,
    `--config=${conf}/grafana.ini`,
    `cfg:paths.data=${data}`,
    `cfg:paths.plugins=${data}/plugins`,
    `cfg:paths.logs=${data}/log`,
    `cfg:paths.provisioning=${conf}/provisioning`,
  ];
}

function ini({ settings, port, dashboards }: GrafanaDeclaration, place: GrafanaPlace): string {
  const all = {
    "server.http_addr": place.listen,
    "server.http_port": port,
    ...settings,
    "security.admin_password": `$__file{${place.adminPasswordFile}}`,
    "dashboards.default_home_dashboard_path": `${place.conf}/dashboards/${Object.keys(dashboards)[0]}.json`,
  };
  const sections = new Map<string, string[]>();
  for (const [name, value] of Object.entries(all)) {
    const at = name.lastIndexOf(".");
    const lines = sections.get(name.slice(0, at)) ?? [];
    sections.set(name.slice(0, at), [...lines, `${name.slice(at + 1)} = ${value}`]);
  }
  return [...sections].map(([section, lines]) => `[${section}]\n${lines.join("\n")}\n`).join("\n");
}

function dataSources({ source, prometheusPort }: GrafanaDeclaration, place: GrafanaPlace): object {
  const { host = place.databaseHost, port, database, user, sslmode } = source;
  const metrics = {
    ...{ name: "Prometheus", ...prometheusSource, access: "proxy", editable: false, isDefault: true },
    url: `http://${place.prometheusHost}:${prometheusPort}`,
    jsonData: { httpMethod: "POST", timeInterval: "15s" },
  };
  const checksAuthority = sslmode.startsWith("verify");
  const target = {
    ...{ name: "TimescaleDB", ...postgresSource, access: "proxy", editable: false },
    ...{ url: `${urlHost(host)}:${port}`, user },
    jsonData: {
      ...{ database, sslmode, timescaledb: true, maxOpenConns: 4, maxIdleConns: 1, connMaxLifetime: 3600 },
      ...(checksAuthority && { tlsConfigurationMethod: "file-path", sslRootCertFile: place.authorityFile }),
    },
    secureJsonData: { password: `$__file{${place.sourcePasswordFile}}` },
  };
  return { apiVersion: 1, prune: true, datasources: [...(prometheusPort ? [metrics] : []), target] };
}

/** JSON is YAML, and nothing needs quoting by hand. */
function yaml(value: object): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
