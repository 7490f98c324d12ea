import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { standardPorts } from "../../stacks/config.ts";
import type { ServiceName } from "../../stacks/services/service.ts";

/**
 * Ports of the named services that no stack whose file is in `folder` has, each as far from its default as the others.
 * The defaults are those of the stack dev.
 */
export function unusedPorts(folder: string, services: ServiceName[]): Partial<Record<ServiceName, number>> {
  const taken = new Set<number>(Object.values(standardPorts));
  for (const file of readdirSync(folder).filter((name) => /^Pulumi\..+\.yaml$/.test(name))) {
    for (const port of portsIn(readFileSync(join(folder, file), "utf8"))) taken.add(port);
  }
  for (let step = 1; ; step += 1) {
    const moved = services.map((service) => [service, standardPorts[service] + step] as const);
    if (moved.every(([, port]) => !taken.has(port))) return Object.fromEntries(moved);
  }
}

function portsIn(text: string): number[] {
  const names = Object.keys(standardPorts).join("|");
  const lines = text.matchAll(new RegExp(`["']?\\b(?:${names})["']?:\\s*(\\d+)`, "g"));
  return [...lines].map(([, port]) => Number(port));
}
