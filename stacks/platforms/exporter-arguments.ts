import type { Setting } from "../services/service.ts";

/** Flags of a Go program: `--name=value`, `--name` and `--no-name` for those that are on or off. */
export function flags(settings: Record<string, Setting>): string[] {
  return Object.entries(settings).map(([name, value]) => {
    if (typeof value !== "boolean") return `--${name}=${value}`;
    return value ? `--${name}` : `--no-${name}`;
  });
}
