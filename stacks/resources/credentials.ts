import type * as pulumi from "@pulumi/pulumi";
import type { Secrets } from "../services/role.ts";
import { DynamicResource } from "./dynamic-resource.ts";

/** Passwords generated when the stack is first deployed; Pulumi keeps them encrypted. */
export class Credentials extends DynamicResource {
  declare readonly passwords: pulumi.Output<Secrets>;

  constructor(name: string, opts?: pulumi.CustomResourceOptions) {
    const secret = { ...opts, additionalSecretOutputs: ["passwords"] };
    super("Credentials", "credentials-provider", name, { passwords: undefined }, secret);
  }
}
