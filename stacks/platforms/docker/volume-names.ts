import { type ServiceName, serviceNames } from "../../services/service.ts";

/** The volume with a service's configuration, by Pulumi's name and at the end of the engine's. */
export const filesVolume = (service: ServiceName) => `${service}-files`;

/** The volume with a service's data likewise. */
export const dataVolume = (service: ServiceName) => `${service}-data`;

/** Whether a volume holds configuration alone, which every update can write again. Any other is taken for data. */
export const isFilesVolume = (name: string) => serviceNames.some((service) => filesVolume(service) === name);
