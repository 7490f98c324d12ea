import type { GrafanaDeclaration } from "../../services/service.ts";
import { grafanaArguments, grafanaFiles } from "../grafana-files.ts";
import { type ContainerKind, confFolder } from "./container-kind.ts";
import { imageLayouts } from "./images.ts";

const place = {
  ...{ conf: confFolder, data: imageLayouts.grafana.data as string, listen: "0.0.0.0" },
  adminPasswordFile: `${confFolder}/admin-password`,
  sourcePasswordFile: `${confFolder}/source-password`,
  authorityFile: `${confFolder}/database-authority.pem`,
  ...{ databaseHost: "timescaledb", prometheusHost: "prometheus" },
};

/** Grafana in a container. */
export const grafana: ContainerKind<GrafanaDeclaration> = {
  files: (declaration) => grafanaFiles(declaration, place),

  secretFiles: {
    "admin-password": async (_declaration, secrets) => secrets.grafana ?? "",
    "source-password": async (_declaration, secrets) => secrets.timelift_readonly,
    "database-authority.pem": async (_declaration, secrets) => secrets.databaseAuthority ?? "",
  },

  command: () => ["/usr/share/grafana/bin/grafana", ...grafanaArguments(place, "/usr/share/grafana")],

  ask: ({ port, health }) => ["wget", "-q", "-O", "/dev/null", `http://127.0.0.1:${port}${health.path}`],

  stop: { signal: "SIGTERM", graceSeconds: 30 },
};
