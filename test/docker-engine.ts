import { execFileSync, spawnSync } from "node:child_process";
import { onPath } from "../stacks/platforms/native/sandbox.ts";

/** Why tests on a Docker engine are skipped; undefined where there is all that they need. */
export const noDocker = missing();

function missing(): string | undefined {
  if (onPath("pulumi-resource-docker") === undefined) return "pulumi-resource-docker is not on PATH";
  try {
    docker("version");
    return undefined;
  } catch (error) {
    const { stderr = "", message } = error as Error & { stderr?: string };
    return `no Docker engine answers: ${(stderr || message).trim().split("\n").at(-1)}`;
  }
}

/** Runs the docker command and returns what it printed. */
export function docker(...args: string[]): string {
  return execFileSync("docker", args, { encoding: "utf8", stdio: "pipe" }).trim();
}

/** All that a container has said. */
export function logsOf(container: string): string {
  const { stdout, stderr } = spawnSync("docker", ["logs", container], { encoding: "utf8" });
  return stdout + stderr;
}
