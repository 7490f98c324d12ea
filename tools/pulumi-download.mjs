// Usage: node pulumi-download.mjs VERSION FOLDER
// Runs Pulumi's own installer, which knows where its downloads are, into FOLDER. Its first request waits two
// minutes for a site that does not answer; here it is given ten seconds, since there is another way.
import { createRequire } from "node:module";

const [version, root] = process.argv.slice(2);
const { PulumiCommand } = createRequire(import.meta.url)("@pulumi/pulumi/automation");
const { SemVer } = createRequire(createRequire(import.meta.url).resolve("@pulumi/pulumi"))("semver");

const patient = globalThis.fetch;
globalThis.fetch = (url, options) => patient(url, { ...options, signal: AbortSignal.timeout(10_000) });

try {
  await PulumiCommand.install({ version: new SemVer(version), root });
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
}
