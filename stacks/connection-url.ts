import * as pulumi from "@pulumi/pulumi";
import type { Endpoint } from "./resources/endpoint.ts";
import { redisUsers } from "./services/redis-users.ts";
import { urlHost } from "./url-host.ts";

/** A PostgreSQL URL with its password, as a Pulumi secret. */
export function postgresUrl(
  at: Endpoint,
  user: string,
  password: pulumi.Input<string>,
): pulumi.Output<string> {
  const { mode, rootCert } = at.tls ?? {};
  const options = Object.entries({ sslmode: mode, sslrootcert: rootCert }).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}=${encodeURIComponent(value)}`],
  );
  const place = `${urlHost(at.host)}:${at.port}/${encodeURIComponent(at.database)}`;
  const query = options.length > 0 ? `?${options.join("&")}` : "";
  const login = pulumi
    .output(password)
    .apply((text) => `${encodeURIComponent(user)}:${encodeURIComponent(text)}`);
  return pulumi.secret(pulumi.interpolate`postgresql://${login}@${place}${query}`);
}

/** A Redis URL with the login of the applications, as a Pulumi secret. */
export function redisUrl(
  at: Pick<Endpoint, "host" | "port">,
  password: pulumi.Input<string>,
): pulumi.Output<string> {
  return pulumi.secret(pulumi.interpolate`redis://${redisUsers.app}:${password}@${at.host}:${at.port}/0`);
}
