import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Tls } from "../../../loaders/tls.ts";
import type { Secrets } from "../../services/role.ts";
import { type ServiceDeclaration, type ServiceName, serviceNames } from "../../services/service.ts";
import type { EngineAddress } from "./engine.ts";

/** What is remembered of a service that runs as a container: enough for `status`, `logs`, `psql` and `validate`. */
export interface ContainerRecord {
  declaration: ServiceDeclaration;
  /** Version of the program, or the image that holds it. */
  version: string;
  image: string;
  /** Name of the container. */
  container: string;
  engine: EngineAddress;
  /** Where clients reach it; its name on the stack's network where it is not published. */
  host: string;
  /** How clients speak with it, a path in it relative to the project. @default plain text */
  tls?: Tls;
  secrets: Secrets;
}

const fileOf = (stateDir: string, name: ServiceName) => join(stateDir, "containers", `${name}.json`);

/** The containers of a stack that this machine deployed. */
export function readContainers(stateDir: string): ContainerRecord[] {
  return serviceNames
    .map((name) => fileOf(stateDir, name))
    .flatMap((file) => (existsSync(file) ? [JSON.parse(readFileSync(file, "utf8")) as ContainerRecord] : []));
}

/** Remembers a container, for its user alone: the file holds passwords, as Pulumi's state does. */
export function writeContainer(stateDir: string, record: ContainerRecord): void {
  const file = fileOf(stateDir, record.declaration.name);
  mkdirSync(join(stateDir, "containers"), { recursive: true, mode: 0o700 });
  writeFileSync(`${file}.new`, `${JSON.stringify(record, null, 2)}\n`, { mode: 0o600 });
  renameSync(`${file}.new`, file);
}

/** Forgets a container that is going. */
export function forgetContainer(stateDir: string, name: ServiceName): void {
  rmSync(fileOf(stateDir, name), { force: true });
}
