import type * as pulumi from "@pulumi/pulumi";
import { dynamic } from "@pulumi/pulumi";
import type { Secrets } from "../services/role.ts";
import { providerIn } from "./provider.ts";

/** Passwords generated when the stack is first deployed; Pulumi keeps them encrypted. */
export class Credentials extends dynamic.Resource {
  declare readonly passwords: pulumi.Output<Secrets>;

  constructor(name: string, opts?: pulumi.CustomResourceOptions) {
    const secret = { ...opts, additionalSecretOutputs: ["passwords"] };
    super(
      providerIn("credentials-provider"),
      name,
      { passwords: undefined },
      secret,
      "timelift",
      "Credentials",
    );
  }
}
