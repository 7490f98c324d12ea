import * as pulumi from "@pulumi/pulumi";

/**
 * A dynamic resource whose provider is a module of this folder, `<module>.ts`.
 *
 * Pulumi keeps a dynamic provider as text, `__provider`, and runs it in a process of its own, in the project folder.
 * `pulumi.dynamic.Resource` makes that text out of functions with a compiler, which takes 0.4 s of every preview;
 * here the text is one line that names the module.
 */
export abstract class DynamicResource extends pulumi.CustomResource {
  constructor(
    type: string,
    module: string,
    name: string,
    props: Record<string, unknown>,
    opts?: pulumi.CustomResourceOptions,
  ) {
    const host = 'require(process.cwd() + "/stacks/resources/provider-host.ts")';
    const __provider = `exports.handler = () => ${host}.providerOf("${module}");`;
    super(`pulumi-nodejs:dynamic/timelift:${type}`, name, { ...props, __provider }, opts);
  }
}
