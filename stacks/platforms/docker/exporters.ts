import type {
  NodeExporterDeclaration,
  PgBouncerExporterDeclaration,
  PostgresExporterDeclaration,
  RedisExporterDeclaration,
} from "../../services/service.ts";
import { flags } from "../exporter-arguments.ts";
import {
  cacheMonitorSecret,
  monitorSecret,
  passwordFile,
  pgbouncerExporterUrl,
  postgresExporterUrl,
  redisPasswordFile,
  trustedBy,
} from "../exporter-login.ts";
import { confFolder } from "./container-kind.ts";
import { exporterContainer } from "./exporter-container.ts";

const authorityFile = "server-ca.pem";
const caFile = `${confFolder}/${authorityFile}`;

/** Where the exporter of the machine sees the database's data volume. */
const databaseFolder = "/database";

export const postgresExporter = exporterContainer<PostgresExporterDeclaration>({
  secretFiles: {
    pgpass: async (_declaration, secrets) => passwordFile(secrets[monitorSecret]),
    [authorityFile]: async (declaration, secrets) => trustedBy(declaration, secrets) ?? "",
  },
  environment: (declaration) => ({
    DATA_SOURCE_NAME: postgresExporterUrl(declaration, { host: "timescaledb", caFile }),
  }),
  arguments: ({ settings }) => [
    `--config.file=${confFolder}/postgres_exporter.yml`,
    `--extend.query-path=${confFolder}/queries.yaml`,
    ...flags(settings),
  ],
});

export const pgbouncerExporter = exporterContainer<PgBouncerExporterDeclaration>({
  secretFiles: {
    pgpass: async (_declaration, secrets) => passwordFile(secrets[monitorSecret]),
    [authorityFile]: async (declaration, secrets) => trustedBy(declaration, secrets) ?? "",
  },
  environment: (declaration) => ({
    PGBOUNCER_EXPORTER_CONNECTION_STRING: pgbouncerExporterUrl(declaration, { host: "pgbouncer", caFile }),
  }),
  arguments: ({ settings }) => flags(settings),
});

export const redisExporter = exporterContainer<RedisExporterDeclaration>({
  secretFiles: {
    "passwords.json": async ({ cachePort, user }, secrets) =>
      redisPasswordFile(hostOf(cachePort), user, secrets[cacheMonitorSecret]),
  },
  arguments: ({ cachePort, user, settings }) => [
    `--redis.addr=redis://${hostOf(cachePort)}`,
    `--redis.user=${user}`,
    `--redis.password-file=${confFolder}/passwords.json`,
    ...flags(settings),
  ],
});

/** Of the machine, it sees the disk of the database's volume. */
export const nodeExporter = exporterContainer<NodeExporterDeclaration>({
  secretFiles: {},
  readsDataOf: { service: "timescaledb", at: databaseFolder },
  arguments: ({ settings }) => [
    `--collector.filesystem.mount-points-include=^${databaseFolder}$`,
    "--collector.filesystem.fs-types-exclude=^$",
    `--collector.textfile.directory=${confFolder}`,
    ...flags(settings),
  ],
});

function hostOf(port: number): string {
  return `redis:${port}`;
}
