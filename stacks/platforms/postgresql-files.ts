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
  /** Whether the superuser may come by TCP, with a password. */
  superuserByTcp: boolean;
  /** Names of the operating-system user that runs the server; it may be the superuser through the socket. */
  users: string[];
}

/** A server's configuration files: name -> text. */
export function postgresqlFiles(
  { settings, port }: TimescaleDbDeclaration,
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
  };
  const lines = Object.entries(all).map(([name, value]) => `${name} = ${quoted(value)}`);
  const rules = [
    `local all ${superuser} peer map=bootstrap`,
    ...(place.superuserByTcp ? [] : [`host all ${superuser} all reject`]),
    // Their logins may; the roles themselves have no password either.
    `host all ${roles.join(",")} all reject`,
    `host all all ${place.clients} scram-sha-256`,
  ];
  return {
    "postgresql.conf": `${lines.join("\n")}\n`,
    "pg_hba.conf": `${rules.join("\n")}\n`,
    "pg_ident.conf": place.users.map((user) => `bootstrap "${user}" ${superuser}\n`).join(""),
  };
}

function quoted(value: Setting): string {
  if (typeof value === "boolean") return value ? "on" : "off";
  return typeof value === "number" ? String(value) : `'${value.replaceAll("'", "''")}'`;
}
