import type { SecretName, Secrets } from "../../services/role.ts";
import type { ServiceDeclaration } from "../../services/service.ts";
import type { ServerCertificate } from "../../tls/server-certificate.ts";
import type { Program } from "./program.ts";
import type { Mount, Sandbox } from "./sandbox.ts";
import type { ServiceFolder } from "./service-folder.ts";
import type { Log } from "./sysroot.ts";

/** All that is known while a service is being started. */
export interface Start<Declaration extends ServiceDeclaration = ServiceDeclaration> {
  declaration: Declaration;
  secrets: Secrets;
  /** What it proves itself by, where it speaks TLS. */
  tls?: ServerCertificate;
  /** Password of the database's superuser, where the plugin logs in as it. */
  superuserPassword?: string;
  folder: ServiceFolder;
  program: Program;
  sandbox: Sandbox;
  log: Log;
}

/** How one kind of service is run as a process. */
export interface ServiceKind<Declaration extends ServiceDeclaration = ServiceDeclaration> {
  /** Names of the secrets that the service uses. */
  secretsOf(declaration: Declaration): SecretName[];
  /**
   * What the service sees of the machine besides its own folders.
   * @default nothing
   */
  mounts?(folder: ServiceFolder): Mount[];
  /** Writes the configuration, and makes the data folder where there is none. */
  prepare(start: Start<Declaration>): Promise<void>;
  /** The command line, as the service's sandbox sees it. */
  command(start: Start<Declaration>): string[];
  /**
   * Variables of its environment besides those of the sandbox; no secret.
   * @default none
   */
  environment?(start: Start<Declaration>): Record<string, string>;
  /** Brings a service that runs to the state that its declaration and secrets ask for, if it must be told. */
  settle?(start: Start<Declaration>, isAlive: () => boolean): Promise<void>;
  /** The question whose answer means that the service works. */
  ask(start: Start<Declaration>): Promise<void>;
  /**
   * Lets a running service take its new configuration, which `prepare` has written. False where only a restart
   * does that.
   */
  reload(start: Start<Declaration>, before: Declaration, pid: number): Promise<boolean>;
  stop: { signal: NodeJS.Signals; graceSeconds: number };
  /** Ends what may be left of a service whose process is gone. */
  clear?(folder: ServiceFolder): Promise<void>;
}
