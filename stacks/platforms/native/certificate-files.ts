import { join } from "node:path";
import type { Tls } from "../../../loaders/tls.ts";
import { certificateFiles, type ServerCertificate } from "../../tls/server-certificate.ts";
import type { ServiceFolder } from "./service-folder.ts";
import type { Start } from "./service-kind.ts";

/** Where each part is below a service's folder. What clients trust stays when the service stops, its key does not. */
const places: Record<keyof ServerCertificate, string> = {
  certificate: join("conf", certificateFiles.certificate),
  key: join("secrets", certificateFiles.key),
  authority: join("conf", certificateFiles.authority),
};
const parts = Object.keys(places) as (keyof ServerCertificate)[];

/** Whether a service's folder has the certificate that it is started with, or none where it is started without. */
export function keepsCertificate({ folder, tls }: Start): boolean {
  return parts.every((part) => folder.read(places[part]) === tls?.[part]);
}

/** Puts a service's certificate into its folder, or takes it away. */
export function writeCertificate({ folder, tls }: Start): void {
  for (const part of parts) {
    if (tls) folder.write(places[part], tls[part]);
    else folder.remove(places[part]);
  }
}

/** The paths as the service sees them. */
export function certificatePaths({ folder, sandbox }: Start): Record<keyof ServerCertificate, string> {
  const state = sandbox.inside(folder.stateMount);
  const { certificate, key, authority } = places;
  return { certificate: join(state, certificate), key: join(state, key), authority: join(state, authority) };
}

/** How clients of this machine speak with a service; undefined where it speaks plain text. */
export function clientTls(folder: ServiceFolder): Tls | undefined {
  if (folder.read(places.authority) === undefined) return undefined;
  return { mode: "verify-full", rootCert: join(folder.path, places.authority) };
}
