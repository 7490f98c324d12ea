import { receiverNames } from "../../receiver-config.ts";
import type { AlertmanagerDeclaration } from "../../services/service.ts";
import { alertmanagerYaml, receiverFile, secretsOfReceivers } from "../alertmanager-files.ts";
import { flags } from "../exporter-arguments.ts";
import { type ContainerKind, confFolder } from "./container-kind.ts";
import { exporterContainer } from "./exporter-container.ts";
import { imageLayouts } from "./images.ts";

const common = exporterContainer<AlertmanagerDeclaration>({
  // Empty for a receiver that there is not.
  secretFiles: Object.fromEntries(
    receiverNames.map((name) => [
      receiverFile(name),
      async (_declaration, secrets) => secretsOfReceivers(secrets.receivers)[name] ?? "",
    ]),
  ),
  arguments: ({ settings }) => [
    `--config.file=${confFolder}/alertmanager.yml`,
    `--storage.path=${imageLayouts.alertmanager.data}`,
    ...flags(settings),
  ],
});

/** Alertmanager in a container, which starts and answers as exporters do. */
export const alertmanager: ContainerKind<AlertmanagerDeclaration> = {
  ...common,
  files: (declaration) => ({
    ...common.files(declaration),
    "alertmanager.yml": alertmanagerYaml(declaration, (name) => `${confFolder}/${name}`),
  }),
};
