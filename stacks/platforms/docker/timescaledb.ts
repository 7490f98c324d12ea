import { readFileSync } from "node:fs";
import type { TimescaleDbDeclaration } from "../../services/service.ts";
import { superuser } from "../bootstrap.ts";
import { postgresqlFiles } from "../postgresql-files.ts";
import { scramSecret } from "../scram-secret.ts";
import { type ContainerKind, certificateIn, confFolder, momentFolder } from "./container-kind.ts";
import { imageLayouts } from "./images.ts";

const script = (name: string) => readFileSync(new URL(`./${name}`, import.meta.url), "utf8");

/**
 * PostgreSQL with TimescaleDB in a container. A start script makes the data folder where there is none, and gives the
 * superuser the password whose SCRAM secret it finds in a file, so that kept data takes a new one.
 */
export const timescaledb: ContainerKind<TimescaleDbDeclaration> = {
  files: (declaration) => ({
    ...postgresqlFiles(declaration, {
      conf: confFolder,
      sockets: momentFolder,
      listen: "*",
      clients: "all",
      superuserByTcp: true,
      tls: certificateIn,
      // The users numbered 1000 of the default image and of the Debian tree.
      users: [superuser, "timelift"],
    }),
    "start-timescaledb.sh": script("start-timescaledb.sh"),
    "ask-timescaledb.sh": script("ask-timescaledb.sh"),
  }),

  secretFiles: {
    "superuser.sql": async (_declaration, secrets) =>
      `ALTER ROLE ${superuser} PASSWORD '${await scramSecret(superuser, secrets.postgres)}'\n`,
  },

  command: ({ database }) => [
    "/bin/sh",
    `${confFolder}/start-timescaledb.sh`,
    imageLayouts.timescaledb.data as string,
    database,
  ],

  ask: ({ port }) => ["/bin/sh", `${confFolder}/ask-timescaledb.sh`, String(port)],

  // A parallel query, or index build, keeps there what its workers share; shared_buffers lie elsewhere.
  sharedMemoryMb: ({ memoryMb }) => Math.max(64, Math.floor(memoryMb / 4)),

  // "Fast": it cancels queries, writes everything out and ends.
  stop: { signal: "SIGINT", graceSeconds: 120 },
};
