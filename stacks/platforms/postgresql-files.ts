import { roles } from "../services/role.ts";
import type { Setting, TimescaleDbDeclaration } from "../services/service.ts";
import { superuser } from "./bootstrap.ts";

/** What differs between the places where a server runs. */
export interface PostgresqlPlace {
  /** Folder of the three files, as the server sees it. */
  conf: string;
  /** Folder of the Unix socket, as the server sees it. */
  sockets: string;
  /** Addresses that it listens on, e.g. `127.0.0.1`. */
  listen: string;
  /** Clients that may log in by password, as pg_hba.conf writes them: a network or `all`. */
  clients: string;
  /** Whether the superuser may come by TCP, with a password, to make roles and databases. */
  superuserByTcp: boolean;
  /**
   * Where the server's certificate and its key are, as it sees them; then nobody comes in plain text.
   * @default no TLS
   */
  tls?: { certificate: string; key: string };
  /** Names of the operating-system user that runs the server; it may be the superuser through the socket. */
  users: string[];
}

/** A server's configuration files: name -> text. */
export function postgresqlFiles(
  { settings, port, access, database }: TimescaleDbDeclaration,
  place: PostgresqlPlace,
): Record<"postgresql.conf" | "pg_hba.conf" | "pg_ident.conf", string> {
  const all: Record<string, Setting> = {
    ...settings,
    listen_addresses: place.listen,
    port,
    unix_socket_directories: place.sockets,
    unix_socket_permissions: "0700",
    hba_file: `${place.conf}/pg_hba.conf`,
    ident_file: `${place.conf}/pg_ident.conf`,
    logging_collector: false,
    ...(place.tls && {
      ssl: true,
      ssl_cert_file: place.tls.certificate,
      ssl_key_file: place.tls.key,
      ssl_min_protocol_version: "TLSv1.2",
    }),
  };
  const lines = Object.entries(all).map(([name, value]) => `${name} = ${quoted(value)}`);
  const way = place.tls ? "hostssl" : "host";
  const enter = (databases: string, role: string) =>
    `${way} ${databases} ${role} ${place.clients} scram-sha-256`;
  const rules = [
    `local all ${superuser} peer map=bootstrap`,
    ...(place.superuserByTcp ? [enter(listed([database, superuser]), superuser)] : []),
    `host all ${superuser} all reject`,
    // Their logins may; the roles themselves, which "+" would let in too, have no password.
    `host all ${roles.join(",")} all reject`,
    ...access.map(({ role, databases }) =>
      // The plus sign stands for a role and its members, the logins.
      enter(databases === "all" ? "all" : listed(databases), role === "all" ? "all" : `+${role}`),
    ),
    "local all all reject",
    "host all all all reject",
  ];
  return {
    "postgresql.conf": `${lines.join("\n")}\n`,
    "pg_hba.conf": `${rules.join("\n")}\n`,
    "pg_ident.conf": place.users.map((user) => `bootstrap "${user}" ${superuser}\n`).join(""),
  };
}

/** In quotes, for a database may be called as one of pg_hba.conf's own words. */
function listed(databases: string[]): string {
  return databases.map((name) => `"${name}"`).join(",");
}

function quoted(value: Setting): string {
  if (typeof value === "boolean") return value ? "on" : "off";
  return typeof value === "number" ? String(value) : `'${value.replaceAll("'", "''")}'`;
}
