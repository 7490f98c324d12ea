import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Part } from "../../loaders/load-result.ts";
import { sourceFolder } from "./source-folder.ts";

/** What the last load knew of the source, part by part. */
export interface LoadedParts {
  fingerprint: string;
  /** Digest of the loader's definition. */
  mapping: string;
  /** Target table -> parts. */
  parts: Record<string, Part[]>;
}

/**
 * The parts of the last load are the resource's output, but Pulumi shows `check` old inputs only; so a copy lies
 * in the stack's folder. Without it a preview says less, and `up` does the same.
 */
const fileIn = (stateDir: string) => join(sourceFolder(stateDir), "parts.json");

export function readLoadedParts(stateDir: string): LoadedParts | undefined {
  const file = fileIn(stateDir);
  return existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as LoadedParts) : undefined;
}

export function writeLoadedParts(stateDir: string, loaded: LoadedParts): void {
  const file = fileIn(stateDir);
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  writeFileSync(`${file}.part`, JSON.stringify(loaded), { mode: 0o600 });
  renameSync(`${file}.part`, file);
}
