import type { StackConfig } from "../config.ts";
import { isOnHost } from "../platforms/native/program.ts";

/**
 * Why a stack has no Grafana; undefined where it has one. Debian, whose programs the native platform brings along and
 * `timelift:images sysroot` makes an image of, has none.
 */
export function grafanaLack({
  services,
  platform,
  images,
}: Pick<StackConfig, "services" | "platform" | "images">): string | undefined {
  if (!services.includes("grafana")) return "timelift:services leaves it out";
  if (platform === "docker") {
    return images === "sysroot" ? "the Debian tree of timelift:images sysroot has none" : undefined;
  }
  return isOnHost("grafana") ? undefined : "this machine has none, and Debian has none either";
}
