import { createHash } from "node:crypto";
import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import type { ServiceDeclaration } from "../../services/service.ts";
import { certificateFiles } from "../../tls/server-certificate.ts";
import type { StackCertificate } from "../stack-certificate.ts";
import { type ContainerKind, type ContainerSecrets, confFolder } from "./container-kind.ts";
import { labels } from "./labels.ts";
import { filesVolume } from "./volume-names.ts";

/** What one service's configuration files are made of. */
export interface ServiceFilesArgs {
  /** The stack's prefix of names on the engine. */
  prefix: string;
  declaration: ServiceDeclaration;
  kind: ContainerKind;
  /** Identity of the image. */
  image: pulumi.Input<string>;
  secrets: pulumi.Input<ContainerSecrets>;
  /** What the service proves itself by, where it speaks TLS. */
  certificate?: StackCertificate["server"];
}

/** A service's configuration on the engine. */
export interface ServiceFiles {
  /** Name of the volume that holds them. */
  volume: pulumi.Output<string>;
  /** Tells these contents from others, without those that are reloaded; no secret can be found by it. */
  digest: pulumi.Output<string>;
  /** The same of those that are reloaded, the certificate's among them. */
  reloadDigest: pulumi.Output<string>;
  /** What puts them there. */
  resource: pulumi.Resource;
}

/**
 * Puts a service's configuration and secrets into a volume: no environment and no argument tells them.
 *
 * Docker hands no file to a container whose root is read-only, so another one takes them, which is never started; that
 * the service's own can mount the volume read-only comes with it.
 */
export function serviceFiles(args: ServiceFilesArgs): ServiceFiles {
  const { prefix, declaration, kind, image } = args;
  const { name } = declaration;
  const own = filesVolume(name);
  const volume = new docker.Volume(own, {
    name: `${prefix}-${own}`,
    labels: labels(prefix, name),
  });
  const plain = kind.files(declaration);
  const secret = secretFiles(args);
  const certificate = certificateTexts(args);
  const files = { ...plain, ...secret, ...certificate };
  const resource = new docker.Container(
    own,
    {
      name: `${prefix}-${own}`,
      image,
      entrypoints: ["/never-started"],
      start: false,
      mustRun: false,
      networkMode: "none",
      uploads: Object.entries(files).map(([file, content]) => upload(file, content)),
      volumes: [{ volumeName: volume.name, containerPath: confFolder }],
      labels: labels(prefix, name),
    },
    // One name cannot stand for two.
    { deleteBeforeReplace: true },
  );
  const isReloaded = ([file]: [string, unknown]) => kind.reloads?.includes(file) === true;
  const all = Object.entries<pulumi.Input<string>>({ ...plain, ...secret });
  return {
    volume: volume.name,
    digest: digestOf(all.filter((each) => !isReloaded(each))),
    reloadDigest: digestOf([...all.filter(isReloaded), ...Object.entries(certificate)]),
    resource,
  };
}

function secretFiles({
  kind,
  declaration,
  secrets,
}: ServiceFilesArgs): Record<string, pulumi.Output<string>> {
  return Object.fromEntries(
    Object.entries(kind.secretFiles).map(([file, content]) => [
      file,
      pulumi.secret(pulumi.output(secrets).apply((known) => content(declaration, known))),
    ]),
  );
}

function certificateTexts({ certificate }: ServiceFilesArgs): Record<string, pulumi.Output<string>> {
  if (certificate === undefined) return {};
  return {
    [certificateFiles.certificate]: certificate.certificate,
    [certificateFiles.key]: pulumi.secret(certificate.key),
    [certificateFiles.authority]: certificate.authority,
  };
}

/** For root and its group, which the service is in; nobody else is in the container. */
function upload(file: string, content: pulumi.Input<string>) {
  const filled = typeof content === "string" ? neverEmpty(content) : pulumi.output(content).apply(neverEmpty);
  return { file: `${confFolder}/${file}`, content: filled, permissions: "0440" };
}

/** The provider takes a file without content for one whose content was forgotten, and refuses the container. */
function neverEmpty(content: string): string {
  return content === "" ? "\n" : content;
}

/** Of long random secrets, so that it may be seen. */
function digestOf(files: [string, pulumi.Input<string>][]): pulumi.Output<string> {
  return pulumi.unsecret(
    pulumi
      .output(Object.fromEntries(files))
      .apply((texts) => createHash("sha256").update(JSON.stringify(texts)).digest("hex").slice(0, 16)),
  );
}
