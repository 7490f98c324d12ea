import { readFileSync } from "node:fs";
import type { PgBouncerDeclaration } from "../../services/service.ts";
import { pgbouncerIni, pgbouncerUsers, stackUpstream } from "../pgbouncer-files.ts";
import { type ContainerKind, certificateIn, confFolder, momentFolder } from "./container-kind.ts";

/** PgBouncer in a container. Its console answers health checks on the Unix socket, to its own user alone. */
export const pgbouncer: ContainerKind<PgBouncerDeclaration> = {
  files: (declaration) => ({
    "pgbouncer.ini": pgbouncerIni(declaration, {
      authFile: `${confFolder}/userlist.txt`,
      sockets: momentFolder,
      listen: "0.0.0.0",
      upstream: stackUpstream(declaration, "timescaledb"),
      tls: certificateIn,
    }),
    "ask-pgbouncer.sh": readFileSync(new URL("./ask-pgbouncer.sh", import.meta.url), "utf8"),
  }),

  secretFiles: {
    "userlist.txt": pgbouncerUsers,
  },

  // So that new passwords close no connection.
  reloads: ["userlist.txt"],

  command: () => ["pgbouncer", `${confFolder}/pgbouncer.ini`],

  ask: ({ port }) => ["/bin/sh", `${confFolder}/ask-pgbouncer.sh`, String(port)],

  // SIGINT lets open transactions end; SIGTERM, since 1.23, would wait until every client has left.
  stop: { signal: "SIGINT", graceSeconds: 5 },
};
