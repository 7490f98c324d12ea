import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import type { Connection } from "../loaders/connection.ts";
import { TimeliftError } from "../loaders/timelift-error.ts";
import { type ContainerRecord, readContainers } from "../stacks/platforms/docker/container-record.ts";
import { clientTls } from "../stacks/platforms/native/certificate-files.ts";
import { ServiceFolder, type ServiceRecord } from "../stacks/platforms/native/service-folder.ts";
import { loginOf } from "../stacks/services/login.ts";
import type { Role } from "../stacks/services/role.ts";
import { type ServiceName, serviceNames, type TimescaleDbDeclaration } from "../stacks/services/service.ts";
import { projectDir } from "./backend.ts";
import { externalConnection, isExternal } from "./external-stack.ts";

/** A service of the native platform that a stack has or had, with what is remembered of it. */
export interface StackService {
  folder: ServiceFolder;
  record: ServiceRecord;
}

/** The folder in which a stack keeps its services. */
export function stackFolder(stack: string): string {
  return join(projectDir, ".timelift", stack);
}

/** The services of a stack on the docker platform that were deployed from this machine. */
export function stackContainers(stack: string): ContainerRecord[] {
  return readContainers(stackFolder(stack));
}

/** Whether a stack has or had a target. */
export function hasTarget(stack: string): boolean {
  const names = [
    ...stackServices(stack).map(({ folder }) => folder.name),
    ...stackContainers(stack).map(({ declaration }) => declaration.name),
  ];
  return names.includes("timescaledb");
}

/** The native services of a stack that have ever been started and not been dropped. */
export function stackServices(stack: string): StackService[] {
  return serviceNames
    .map((name) => new ServiceFolder(stackFolder(stack), name))
    .flatMap((folder) => (folder.record === undefined ? [] : [{ folder, record: folder.record }]));
}

/**
 * One service of a stack: its container, where it has one, else its process.
 *
 * @throws TimeliftError `service-unknown` where the stack never had it.
 */
export function stackService(stack: string, name: string): StackService | ContainerRecord {
  const containers = stackContainers(stack);
  const container = containers.find(({ declaration }) => declaration.name === name);
  if (container !== undefined) return container;
  const services = stackServices(stack);
  const service = services.find(({ folder }) => folder.name === name);
  if (service !== undefined) return service;
  const names = [
    ...services.map(({ folder }) => folder.name),
    ...containers.map(({ declaration }) => declaration.name),
  ];
  const known = [...new Set(names)].join(", ");
  const isService = (serviceNames as readonly string[]).includes(name);
  throw new TimeliftError({
    code: "service-unknown",
    subject: name,
    problem: isService
      ? `stack ${stack} has not started it.`
      : `there is no such service; there are ${serviceNames.join(", ")}.`,
    remedy: known === "" ? startRemedy(stack) : `stack ${stack} has ${known}.`,
  });
}

/**
 * How a database role of a stack connects to its target, directly.
 *
 * @throws TimeliftError `service-unknown`, `service-not-running`; as `readStackConfig` for an external database
 */
export async function connectionAs(stack: string, role: Role): Promise<Connection> {
  if (isExternal(stack)) return externalConnection(stack, role);
  const service = stackService(stack, "timescaledb");
  if ("container" in service) return inContainer(service, role);
  const { folder, record } = service;
  const password = folder.secret(role);
  const { declaration } = record;
  if (folder.process === undefined || password === undefined || declaration.name !== "timescaledb") {
    throw notRunning(stack, "timescaledb");
  }
  const { port, database } = declaration;
  const tls = clientTls(folder);
  const user = userFor(role, declaration);
  return { host: "127.0.0.1", port, database, user, password, ...(tls && { tls }) };
}

function inContainer({ declaration, host, secrets, tls }: ContainerRecord, role: Role): Connection {
  const service = declaration as TimescaleDbDeclaration;
  const { port, database } = service;
  const at = { host, port, database, user: userFor(role, service), password: secrets[role] };
  // What is remembered of a container holds no path of a machine.
  return tls?.rootCert ? { ...at, tls: { ...tls, rootCert: resolve(projectDir, tls.rootCert) } } : at;
}

/** Who logs in for a role. In a stack that was deployed before there were logins, the role itself does. */
function userFor(role: Role, { contents }: Partial<TimescaleDbDeclaration>): string {
  return contents ? loginOf(role, contents.generation) : role;
}

/** Where a service that is needed does not run. */
export function notRunning(stack: string, name: ServiceName): TimeliftError {
  return new TimeliftError({
    code: "service-not-running",
    subject: name,
    problem: `it does not run in stack ${stack}.`,
    remedy: startRemedy(stack),
  });
}

function startRemedy(stack: string): string {
  const known = existsSync(stackFolder(stack))
    ? ""
    : ` (is \`${stack}\` the stack you mean? --stack names another)`;
  return `./timelift up${stack === "dev" ? "" : ` --stack ${stack}`}${known}`;
}
