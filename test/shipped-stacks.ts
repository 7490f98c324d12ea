import type { StackChoices } from "../cli/stack/stack-choices.ts";

const unnamed = { workload: "stockula", workloadPath: "", source: "", dockerHost: "", publish: [] };

/** What the environments that come with the project were chosen to be. */
export const shippedStacks: StackChoices[] = [
  {
    ...{ stack: "staging", platform: "docker", edition: "community", ...unnamed },
    ...{ ports: { timescaledb: 15434 }, protect: false },
  },
  { stack: "prod", platform: "external", edition: "community", ...unnamed, ports: {}, protect: true },
];
