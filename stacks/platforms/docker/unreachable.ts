import { TimeliftError } from "../../../loaders/timelift-error.ts";
import type { ContainerRecord } from "./container-record.ts";

/** The error for a container whose service cannot be used from here. */
export function unreachable(
  {
    declaration,
    host,
    container,
    engine,
  }: Pick<ContainerRecord, "declaration" | "host" | "container" | "engine">,
  cause: unknown,
): TimeliftError {
  if (cause instanceof TimeliftError) return cause;
  const { name, port } = declaration;
  const reason = cause instanceof Error ? cause.message || cause.name : String(cause);
  const remote = /^(ssh|tcp):/.test(engine.host) && host === "127.0.0.1";
  return new TimeliftError({
    code: "service-unreachable",
    subject: `${name} at ${host}:${port}`,
    problem: `its container ${container} was made, and it gives no good answer (${reason})`,
    remedy: remote
      ? `it listens on the loopback address of the engine's machine: open a tunnel (ssh -N -L ${port}:127.0.0.1:${port} …), or publish it at an address that this machine reaches: pulumi config set --path timelift:publish.${name} ADDRESS`
      : `read its log (docker logs ${container}), and that ${host}:${port} is its own (docker port ${container}); then timelift up`,
    cause,
  });
}
