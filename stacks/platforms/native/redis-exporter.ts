import { join } from "node:path";
import type { RedisExporterDeclaration } from "../../services/service.ts";
import { flags } from "../exporter-arguments.ts";
import { cacheMonitorSecret, redisPasswordFile } from "../exporter-login.ts";
import { askHttp } from "./health.ts";
import type { ServiceKind } from "./service-kind.ts";

const passwordFile = "secrets/passwords.json";

/** The exporter of the cache as a process; its password is a file of its own. */
export const redisExporter: ServiceKind<RedisExporterDeclaration> = {
  secretsOf: () => [cacheMonitorSecret],

  async prepare({ declaration: { cachePort, user }, folder, secrets }) {
    folder.write(passwordFile, redisPasswordFile(hostOf(cachePort), user, secrets[cacheMonitorSecret]));
  },

  command: ({ declaration: { port, cachePort, user, settings }, program, folder, sandbox }) => [
    program.file,
    `--web.listen-address=127.0.0.1:${port}`,
    `--redis.addr=redis://${hostOf(cachePort)}`,
    `--redis.user=${user}`,
    `--redis.password-file=${join(sandbox.inside(folder.stateMount), passwordFile)}`,
    ...flags(settings),
  ],

  ask: ({ declaration }) => askHttp(declaration.port, declaration.health.path),

  reload: async () => false,

  stop: { signal: "SIGTERM", graceSeconds: 5 },
};

function hostOf(port: number): string {
  return `127.0.0.1:${port}`;
}
