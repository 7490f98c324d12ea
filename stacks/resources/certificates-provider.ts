import { X509Certificate } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import type { dynamic } from "@pulumi/pulumi";
import type { KeyPair } from "../tls/make-certificate.ts";
import type { ServerCertificate } from "../tls/server-certificate.ts";
import { authorityFileIn, type CertificatesArgs } from "./certificates.ts";

/** `validity` is what a preview shows: that the certificate lasts, or that it ends soon. */
type Inputs = CertificatesArgs & { validity: string };
/** `authorityKey` is empty where the certificate was given. */
type Outputs = Inputs & ServerCertificate & { authorityKey: string };

const lasting = "lasts for more than 30 days";
const day = 24 * 3600 * 1000;

/** Old outputs are not shown to it, so it reads the end of a generated certificate where `publish` left it. */
export async function check(_olds: object, news: Inputs): Promise<dynamic.CheckResult> {
  const certificate = news.given?.certificate ?? read(certificateFileIn(news.stateDir));
  const isDue = certificate !== undefined && endsSoon(certificate);
  const remedy = news.given ? "give another in timelift:tls" : "up renews it";
  const validity = isDue ? `ends on ${endOf(certificate).toISOString().slice(0, 10)}; ${remedy}` : lasting;
  return { inputs: { ...news, validity } };
}

export async function diff(_id: string, olds: Outputs, news: Inputs): Promise<dynamic.DiffResult> {
  const isGenerated = news.given === undefined;
  const changes =
    !isDeepStrictEqual(olds.given, news.given) ||
    olds.stateDir !== news.stateDir ||
    (isGenerated && (!isDeepStrictEqual(olds.names, news.names) || endsSoon(olds.certificate)));
  // A stack that another machine deployed is new to this one, and its clients here need the authority.
  if (!changes) publish(olds);
  return { changes };
}

export async function create(inputs: Inputs): Promise<dynamic.CreateResult> {
  return { id: "certificates", outs: publish(await certified(inputs)) };
}

export async function update(_id: string, olds: Outputs, news: Inputs): Promise<dynamic.UpdateResult> {
  return { outs: publish(await certified(news, olds)) };
}

export async function remove(_id: string, { stateDir }: Outputs): Promise<void> {
  for (const file of [authorityFileIn(stateDir), certificateFileIn(stateDir)]) rmSync(file, { force: true });
}

async function certified(inputs: Inputs, olds?: Outputs): Promise<Outputs> {
  if (inputs.given) return { ...inputs, ...inputs.given, authorityKey: "" };
  // Read only when there is work: it takes longer than the rest of a preview's question.
  const { makeAuthority, makeServerCertificate } = await import("../tls/make-certificate.ts");
  const kept = olds && authorityOf(olds);
  const authority = kept ?? (await makeAuthority());
  // Until the last client has the new authority, some know the old one only.
  const before =
    kept || !olds?.authorityKey ? [] : pemsOf(olds.authority).filter((each) => endOf(each) > new Date());
  const server = await makeServerCertificate(authority, inputs.names);
  return {
    ...{ ...inputs, validity: lasting, certificate: server.certificate, key: server.key },
    authority: kept ? (olds?.authority ?? "") : [authority.certificate, ...before].join(""),
    authorityKey: authority.key,
  };
}

/** The authority that signed before, where it was generated and lasts. */
function authorityOf({ authority, authorityKey }: Outputs): KeyPair | undefined {
  const [certificate = ""] = pemsOf(authority);
  if (authorityKey === "" || endsSoon(certificate)) return undefined;
  return { certificate, key: authorityKey };
}

/** Puts the certificates, which are no secret, where this machine's clients look for them. */
function publish<Certified extends Outputs>(outputs: Certified): Certified {
  const { stateDir, authority, certificate } = outputs;
  for (const [file, text] of [
    [authorityFileIn(stateDir), authority],
    [certificateFileIn(stateDir), certificate],
  ] as const) {
    if (read(file) === text) continue;
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    writeFileSync(`${file}.new`, text, { mode: 0o644 });
    renameSync(`${file}.new`, file);
  }
  return outputs;
}

const certificateFileIn = (stateDir: string) => join(stateDir, "server.crt");

function read(file: string): string | undefined {
  return existsSync(file) ? readFileSync(file, "utf8") : undefined;
}

/** The certificates of a text, each as PEM. */
function pemsOf(text: string): string[] {
  return text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----\n?/g) ?? [];
}

function endOf(certificate: string): Date {
  return new Date(new X509Certificate(certificate).validTo);
}

function endsSoon(certificate: string): boolean {
  return endOf(certificate).getTime() - Date.now() < 30 * day;
}
