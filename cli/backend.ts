import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { homedir, userInfo } from "node:os";
import { join } from "node:path";

/** The project folder. */
export const projectDir = join(import.meta.dirname, "..");

/** The folder of local state, kept out of version control. */
export const localDir = join(projectDir, ".timelift");

/**
 * The environment in which `pulumi` runs. A backend that the user chose (by environment or `pulumi login`) is
 * theirs; otherwise state is a file backend in the project's ignored folder, and its passphrase is generated
 * at first use into a file that only its owner can read.
 */
export function pulumiEnvironment(env: NodeJS.ProcessEnv = process.env): NodeJS.ProcessEnv {
  // Pulumi notes in a lock who holds it, and fails for a user whose name nothing tells.
  const own: NodeJS.ProcessEnv = { PULUMI_SKIP_UPDATE_CHECK: "true", USER: env.USER || userName() };
  if (!userBackend(env)) own.PULUMI_BACKEND_URL = `file://${stateDir()}`;
  if (!("PULUMI_CONFIG_PASSPHRASE" in env) && !env.PULUMI_CONFIG_PASSPHRASE_FILE) {
    own.PULUMI_CONFIG_PASSPHRASE_FILE = passphraseFile();
  }
  return { ...env, ...own };
}

/** Where the local file backend keeps its state, or nothing when the user has a backend of their own. */
export function localState(env: NodeJS.ProcessEnv = process.env): string | undefined {
  const backend = userBackend(env) ?? `file://${stateDir()}`;
  return backend.startsWith("file://") ? backend.slice("file://".length) : undefined;
}

function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return `uid-${process.getuid?.()}`;
  }
}

function userBackend(env: NodeJS.ProcessEnv): string | undefined {
  if (env.PULUMI_BACKEND_URL) return env.PULUMI_BACKEND_URL;
  const credentials = join(env.PULUMI_HOME ?? join(env.HOME ?? homedir(), ".pulumi"), "credentials.json");
  if (!existsSync(credentials)) return undefined;
  return (JSON.parse(readFileSync(credentials, "utf8")) as { current?: string }).current || undefined;
}

function stateDir(): string {
  const dir = join(localDir, "state");
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  return dir;
}

function passphraseFile(): string {
  const file = join(localDir, "passphrase");
  if (!existsSync(file)) {
    mkdirSync(localDir, { recursive: true, mode: 0o700 });
    writeFileSync(file, randomBytes(24).toString("base64url"), { mode: 0o600, flag: "wx" });
  }
  return file;
}
