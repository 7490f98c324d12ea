import { parseConfig, type StackConfig } from "../stacks/config.ts";
import { askPulumi } from "./pulumi.ts";

/** The config of a stack with its secrets, parsed as the Pulumi program parses it, with Pulumi.yaml's defaults. */
export async function readStackConfig(stack: string): Promise<StackConfig> {
  const text = await askPulumi(["config", "--stack", stack, "--json", "--show-secrets"]);
  const values = JSON.parse(text) as Record<string, { value?: string; secret: boolean }>;
  const raw = Object.entries(values).flatMap(([key, { value }]) =>
    value === undefined ? [] : [[key, value] as const],
  );
  return parseConfig(Object.fromEntries(raw), stack, (key) => values[key]?.secret === true);
}
