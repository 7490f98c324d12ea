import type { StackConfig } from "../config.ts";
import type { WorkloadReference } from "../workload.ts";
import { externalPlatform } from "./external.ts";
import { nativePlatform } from "./native.ts";
import type { Platform } from "./platform.ts";

/** The platform that a stack's config names. */
export function choosePlatform(
  config: StackConfig,
  { stateDir, workload }: { stateDir: string; workload: WorkloadReference },
): Platform {
  const { dropData, external: target, edition, hypertables } = config;
  const native = nativePlatform({ stateDir, dropData });
  return target ? externalPlatform({ target, workload, edition, hypertables, beside: native }) : native;
}
