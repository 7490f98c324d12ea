import type * as pulumi from "@pulumi/pulumi";
import type { Passwords } from "../services/role.ts";
import { DynamicResource } from "./dynamic-resource.ts";

/** Whose passwords are generated. */
export interface CredentialsArgs<Name extends string> {
  /** @default every database role and Redis user */
  names?: Name[];
}

/** Passwords generated when the stack is first deployed; Pulumi keeps them encrypted. */
export class Credentials<Name extends string = keyof Passwords> extends DynamicResource {
  declare readonly passwords: pulumi.Output<Record<Name, string>>;

  constructor(name: string, args: CredentialsArgs<Name> = {}, opts?: pulumi.CustomResourceOptions) {
    const secret = { ...opts, additionalSecretOutputs: ["passwords"] };
    super("Credentials", "credentials-provider", name, { ...args, passwords: undefined }, secret);
  }
}
