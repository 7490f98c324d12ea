import type * as pulumi from "@pulumi/pulumi";

/**
 * Binds a dynamic resource to the module that does its work, e.g. `migrations-provider`.
 *
 * Pulumi stores a provider as the text of its functions and runs that text in another process, so these hold
 * nothing but the module's name and find the module from the project folder, which is that process's own.
 */
export function providerIn(module: string): pulumi.dynamic.ResourceProvider {
  const load = () => {
    const require = process.getBuiltinModule("node:module").createRequire(`${process.cwd()}/`);
    require("./stacks/resources/engine.ts").endWithEngine();
    return require(`./stacks/resources/${module}.ts`);
  };
  return {
    check: (olds, news) => load().check(olds, news),
    diff: (id, olds, news) => load().diff(id, olds, news),
    create: (inputs) => load().create(inputs),
    update: (id, olds, news) => load().update(id, olds, news),
    delete: (id, props) => load().remove(id, props),
  };
}
