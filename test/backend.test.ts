import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { localState, pulumiEnvironment } from "../cli/backend.ts";

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "timelift-home-"));
});
afterEach(() => rmSync(home, { recursive: true }));

const logIn = (current: string) => {
  mkdirSync(join(home, ".pulumi"));
  writeFileSync(join(home, ".pulumi", "credentials.json"), JSON.stringify({ current }));
};

describe("where Pulumi keeps state", () => {
  test("is the project's ignored folder, with a passphrase that only its owner can read", () => {
    const env = pulumiEnvironment({ HOME: home });
    expect(env.PULUMI_BACKEND_URL).toMatch(/^file:\/\/.*\/\.timelift\/state$/);
    expect(statSync(env.PULUMI_CONFIG_PASSPHRASE_FILE as string).mode & 0o777).toBe(0o600);
    expect(pulumiEnvironment({ HOME: home }).PULUMI_CONFIG_PASSPHRASE_FILE).toBe(
      env.PULUMI_CONFIG_PASSPHRASE_FILE,
    );
  });

  test("is the backend that the user logged in to", () => {
    logIn("https://pulumi.example.com");
    expect(pulumiEnvironment({ HOME: home })).not.toHaveProperty("PULUMI_BACKEND_URL");
    expect(localState({ HOME: home })).toBeUndefined();
  });

  test("is the file backend that the user logged in to, whose locks are looked after too", () => {
    logIn("file:///srv/state");
    expect(localState({ HOME: home })).toBe("/srv/state");
  });

  test("is what the environment says", () => {
    const env = { HOME: home, PULUMI_BACKEND_URL: "s3://states", PULUMI_CONFIG_PASSPHRASE: "" };
    expect(pulumiEnvironment(env)).toMatchObject(env);
    expect(pulumiEnvironment(env)).not.toHaveProperty("PULUMI_CONFIG_PASSPHRASE_FILE");
    expect(localState(env)).toBeUndefined();
  });
});
