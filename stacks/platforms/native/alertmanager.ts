import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { AlertmanagerDeclaration } from "../../services/service.ts";
import { alertmanagerYaml, receiverFile, secretsOfReceivers } from "../alertmanager-files.ts";
import { flags } from "../exporter-arguments.ts";
import { askHttp } from "./health.ts";
import type { ServiceKind, Start } from "./service-kind.ts";

/** Alertmanager as a process: what it is told in secret is a file each. */
export const alertmanager: ServiceKind<AlertmanagerDeclaration> = {
  secretsOf: () => ["receivers"],

  async prepare(start) {
    const { declaration, folder, secrets } = start;
    mkdirSync(folder.data, { recursive: true, mode: 0o700 });
    for (const [name, secret] of Object.entries(secretsOfReceivers(secrets.receivers))) {
      folder.write(`secrets/${receiverFile(name)}`, secret);
    }
    folder.write(
      "conf/alertmanager.yml",
      alertmanagerYaml(declaration, (name) => inside(start, `secrets/${name}`)),
    );
  },

  command: (start) => [
    start.program.file,
    `--config.file=${inside(start, "conf/alertmanager.yml")}`,
    `--storage.path=${inside(start, "data")}`,
    `--web.listen-address=127.0.0.1:${start.declaration.port}`,
    ...flags(start.declaration.settings),
  ],

  ask: ({ declaration }) => askHttp(declaration.port, declaration.health.path),

  reload: async () => false,

  stop: { signal: "SIGTERM", graceSeconds: 10 },
};

function inside({ folder, sandbox }: Start<AlertmanagerDeclaration>, file: string): string {
  return join(sandbox.inside(folder.stateMount), file);
}
