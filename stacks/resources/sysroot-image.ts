import type * as pulumi from "@pulumi/pulumi";
import type { SysrootImageArgs } from "../platforms/docker/sysroot-image.ts";
import { DynamicResource } from "./dynamic-resource.ts";

/** The native platform's Debian tree as an image of the engine, under a name that tells its contents. */
export class SysrootImage extends DynamicResource {
  /** Name of the image. */
  declare readonly image: pulumi.Output<string>;

  constructor(name: string, args: SysrootImageArgs, opts?: pulumi.CustomResourceOptions) {
    super("SysrootImage", "sysroot-image-provider", name, { ...args, image: undefined }, opts);
  }
}
