import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { onPath } from "../../stacks/platforms/native/sandbox.ts";

/** Version of a program on PATH, or what is to be done where there is none. */
export async function versionOf(
  program: string,
  install: string,
): Promise<{ version: string } | { missing: string }> {
  const file = onPath(program);
  if (file === undefined) return { missing: `${program} is not installed (${install})` };
  try {
    const { stdout, stderr } = await promisify(execFile)(file, ["--version"], {
      env: quiet(),
      timeout: 20_000,
    });
    const version = /\d+(?:\.\d+)+\S*/.exec(stdout + stderr)?.[0].replace(/["',]+$/, "");
    return version ? { version } : { missing: `${file} does not tell its version` };
  } catch (error) {
    return { missing: `${file} does not run: ${(error as Error).message.split("\n")[0]}` };
  }
}

/** This process's environment, with other programs' reports to their makers switched off. */
export function quiet(): Record<string, string | undefined> {
  return { ...process.env, SLING_DISABLE_TELEMETRY: "true", DO_NOT_TRACK: "1" };
}
