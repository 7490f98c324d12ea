import { execFile, spawn } from "node:child_process";
import { promisify } from "node:util";
import { TimeliftError } from "../../../loaders/timelift-error.ts";

/** Which engine to speak to, as `docker:host` and `docker:certPath` of the stack's config name it; empty: the usual. */
export interface EngineAddress {
  host: string;
  certPath: string;
}

/** The environment in which the docker command speaks to an engine. */
export function engineEnvironment({ host, certPath }: EngineAddress): NodeJS.ProcessEnv {
  return {
    ...process.env,
    ...(host && { DOCKER_HOST: host }),
    ...(certPath && { DOCKER_CERT_PATH: certPath, DOCKER_TLS_VERIFY: "1" }),
  };
}

/**
 * Runs the docker command and returns what it printed.
 * @throws TimeliftError `docker-missing`, `docker-failed` with its own words
 */
export async function askEngine(engine: EngineAddress, args: string[]): Promise<string> {
  try {
    const env = engineEnvironment(engine);
    return (await promisify(execFile)("docker", args, { env, maxBuffer: 2 ** 26 })).stdout;
  } catch (error) {
    throw engineFailure(args, error);
  }
}

/** Whether the engine has an image of this name. */
export async function hasImage(engine: EngineAddress, reference: string): Promise<boolean> {
  try {
    await askEngine(engine, ["image", "inspect", "--format", "{{.Id}}", reference]);
    return true;
  } catch (error) {
    if (error instanceof TimeliftError && /no such image/i.test(error.message)) return false;
    throw error;
  }
}

/** Runs the docker command on this terminal, and returns its exit code. */
export async function showEngine(engine: EngineAddress, args: string[]): Promise<number> {
  const child = spawn("docker", args, { env: engineEnvironment(engine), stdio: "inherit" });
  return new Promise((resolve, reject) => {
    child.once("error", (error) => reject(engineFailure(args, error)));
    child.once("close", (code) => resolve(code ?? 1));
  });
}

/** The error for a docker command that could not run, or failed. */
export function engineFailure(args: string[], error: unknown): TimeliftError {
  const { code, stderr, message } = error as NodeJS.ErrnoException & { stderr?: string };
  if (code === "ENOENT") {
    return new TimeliftError({
      code: "docker-missing",
      subject: "docker",
      problem: "the docker command is not on PATH",
      remedy: "install Docker's command line (Debian: apt-get install docker.io, or docker-cli)",
      cause: error,
    });
  }
  return new TimeliftError({
    code: "docker-failed",
    subject: `docker ${args.slice(0, 2).join(" ")}`,
    problem: (stderr || message).trim(),
    remedy:
      "see that the engine runs and that you may use it: docker version; docker:host in the stack's config names another",
    cause: error,
  });
}
