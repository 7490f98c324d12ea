import { X509Certificate } from "node:crypto";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { check, create, diff, remove, update } from "../stacks/resources/certificates-provider.ts";
import { makeAuthority, makeServerCertificate } from "../stacks/tls/make-certificate.ts";

const names = ["timescaledb", "localhost", "127.0.0.1", "::1"];
const day = 24 * 3600 * 1000;
let stateDir: string;

beforeEach(() => {
  stateDir = join(mkdtempSync(join(tmpdir(), "timelift-certificates-")), "dev");
  vi.useFakeTimers({ toFake: ["Date"] });
});
afterEach(() => {
  vi.useRealTimers();
  rmSync(join(stateDir, ".."), { recursive: true });
});

type Outputs = Parameters<typeof diff>[1];
type Inputs = Parameters<typeof create>[0];

async function inputs(more: Partial<Inputs> = {}): Promise<Inputs> {
  return (await check({}, { names, stateDir, ...more } as Inputs)).inputs as Inputs;
}
const made = async (more: Partial<Inputs> = {}) => (await create(await inputs(more))).outs as Outputs;
const renewed = async (olds: Outputs, more: Partial<Inputs> = {}) =>
  (await update("certificates", olds, await inputs(more))).outs as Outputs;
const differs = async (olds: Outputs, more: Partial<Inputs> = {}) =>
  (await diff("certificates", olds, await inputs(more))).changes;
const later = (days: number) => vi.setSystemTime(Date.now() + days * day);
const authorityFile = () => readFileSync(join(stateDir, "authority.pem"), "utf8");
const x509 = (pem: string) => new X509Certificate(pem);

test("makes an authority, and a certificate for every name that clients use", async () => {
  const { certificate, key, authority, authorityKey } = await made();
  const [server, signer] = [x509(certificate), x509(authority)];
  expect(server.checkIssued(signer) && server.verify(signer.publicKey)).toBe(true);
  expect([signer.ca, server.ca]).toEqual([true, false]);
  for (const name of ["timescaledb", "localhost"]) expect(server.checkHost(name)).toBe(name);
  for (const address of ["127.0.0.1", "::1"]) expect(server.checkIP(address)).toBe(address);
  expect(server.checkHost("pgbouncer")).toBeUndefined();
  expect([key, authorityKey]).toEqual(Array(2).fill(expect.stringMatching(/^-----BEGIN PRIVATE KEY-----/)));
  expect(authorityFile()).toBe(authority);
});

test("stays as it is until fewer than 30 days are left, which the preview says then", async () => {
  const olds = await made();
  later(397 - 31);
  expect([await differs(olds), (await inputs()).validity]).toEqual([false, "lasts for more than 30 days"]);
  later(2);
  expect(await differs(olds)).toBe(true);
  expect((await inputs()).validity).toMatch(/^ends on \d{4}-\d\d-\d\d; up renews it$/);
  const news = await renewed(olds);
  expect(news.authority).toBe(olds.authority);
  expect(news.certificate).not.toBe(olds.certificate);
  expect(x509(news.certificate).verify(x509(olds.authority).publicKey)).toBe(true);
  expect([await differs(news), (await inputs()).validity]).toEqual([false, "lasts for more than 30 days"]);
});

test("gets another certificate of the same authority for other names", async () => {
  const olds = await made();
  const more = { names: [...names, "db.example.com"] };
  expect(await differs(olds, more)).toBe(true);
  const news = await renewed(olds, more);
  expect([news.authority, x509(news.certificate).checkHost("db.example.com")]).toEqual([
    olds.authority,
    "db.example.com",
  ]);
});

test("an authority that ends is followed by another, and clients trust both until the first is over", async () => {
  let olds = await made();
  const first = olds.authority;
  for (let year = 0; year < 9; year += 1) {
    later(365);
    olds = await renewed(olds);
    expect(olds.authority).toBe(first);
  }
  later(340);
  expect(await differs(olds)).toBe(true);
  // No certificate outlives its authority.
  expect(x509(olds.certificate).validToDate <= x509(first).validToDate).toBe(true);
  const news = await renewed(olds);
  expect(news.authority).not.toBe(first);
  expect(news.authority.endsWith(first)).toBe(true);
  expect(x509(news.certificate).verify(x509(news.authority).publicKey)).toBe(true);
  later(30);
  expect((await renewed(await renewed(news))).authority).toBe(news.authority);
});

test("puts the authority back where a machine that deployed nothing looks for it", async () => {
  const olds = await made();
  rmSync(stateDir, { recursive: true });
  expect(await differs(olds)).toBe(false);
  expect(authorityFile()).toBe(olds.authority);
  await remove("certificates", olds);
  expect(existsSync(join(stateDir, "authority.pem"))).toBe(false);
});

test("a given certificate is taken as it is, renewed by nobody, and said to end", async () => {
  const signer = await makeAuthority();
  const given = { ...(await makeServerCertificate(signer, names)), authority: signer.certificate };
  const generated = await made();
  expect(await differs(generated, { given })).toBe(true);
  const news = await renewed(generated, { given });
  expect(news).toMatchObject({ ...given, authorityKey: "" });
  expect(authorityFile()).toBe(signer.certificate);
  later(380);
  expect(await differs(news, { given })).toBe(false);
  expect((await inputs({ given })).validity).toMatch(/; give another in timelift:tls$/);
  const back = await renewed(news);
  expect(back.authority).not.toContain(signer.certificate);
  expect(x509(back.certificate).verify(x509(back.authority).publicKey)).toBe(true);
});
