import type { Secrets } from "../../services/role.ts";
import type { ServiceDeclaration, ServiceName } from "../../services/service.ts";
import { certificateFiles, type ServerCertificate } from "../../tls/server-certificate.ts";

/** Where a container sees its configuration files. */
export const confFolder = "/timelift";
/** Where a container keeps sockets and other things of the moment; memory, and empty at each start. */
export const momentFolder = "/tmp";

/** The passwords of a container, as far as it needs them: the stack's, and the database superuser's. */
export type ContainerSecrets = Secrets & { postgres: string };

/** Where a container that speaks TLS finds its certificate. */
export const certificateIn = Object.fromEntries(
  Object.entries(certificateFiles).map(([part, file]) => [part, `${confFolder}/${file}`]),
) as Record<keyof ServerCertificate, string>;

/** How one kind of service is run as a container. */
export interface ContainerKind<Declaration extends ServiceDeclaration = ServiceDeclaration> {
  /** Configuration files without secrets: name -> text. */
  files(declaration: Declaration): Record<string, string>;
  /** Configuration files made of secrets: name -> text. */
  secretFiles: Record<string, (declaration: Declaration, secrets: ContainerSecrets) => Promise<string>>;
  /** Those of its files that the running service takes anew on SIGHUP; others make another container. @default [] */
  reloads?: string[];
  /**
   * Variables of the container's environment; no secret.
   * @default none
   */
  environment?(declaration: Declaration): Record<string, string>;
  /**
   * The service whose data volume the container sees, and where; it cannot write there.
   * @default none
   */
  readsDataOf?: { service: ServiceName; at: string };
  /** Program and arguments. */
  command(declaration: Declaration): string[];
  /** The question whose answer means that the service works, as a command inside the container. */
  ask(declaration: Declaration): string[];
  /** Size of /dev/shm in MB. @default Docker's own, 64 */
  sharedMemoryMb?(declaration: Declaration): number;
  stop: { signal: NodeJS.Signals; graceSeconds: number };
}
