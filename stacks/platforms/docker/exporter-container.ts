import { readFileSync } from "node:fs";
import type { ServiceDeclaration } from "../../services/service.ts";
import { executables } from "../native/program.ts";
import { type ContainerKind, confFolder, momentFolder } from "./container-kind.ts";

type Exporter = Extract<ServiceDeclaration, { health: { path: string } }>;

const script = (name: string) => readFileSync(new URL(`./${name}`, import.meta.url), "utf8");

/**
 * What containers of exporters have in common: a start by whichever name the image has for the program, and a health
 * check over HTTP.
 */
export function exporterContainer<Declaration extends Exporter>(
  kind: Pick<ContainerKind<Declaration>, "secretFiles" | "environment" | "readsDataOf"> & {
    /** Arguments besides the address to listen on. */
    arguments(declaration: Declaration): string[];
  },
): ContainerKind<Declaration> {
  return {
    ...kind,
    files: ({ files = {} }) => ({
      ...files,
      "start-exporter.sh": script("start-exporter.sh"),
      "ask-http.sh": script("ask-http.sh"),
    }),
    command: (declaration) => [
      ...["/bin/sh", `${confFolder}/start-exporter.sh`, momentFolder, programsOf(declaration)],
      `--web.listen-address=0.0.0.0:${declaration.port}`,
      ...kind.arguments(declaration),
    ],
    ask: ({ port, health }) => ["/bin/sh", `${confFolder}/ask-http.sh`, String(port), health.path],
    stop: { signal: "SIGTERM", graceSeconds: 5 },
  };
}

/** By name, and where an image keeps it out of PATH. */
function programsOf({ name }: Exporter): string {
  const names = executables[name];
  return [...names, ...names.slice(-1).map((last) => `/${last}`)].join(" ");
}
