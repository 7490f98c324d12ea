import { createRequire } from "node:module";
import type { dynamic } from "@pulumi/pulumi";
import { endWithEngine } from "./engine.ts";

/** What a provider module exports; `remove`, for `delete` is a reserved word. */
interface ProviderModule extends Omit<dynamic.ResourceProvider, "delete"> {
  remove: dynamic.ResourceProvider["delete"];
}

/** Called by Pulumi's provider process, once for each kind of resource. */
export function providerOf(module: string): dynamic.ResourceProvider {
  endWithEngine();
  const { check, diff, create, update, remove } = createRequire(import.meta.url)(
    `./${module}.ts`,
  ) as ProviderModule;
  return { check, diff, create, ...(update && { update }), delete: remove };
}
