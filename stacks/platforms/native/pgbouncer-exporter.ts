import { join } from "node:path";
import type { PgBouncerExporterDeclaration } from "../../services/service.ts";
import { flags } from "../exporter-arguments.ts";
import {
  exporterSecrets,
  monitorSecret,
  passwordFile,
  pgbouncerExporterUrl,
  trustedBy,
} from "../exporter-login.ts";
import { askHttp } from "./health.ts";
import type { ServiceKind } from "./service-kind.ts";

const caFile = "conf/server-ca.pem";
const secretFile = "secrets/pgpass";

/** The exporter of the pool as a process; its password is in a file of libpq's. */
export const pgbouncerExporter: ServiceKind<PgBouncerExporterDeclaration> = {
  secretsOf: exporterSecrets,

  async prepare({ declaration, folder, secrets }) {
    const trusted = trustedBy(declaration, secrets);
    if (trusted !== undefined) folder.write(caFile, trusted);
    folder.write(secretFile, passwordFile(secrets[monitorSecret]));
  },

  command: ({ declaration: { port, settings }, program }) => [
    program.file,
    `--web.listen-address=127.0.0.1:${port}`,
    ...flags(settings),
  ],

  environment: ({ declaration, folder, sandbox }) => ({
    PGBOUNCER_EXPORTER_CONNECTION_STRING: pgbouncerExporterUrl(declaration, {
      host: "127.0.0.1",
      caFile: join(sandbox.inside(folder.stateMount), caFile),
    }),
    PGPASSFILE: join(sandbox.inside(folder.stateMount), secretFile),
  }),

  ask: ({ declaration }) => askHttp(declaration.port, declaration.health.path),

  reload: async () => false,

  stop: { signal: "SIGTERM", graceSeconds: 5 },
};
