import { join } from "node:path";
import type { PostgresExporterDeclaration } from "../../services/service.ts";
import { flags } from "../exporter-arguments.ts";
import {
  exporterSecrets,
  monitorSecret,
  passwordFile,
  postgresExporterUrl,
  trustedBy,
} from "../exporter-login.ts";
import { askHttp } from "./health.ts";
import type { ServiceKind, Start } from "./service-kind.ts";

const caFile = "conf/server-ca.pem";
const secretFile = "secrets/pgpass";

/** The exporter of the database as a process; its password is in a file of libpq's. */
export const postgresExporter: ServiceKind<PostgresExporterDeclaration> = {
  secretsOf: exporterSecrets,

  async prepare({ declaration, folder, secrets }) {
    for (const [name, text] of Object.entries(declaration.files ?? {})) folder.write(`conf/${name}`, text);
    const trusted = trustedBy(declaration, secrets);
    if (trusted !== undefined) folder.write(caFile, trusted);
    folder.write(secretFile, passwordFile(secrets[monitorSecret]));
  },

  command: (start) => [
    start.program.file,
    `--web.listen-address=127.0.0.1:${start.declaration.port}`,
    `--config.file=${inside(start, "conf/postgres_exporter.yml")}`,
    `--extend.query-path=${inside(start, "conf/queries.yaml")}`,
    ...flags(start.declaration.settings),
  ],

  environment: (start) => ({
    DATA_SOURCE_NAME: postgresExporterUrl(start.declaration, {
      host: "127.0.0.1",
      caFile: inside(start, caFile),
    }),
    PGPASSFILE: inside(start, secretFile),
  }),

  ask: ({ declaration }) => askHttp(declaration.port, declaration.health.path),

  reload: async () => false,

  stop: { signal: "SIGTERM", graceSeconds: 5 },
};

function inside({ folder, sandbox }: Start<PostgresExporterDeclaration>, file: string): string {
  return join(sandbox.inside(folder.stateMount), file);
}
