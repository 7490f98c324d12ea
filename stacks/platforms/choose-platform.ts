import type { StackConfig } from "../config.ts";
import { workloadReference } from "../workload.ts";
import { nativePlatform } from "./native.ts";
import type { Platform } from "./platform.ts";

/** The platform that the stack's config names. What it alone needs is read for it alone. */
export async function choosePlatform(config: StackConfig, stateDir: string): Promise<Platform> {
  if (config.platform === "docker") {
    const { dockerPlatform } = await import("./docker.ts");
    return dockerPlatform({ ...config, stateDir });
  }
  const { dropData, protect, tls, external: target, edition, hypertables } = config;
  const native = nativePlatform({ stateDir, dropData, protect, tls });
  if (target === undefined) return native;
  const { externalPlatform } = await import("./external.ts");
  const workload = workloadReference(config);
  return externalPlatform({ target, workload, edition, hypertables, protect, beside: native });
}
