import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import type { Connection } from "../loaders/connection.ts";
import { TimeliftError } from "../loaders/timelift-error.ts";
import type { Logins } from "../migrations/access/check-access.ts";
import { loginsOf } from "../stacks/external-logins.ts";
import type { ExternalTarget } from "../stacks/external-target.ts";
import type { Role } from "../stacks/services/role.ts";
import { projectDir } from "./backend.ts";

/** A key of a stack's own file that holds a plain word; read without Pulumi, which most commands do not need. */
export function plainSetting(stack: string, key: "platform" | "dropData" | "protect"): string | undefined {
  const file = join(projectDir, `Pulumi.${stack}.yaml`);
  if (!existsSync(file)) return undefined;
  const line = new RegExp(`^\\s*["']?timelift:${key}["']?:\\s*["']?(\\w+)`, "m");
  return line.exec(readFileSync(file, "utf8"))?.[1];
}

/** Whether the database of a stack is run by others. */
export function isExternal(stack: string): boolean {
  return plainSetting(stack, "platform") === "external";
}

/**
 * Pulumi destroys by its state, without asking the program: a wish that the program would refuse is refused here.
 * @throws TimeliftError `external-drop-data`
 */
export function requireExternalKept(stack: string): void {
  if (!isExternal(stack) || plainSetting(stack, "dropData") !== "true") return;
  throw new TimeliftError({
    code: "external-drop-data",
    subject: "timelift:dropData = true",
    problem: `the database of stack ${stack} is external, and timelift drops none`,
    remedy: "pulumi config rm timelift:dropData; what is to go there, delete there",
  });
}

/** How a role of a stack connects to its external database. Those who only read cannot write, whatever the login may. */
export async function externalConnection(stack: string, role: Role): Promise<Connection> {
  const target = await externalTarget(stack);
  const readOnly = role === "timelift_readonly" || role === "timelift_monitor";
  return { ...placeOf(target), ...loginsOf(target)[role], ...(readOnly && { readOnly }) };
}

/** The logins of a stack's external database, with all that they may do. */
export async function externalLogins(stack: string): Promise<Logins> {
  const target = await externalTarget(stack);
  const { owner, loader, readonly } = target.logins;
  const of = (login: typeof owner): Connection => ({ ...placeOf(target), ...login });
  return { owner: of(owner), loader: of(loader), readonly: of(readonly) };
}

async function externalTarget(stack: string): Promise<ExternalTarget> {
  const { readStackConfig } = await import("./stack-config.ts");
  const { external } = await readStackConfig(stack);
  if (external !== undefined) return external;
  throw new TimeliftError({
    code: "stack-platform",
    subject: `stack ${stack}`,
    problem: `Pulumi.${stack}.yaml says that its platform is external, and Pulumi says that it is not`,
    remedy: "run in the project whose stack it is; pulumi config shows what Pulumi reads",
  });
}

/** Paths in the config start at the project, wherever the command runs. */
function placeOf({ logins: _, tls, ...place }: ExternalTarget) {
  const { rootCert } = tls;
  return {
    ...place,
    external: true,
    tls: { ...tls, ...(rootCert && { rootCert: resolve(projectDir, rootCert) }) },
  };
}
