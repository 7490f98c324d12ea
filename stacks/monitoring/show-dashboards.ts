import * as pulumi from "@pulumi/pulumi";
import { type Tls, trustedCertificates } from "../../loaders/tls.ts";
import type { Dashboard } from "../../migrations/dashboard.ts";
import type { StackConfig } from "../config.ts";
import type { Platform, Service } from "../platforms/platform.ts";
import { Credentials } from "../resources/credentials.ts";
import type { Endpoint } from "../resources/endpoint.ts";
import { grafana } from "../services/grafana.ts";
import type { Secrets } from "../services/role.ts";
import type { Workload } from "../workload.ts";
import { coreDashboards } from "./dashboards/core.ts";
import { workloadDashboards } from "./dashboards/workload-dashboards.ts";
import { grafanaLack } from "./grafana-lack.ts";
import { type PrometheusLinks, prometheusLinks } from "./prometheus-links.ts";

/** What dashboards are made of. */
export interface ShowDashboardsArgs {
  config: StackConfig;
  platform: Platform;
  workload: Workload;
  /** The database as resources take it, and the service that it is. */
  target: Endpoint;
  timescale: Service;
  /** The role that panels ask as. */
  reader: string;
  secrets: pulumi.Input<Secrets>;
  /** @default there is none, and no panel of metrics has data */
  prometheus?: Service;
}

/** What a stack's outputs say of its dashboards. */
export interface ShownDashboards {
  grafana?: Service;
  url: string | null;
  /** Of the user admin. */
  password: pulumi.Output<string> | null;
  /** Title -> address; where there is no Grafana, Prometheus' own page for the panels of each heading. */
  dashboards: Record<string, string> | PrometheusLinks;
}

/** Shows the dashboards of a stack: in Grafana where there is one, else as links into Prometheus' own page. */
export async function showDashboards(args: ShowDashboardsArgs): Promise<ShownDashboards> {
  const { config, workload, prometheus } = args;
  const dashboards = [...coreDashboards(config.alerts), ...(await workloadDashboards(workload))];
  const lack = grafanaLack(config);
  if (lack === undefined) return inGrafana(args, dashboards);
  if (config.services.includes("grafana")) {
    await pulumi.log.info(
      `no Grafana: ${lack}. The output dashboards leads to Prometheus' own page instead.`,
    );
  }
  const values = { stack: config.stack, workload: workload.name };
  const prometheusUrl = prometheus && urlOf(prometheus);
  const links = prometheusUrl ? prometheusLinks(dashboards, { prometheusUrl, values }) : {};
  return { url: null, password: null, dashboards: links };
}

async function inGrafana(args: ShowDashboardsArgs, dashboards: Dashboard[]): Promise<ShownDashboards> {
  const { config, platform, target, timescale, reader, secrets, prometheus } = args;
  // Grafana's SDK takes memory and time, so only who needs it reads it.
  const { renderDashboard } = await import("./dashboards/render.ts");
  const admin = new Credentials("grafana-admin", { names: ["grafana"] });
  const all = pulumi.secret(
    pulumi.all([secrets, admin.passwords, authorityOf(args)]).apply(([own, { grafana: password }, pem]) => ({
      ...own,
      ...{ grafana: password },
      ...(pem && { databaseAuthority: pem }),
    })),
  );
  const until = Object.values(config.alerts.expectedUntil).sort().at(-1);
  const declaration = grafana({
    port: config.ports.grafana,
    database: {
      ...(target.external && { host: target.host }),
      ...{ port: target.port, name: target.database, user: reader },
      ...(target.tls && { sslmode: sslmodeOf(target.tls) }),
    },
    ...(prometheus && { prometheusPort: prometheus.port }),
    dashboards: Object.fromEntries(
      dashboards.map((dashboard) => [
        dashboard.uid,
        renderDashboard(dashboard, until === undefined ? {} : { until }),
      ]),
    ),
  });
  const service = platform.service(declaration, all, [timescale, ...(prometheus ? [prometheus] : [])]);
  const url = urlOf(service);
  const pages = dashboards.map(({ title, uid }) => [title, `${url}/d/${uid}`]);
  return { grafana: service, url, password: admin.passwords.grafana, dashboards: Object.fromEntries(pages) };
}

/** As libpq has it, to require TLS and to name an authority is to verify it. */
function sslmodeOf({ mode, rootCert }: Tls): Tls["mode"] {
  return mode === "require" && rootCert !== undefined ? "verify-ca" : mode;
}

/** PEM of the authorities of the database's server: the stack's own, or those that its URL names. */
function authorityOf({ target, timescale }: ShowDashboardsArgs): pulumi.Input<string> | undefined {
  if (!target.external || target.tls === undefined || target.tls.mode === "disable")
    return timescale.authority;
  return trustedCertificates(target.tls);
}

function urlOf({ host, port }: Service): string {
  return `http://${host}:${port}`;
}
