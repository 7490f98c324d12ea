import { join } from "node:path";
import type { PgBouncerExporterDeclaration } from "../../services/service.ts";
import { flags } from "../exporter-arguments.ts";
import { monitorSecret, passwordFile, pgbouncerExporterUrl } from "../exporter-login.ts";
import { askHttp } from "./health.ts";
import type { ServiceKind } from "./service-kind.ts";

const secretFile = "secrets/pgpass";

/** The exporter of the pool as a process; its password is in a file of libpq's. */
export const pgbouncerExporter: ServiceKind<PgBouncerExporterDeclaration> = {
  secretsOf: () => [monitorSecret],

  async prepare({ folder, secrets }) {
    folder.write(secretFile, passwordFile(secrets[monitorSecret]));
  },

  command: ({ declaration: { port, settings }, program }) => [
    program.file,
    `--web.listen-address=127.0.0.1:${port}`,
    ...flags(settings),
  ],

  environment: ({ declaration, folder, sandbox }) => ({
    PGBOUNCER_EXPORTER_CONNECTION_STRING: pgbouncerExporterUrl(declaration, "127.0.0.1"),
    PGPASSFILE: join(sandbox.inside(folder.stateMount), secretFile),
  }),

  ask: ({ declaration }) => askHttp(declaration.port, declaration.health.path),

  reload: async () => false,

  stop: { signal: "SIGTERM", graceSeconds: 5 },
};
