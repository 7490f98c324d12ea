import * as pulumi from "@pulumi/pulumi";
import type { Endpoint } from "./resources/endpoint.ts";

/** A PostgreSQL URL with its password, as a Pulumi secret. */
export function postgresUrl(
  at: Endpoint,
  user: string,
  password: pulumi.Input<string>,
): pulumi.Output<string> {
  return pulumi.secret(
    pulumi.interpolate`postgresql://${user}:${password}@${at.host}:${at.port}/${at.database}`,
  );
}

/** A Redis URL with its password, as a Pulumi secret. */
export function redisUrl(
  at: Pick<Endpoint, "host" | "port">,
  password: pulumi.Input<string>,
): pulumi.Output<string> {
  return pulumi.secret(pulumi.interpolate`redis://:${password}@${at.host}:${at.port}/0`);
}
