import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parseConfig } from "../stacks/config.ts";
import { givenCertificate } from "../stacks/tls/given-certificate.ts";
import { type KeyPair, makeAuthority, makeServerCertificate } from "../stacks/tls/make-certificate.ts";
import type { ServerCertificate } from "../stacks/tls/server-certificate.ts";

const folder = mkdtempSync(join(tmpdir(), "timelift-tls-config-"));
let authority: KeyPair;
let given: ServerCertificate;

beforeAll(async () => {
  authority = await makeAuthority();
  given = {
    ...(await makeServerCertificate(authority, ["127.0.0.1", "db"])),
    authority: authority.certificate,
  };
});
afterAll(() => rmSync(folder, { recursive: true }));

const parse = (tls: unknown, isSecret = true) =>
  parseConfig({ "timelift:source": "app.db", "timelift:tls": JSON.stringify(tls) }, "dev", () => isSecret)
    .tls;
const take = (more: Partial<ServerCertificate> = {}, names = ["127.0.0.1"]) =>
  givenCertificate({ ...given, ...more, names: [] }, names);

describe("timelift:tls", () => {
  test("is empty by default: a certificate is generated", () => {
    expect(parseConfig({ "timelift:source": "app.db" }, "dev").tls).toEqual({ names: [] });
    expect(givenCertificate({ names: [] }, ["127.0.0.1"])).toBeUndefined();
  });

  test("takes texts, files, and more names", () => {
    expect(parse(given)).toEqual({ ...given, names: [] });
    expect(parse({ names: ["db.example.com", "10.0.0.7"] })).toEqual({
      names: ["db.example.com", "10.0.0.7"],
    });
    const files = { certificate: join(folder, "a"), key: join(folder, "b"), authority: join(folder, "c") };
    for (const part of ["certificate", "key", "authority"] as const) writeFileSync(files[part], given[part]);
    expect(givenCertificate({ ...files, names: [] }, ["db"])).toEqual(given);
  });

  test("refuses a key in plain text, and does not quote it", () => {
    expect(() => parse(given, false)).toThrow(
      /stands in the file in plain text[\s\S]*--path --secret timelift:tls\.key/,
    );
    expect(() => parse({ ...given, certificate: 1 })).toThrow(/^(?![\s\S]*PRIVATE KEY)/);
    expect(parse({ certificate: "a.pem", key: "b.pem", authority: "c.pem" }, false).key).toBe("b.pem");
  });

  test("refuses a part without the others, and names beside a given one", () => {
    expect(() => parse({ key: "b.pem" })).toThrow(/it has key only; certificate, key and authority belong/);
    expect(() => parse({ ...given, names: ["db"] })).toThrow(/names are for a generated certificate/);
    expect(() => parse({ cert: "a.pem" })).toThrow(/timelift:tls\.cert: no such key/);
  });
});

describe("a given certificate", () => {
  test("is taken where the authority vouches for it", () => {
    expect(take()).toEqual(given);
    expect(take({}, ["127.0.0.1", "db"])).toEqual(given);
  });

  test.each<[string, () => Promise<Partial<ServerCertificate>>, RegExp]>([
    [
      "of another authority",
      async () => ({ authority: (await makeAuthority()).certificate }),
      /did not sign/,
    ],
    ["with the key of another", async () => ({ key: authority.key }), /not the key of the certificate/],
    ["with a key that is none", async () => ({ key: "-----BEGIN PRIVATE KEY-----\nx\n" }), /no private key/],
    ["that is no certificate", async () => ({ certificate: given.key }), /holds no certificate/],
    ["whose file is missing", async () => ({ certificate: join(folder, "none") }), /ENOENT/],
  ])("%s is refused", async (_which, more, problem) => {
    const wrong = await more();
    expect(() => take(wrong)).toThrow(problem);
    expect(() => take(wrong)).toThrow(/^(?![\s\S]*PRIVATE KEY)/);
  });

  test("that does not name the hosts which timelift calls is refused, with what it names", () => {
    expect(() => take({}, ["127.0.0.1", "timescaledb"])).toThrow(
      /does not name timescaledb,[\s\S]*it names IP Address:127\.0\.0\.1, DNS:db/,
    );
  });
});
