import type { PrometheusDeclaration } from "../../services/service.ts";
import { prometheusArguments } from "../prometheus-arguments.ts";
import { prometheusFiles } from "../prometheus-files.ts";
import { type ContainerKind, confFolder } from "./container-kind.ts";
import { imageLayouts } from "./images.ts";

/** Prometheus in a container: its settings are arguments, what it watches is a file. */
export const prometheus: ContainerKind<PrometheusDeclaration> = {
  files: (declaration) => prometheusFiles(declaration, { hostOf: (service) => service }),
  secretFiles: {},

  command: (declaration) => [
    "prometheus",
    ...prometheusArguments(declaration, {
      conf: confFolder,
      data: imageLayouts.prometheus.data as string,
      listen: "0.0.0.0",
    }),
  ],

  ask: ({ port }) => ["promtool", "check", "ready", `--url=http://127.0.0.1:${port}`],

  stop: { signal: "SIGTERM", graceSeconds: 30 },
};
