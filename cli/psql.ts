import { spawn } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { constants } from "node:os";
import { join } from "node:path";
import { Command, Option } from "commander";
import type { Connection } from "../loaders/connection.ts";
import { type Tls, trustedCertificates } from "../loaders/tls.ts";
import { onPath, treeLinker } from "../stacks/platforms/native/sandbox.ts";
import { ensureSysroot } from "../stacks/platforms/native/sysroot.ts";
import type { Role } from "../stacks/services/role.ts";
import { connectionAs, stackFolder } from "./stack-services.ts";

/** `timelift psql [--role ROLE] [-- ARGUMENTS]`: psql on the target's database, logged in as one of its roles. */
export function psqlCommand(): Command {
  return new Command("psql")
    .description("psql on the target's database; arguments after -- go to psql.")
    .argument("[arguments...]", "for psql, e.g. -- -c 'SELECT 1'")
    .option("--stack <name>", "the stack", "dev")
    .addOption(
      new Option("--role <role>", "who to be")
        .choices(["readonly", "app", "owner", "loader"])
        .default("readonly"),
    )
    .action(async (args: string[], { stack, role }: { stack: string; role: string }) => {
      const connection = await connectionAs(stack, `timelift_${role}` as Role);
      process.exitCode = await run([...(await psql()), ...args], {
        ...environmentOf(connection),
        ...trust(stack, connection.tls),
      });
    });
}

function environmentOf({
  host,
  port,
  database,
  user,
  password,
  readOnly,
}: Connection): Record<string, string> {
  return {
    PGHOST: host,
    PGPORT: String(port),
    PGDATABASE: database,
    PGUSER: user,
    PGPASSWORD: password,
    ...(readOnly && { PGOPTIONS: "-c default_transaction_read_only=on" }),
  };
}

/** libpq's words for the same; the public authorities come from a file, for libpq knows none before version 16. */
function trust(stack: string, tls: Tls = { mode: "disable" }): Record<string, string> {
  const { mode, rootCert } = tls;
  if (rootCert !== undefined) return { PGSSLMODE: mode, PGSSLROOTCERT: rootCert };
  if (mode !== "verify-full") return { PGSSLMODE: mode };
  const file = join(stackFolder(stack), "public-authorities.pem");
  mkdirSync(stackFolder(stack), { recursive: true, mode: 0o700 });
  writeFileSync(file, trustedCertificates(tls), { mode: 0o600 });
  return { PGSSLMODE: mode, PGSSLROOTCERT: file };
}

/** The user's own psql, else the Debian tree's, which is not worth a sandbox: it needs the user's files. */
async function psql(): Promise<string[]> {
  const own = onPath("psql");
  if (own !== undefined) return [own];
  const tree = await ensureSysroot((line) => console.error(line));
  return [...treeLinker(tree), join(tree, "usr/lib/postgresql/17/bin/psql")];
}

/** Runs it in the terminal and returns its exit code. Ctrl-C is psql's own: it cancels a query. */
async function run([file = "", ...args]: string[], env: Record<string, string>): Promise<number> {
  process.on("SIGINT", () => {});
  const child = spawn(file, args, { stdio: "inherit", env: { ...process.env, ...env } });
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code, signal) => resolve(code ?? 128 + (signal ? constants.signals[signal] : 0)));
  });
}
