import type { StackConfig } from "../config.ts";
import { nativePlatform } from "./native.ts";
import type { Platform } from "./platform.ts";

/** The platform that the stack's config names. What it alone needs is read for it alone. */
export async function choosePlatform(config: StackConfig, stateDir: string): Promise<Platform> {
  if (config.platform === "native") return nativePlatform({ stateDir, dropData: config.dropData });
  const { dockerPlatform } = await import("./docker.ts");
  return dockerPlatform({ ...config, stateDir });
}
