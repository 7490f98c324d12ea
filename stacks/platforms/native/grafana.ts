import { existsSync, mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { GrafanaDeclaration } from "../../services/service.ts";
import { grafanaArguments, grafanaFiles } from "../grafana-files.ts";
import { askHttp } from "./health.ts";
import type { ServiceKind, Start } from "./service-kind.ts";

const files = {
  adminPassword: "secrets/grafana-admin-password",
  sourcePassword: "secrets/grafana-source-password",
  authority: "conf/database-authority.pem",
};

/** Grafana as a process, where the machine has one. */
export const grafana: ServiceKind<GrafanaDeclaration> = {
  secretsOf: ({ source }) => [
    ...(["grafana", "timelift_readonly"] as const),
    ...(source.sslmode.startsWith("verify") ? (["databaseAuthority"] as const) : []),
  ],

  async prepare(start) {
    const { declaration, folder, secrets } = start;
    mkdirSync(folder.data, { recursive: true, mode: 0o700 });
    folder.write(files.adminPassword, secrets.grafana ?? "");
    folder.write(files.sourcePassword, secrets.timelift_readonly);
    folder.write(files.authority, secrets.databaseAuthority ?? "");
    // One that is declared no more shall be shown no more.
    rmSync(join(folder.conf, "dashboards"), { recursive: true, force: true });
    for (const [name, text] of Object.entries(grafanaFiles(declaration, placeOf(start)))) {
      folder.write(join("conf", name), text);
    }
  },

  command: (start) => [
    join(start.program.folder, "grafana"),
    ...grafanaArguments(placeOf(start), homeOf(start.program.folder)),
  ],

  ask: ({ declaration }) => askHttp(declaration.port, declaration.health.path),

  // It reads dashboards again by itself, and the rest at a start only.
  reload: async () => false,

  stop: { signal: "SIGTERM", graceSeconds: 30 },
};

function placeOf({ folder, sandbox }: Start<GrafanaDeclaration>) {
  const state = sandbox.inside(folder.stateMount);
  return {
    ...{ conf: join(state, "conf"), data: join(state, "data"), listen: "127.0.0.1" },
    adminPasswordFile: join(state, files.adminPassword),
    sourcePasswordFile: join(state, files.sourcePassword),
    authorityFile: join(state, files.authority),
    ...{ databaseHost: "127.0.0.1", prometheusHost: "127.0.0.1" },
  };
}

/** Where its pages are: beside the program's folder in an archive, in one place in its packages. */
function homeOf(programFolder: string): string {
  const beside = join(programFolder, "..");
  return existsSync(join(beside, "conf", "defaults.ini")) ? beside : "/usr/share/grafana";
}
