import { TimeliftError } from "../../../loaders/timelift-error.ts";
import type { Edition } from "../../../migrations/edition.ts";
import type { ServiceName } from "../../services/service.ts";

/**
 * The images that run the services where `timelift:images` names no other. A tag names one version; to pin the bytes
 * as well, write the digest behind it: `redis:8.2.1@sha256:…`.
 */
export const defaultImages: Record<ServiceName, string> = {
  // PostgreSQL 17 with TimescaleDB Community, pgvector, plpython3u and pg_cron.
  timescaledb: "timescale/timescaledb-ha:pg17.10-ts2.29.2",
  pgbouncer: "edoburu/pgbouncer:v1.25.2-p0",
  redis: "redis:8.2.1",
  "postgres-exporter": "quay.io/prometheuscommunity/postgres-exporter:v0.17.1",
  "pgbouncer-exporter": "quay.io/prometheuscommunity/pgbouncer-exporter:v0.10.2",
  // The plain tag has no shell.
  "redis-exporter": "oliver006/redis_exporter:v1.69.0-alpine",
  "node-exporter": "prom/node-exporter:v1.9.0",
  alertmanager: "prom/alertmanager:v0.28.1",
  prometheus: "prom/prometheus:v3.5.0",
  grafana: "grafana/grafana:12.1.1",
};

/** What a container has to know of its image. */
export interface ImageLayout {
  /** User and group that run the service, by number. */
  user: string;
  /** The folder that belongs to this user, onto which the data volume is mounted. */
  data?: string;
}

/** The layout of the default images. One that stands in place of a default must share it; `sysroot` does. */
export const imageLayouts: Record<ServiceName, ImageLayout> = {
  timescaledb: { user: "1000:1000", data: "/home/postgres/pgdata" },
  pgbouncer: { user: "70:70" },
  redis: { user: "999:999", data: "/data" },
  "postgres-exporter": { user: "65534:65534" },
  "pgbouncer-exporter": { user: "65534:65534" },
  "redis-exporter": { user: "59000:59000" },
  "node-exporter": { user: "65534:65534" },
  alertmanager: { user: "65534:65534", data: "/alertmanager" },
  prometheus: { user: "65534:65534", data: "/prometheus" },
  grafana: { user: "472:472", data: "/var/lib/grafana" },
};

/** `timelift:images`: service -> reference, or the native platform's Debian tree as a local image. */
export type ImagesConfig = Partial<Record<ServiceName, string>> | "sysroot";

/**
 * Refuses images that cannot hold the edition.
 * @throws TimeliftError `image-edition`
 */
export function requireEdition(images: ImagesConfig, edition: Edition): void {
  if (images !== "sysroot" || edition === "apache") return;
  throw new TimeliftError({
    code: "image-edition",
    subject: "timelift:images = sysroot",
    problem:
      "the Debian tree holds TimescaleDB's Apache edition only, and timelift:edition asks for community",
    remedy: "pulumi config set timelift:edition apache; or pulumi config rm timelift:images",
  });
}
