import type { Tls } from "../../loaders/tls.ts";
import type { GrafanaDeclaration } from "./service.ts";

/** What Grafana shows and where it listens. */
export interface GrafanaArgs {
  /** TCP port on 127.0.0.1. */
  port: number;
  /** The database that panels ask. */
  database: {
    /** @default the stack's own server */
    host?: string;
    port: number;
    name: string;
    /** A role that reads, and may do nothing else. */
    user: string;
    /** How connections to it are encrypted. @default "disable", plain text */
    sslmode?: Tls["mode"];
  };
  /**
   * Port of the Prometheus that panels ask.
   * @default there is none, and panels of metrics stay empty
   */
  prometheusPort?: number;
  /** Name -> JSON, as `renderDashboard` makes it. The first is the page that Grafana begins with. */
  dashboards: Record<string, string>;
}

/**
 * A Grafana for whoever knows the admin's password: nobody else gets in, nobody signs up, and it calls nobody. Its data
 * sources and dashboards are files, which it does not let be edited.
 */
export function grafana({ port, database, prometheusPort, dashboards }: GrafanaArgs): GrafanaDeclaration {
  const { name, sslmode = "disable", ...at } = database;
  return {
    name: "grafana",
    // The first whose PostgreSQL data source has the name by which dashboards call it.
    version: { minimum: "11.0" },
    port,
    memoryMb: 512,
    source: { ...at, database: name, sslmode },
    ...(prometheusPort !== undefined && { prometheusPort }),
    dashboards,
    // Section and key of grafana.ini.
    settings: {
      "security.admin_user": "admin",
      "security.disable_gravatar": true,
      "security.cookie_samesite": "strict",
      "users.allow_sign_up": false,
      "users.allow_org_create": false,
      "auth.anonymous.enabled": false,
      "analytics.reporting_enabled": false,
      "analytics.check_for_updates": false,
      "analytics.check_for_plugin_updates": false,
      "news.news_feed_enabled": false,
      "snapshots.external_enabled": false,
      "plugins.preinstall_disabled": true,
      "plugins.public_key_retrieval_disabled": true,
      // Alerts are Prometheus' and Alertmanager's.
      "unified_alerting.enabled": false,
      "log.mode": "console",
      "log.level": "warn",
    },
    health: { path: "/api/health", timeoutSeconds: 120 },
  };
}
