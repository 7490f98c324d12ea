import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { onPath, treeLinker } from "../stacks/platforms/native/sandbox.ts";
import { ensureSysroot } from "../stacks/platforms/native/sysroot.ts";

/** Files of a certificate authority, and of a server whose certificate it signed. */
export interface Certificates {
  ca: string;
  certificate: string;
  key: string;
}

/** Makes an authority and a certificate for some names, such as `DNS:localhost`, in a folder. */
export async function makeCertificates(folder: string, names: string): Promise<Certificates> {
  const file = (name: string) => join(folder, name);
  const key = (name: string) => [
    "-newkey",
    "ec",
    "-pkeyopt",
    "ec_paramgen_curve:prime256v1",
    "-nodes",
    "-keyout",
    file(name),
  ];
  const made = ["req", "-x509", "-days", "2", "-config", file("none.cnf")];
  // A tree's openssl has no configuration of its own.
  writeFileSync(file("none.cnf"), "[req]\ndistinguished_name=dn\n[dn]\n");
  await openssl(
    ...[...made, ...key("ca.key"), "-out", file("ca.pem"), "-subj", "/CN=authority of tests"],
    ...["-addext", "basicConstraints=critical,CA:TRUE"],
  );
  await openssl(
    ...[...made, ...key("server.key"), "-out", file("server.crt"), "-subj", "/CN=server of tests"],
    ...["-CA", file("ca.pem"), "-CAkey", file("ca.key"), "-addext", `subjectAltName=${names}`],
    ...["-addext", "basicConstraints=critical,CA:FALSE"],
  );
  return { ca: file("ca.pem"), certificate: file("server.crt"), key: file("server.key") };
}

async function openssl(...args: string[]): Promise<void> {
  const own = onPath("openssl");
  const tree = own ? "" : await ensureSysroot(() => {});
  const [program = "", ...before] = own ? [own] : [...treeLinker(tree), join(tree, "usr/bin/openssl")];
  await execa(program, [...before, ...args]);
}
