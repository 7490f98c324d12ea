import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parseConfig } from "../stacks/config.ts";
import {
  alertmanagerYaml,
  receiverFile,
  secretsOfReceivers,
} from "../stacks/platforms/alertmanager-files.ts";
import { startService, stopService } from "../stacks/platforms/native/native-service.ts";
import { onPath, treeLinker } from "../stacks/platforms/native/sandbox.ts";
import { ensureSysroot } from "../stacks/platforms/native/sysroot.ts";
import { declaredReceivers, receiverSecrets, receivers } from "../stacks/receiver-config.ts";
import { alertmanager } from "../stacks/services/alertmanager.ts";
import { AlertReceiver } from "./alert-receiver.ts";
import { filesWith, freePorts, isPortFree, processesWith, stackSecrets } from "./native-stack.ts";
import { ProjectCopy } from "./project-copy.ts";

const tree = onPath("amtool") === undefined ? await ensureSysroot(() => {}) : undefined;

/** What amtool says; throws where it refuses. */
function amtool(...args: string[]): string {
  const [program = "", ...before] = tree ? [...treeLinker(tree), join(tree, "usr/bin/amtool")] : ["amtool"];
  return execFileSync(program, [...before, ...args], { encoding: "utf8", stdio: "pipe" });
}

const full = receivers.parse({
  slack: { url: "https://hooks.slack.example/T0/Zq1", channel: "#ops" },
  pagerduty: { key: "key-Zq2" },
  webhook: { url: "https://example.com/Zq3", severities: ["warning"] },
  email: {
    to: "ops@example.com",
    from: "timelift@example.com",
    smarthost: "mail.example.com:587",
    username: "u",
    password: "pw-Zq4",
  },
});

describe("the configuration", () => {
  const folder = mkdtempSync(join(tmpdir(), "timelift-alertmanager-"));
  afterAll(() => rmSync(folder, { recursive: true }));

  const write = (config: typeof full): string => {
    const declaration = alertmanager({ port: 1, receivers: declaredReceivers(config) });
    const text = alertmanagerYaml(declaration, (name) => join(folder, name));
    for (const [name, secret] of Object.entries(secretsOfReceivers(receiverSecrets(config)))) {
      writeFileSync(join(folder, receiverFile(name)), secret);
    }
    const file = join(folder, "alertmanager.yml");
    writeFileSync(file, text);
    return file;
  };

  test.each([
    ["nobody", receivers.parse({})],
    ["everybody", full],
    [
      "mail without a password",
      receivers.parse({ email: { to: "a@b.c", from: "d@e.f", smarthost: "localhost:25" } }),
    ],
  ])("amtool accepts it with %s", (_title, config) => {
    expect(amtool("check-config", write(config))).toContain("SUCCESS");
  });

  test("a severity goes to whom it concerns", () => {
    const file = write(full);
    const route = (severity: string) =>
      amtool("config", "routes", "test", `--config.file=${file}`, `severity=${severity}`).trim();
    expect([route("critical"), route("warning")]).toEqual(["critical", "warning"]);
    const parsed = JSON.parse(
      alertmanagerYaml(alertmanager({ port: 1, receivers: declaredReceivers(full) }), (name) => name),
    );
    const told = Object.fromEntries(
      parsed.receivers.map(({ name, ...configs }: { name: string }) => [name, Object.keys(configs)]),
    );
    expect(told).toEqual({
      critical: ["slack_configs", "pagerduty_configs", "email_configs"],
      warning: ["slack_configs", "webhook_configs", "email_configs"],
    });
  });

  test("holds no secret, nor does the declaration", () => {
    const declaration = alertmanager({ port: 1, receivers: declaredReceivers(full) });
    const text = JSON.stringify(declaration) + alertmanagerYaml(declaration, (name) => name);
    expect(text).not.toMatch(/Zq\d/);
    expect(Object.keys(secretsOfReceivers(receiverSecrets(full)))).toEqual([
      "slack",
      "pagerduty",
      "webhook",
      "email",
    ]);
  });

  test("receivers in plain text are refused, and no message shows them", () => {
    const raw = {
      "timelift:source": "a",
      "timelift:receivers": JSON.stringify({ webhook: { url: "https://example.com/Zq3" } }),
    };
    expect(parseConfig(raw, "dev").receivers.webhook?.severities).toEqual(["critical", "warning"]);
    expect(() => parseConfig(raw, "dev", () => false)).toThrow(
      /receivers: it holds secrets[\s\S]*pulumi config set --secret --path timelift:receivers\.webhook\.url/,
    );
    const wrong = { ...raw, "timelift:receivers": JSON.stringify({ webhook: { url: "no url Zq5" } }) };
    try {
      parseConfig(wrong, "dev");
      expect.unreachable();
    } catch (error) {
      expect((error as Error).message).toContain("timelift:receivers.webhook.url");
      expect((error as Error).message).not.toContain("Zq5");
    }
  });
});

describe("timelift alert test", () => {
  let project: ProjectCopy;
  let receiver: AlertReceiver;
  const start = async (port: number, url: string | undefined) => {
    const config = receivers.parse(url ? { webhook: { url } } : {});
    const text = receiverSecrets(config);
    await startService(
      {
        stateDir: join(project.dir, ".timelift", "dev"),
        declaration: alertmanager({ port, receivers: declaredReceivers(config), intervalSeconds: 1 }),
        secrets: { ...stackSecrets, ...(text && { receivers: text }) },
      },
      () => {},
    );
  };
  const run = () =>
    execa(process.execPath, ["cli/main.ts", "alert", "test"], {
      ...{ cwd: project.dir, env: project.env, extendEnv: false, reject: false, all: true },
    });
  let port = 0;

  beforeAll(async () => {
    project = await ProjectCopy.make({});
    receiver = await AlertReceiver.start();
    [port = 0] = await freePorts(1);
  });
  afterAll(async () => {
    await stopService({
      ...{
        stateDir: join(project.dir, ".timelift", "dev"),
        declaration: { name: "alertmanager" },
        dropData: true,
      },
    });
    receiver.stop();
    project.remove();
    expect(await isPortFree(port)).toBe(true);
  });

  test("says what to do where nobody is told", async () => {
    await start(port, undefined);
    const { exitCode, all } = await run();
    expect(exitCode).not.toBe(0);
    expect(all).toContain("pulumi config set --secret --path timelift:receivers.webhook.url");
  });

  test("says where the alert went, and it is there", async () => {
    await start(port, `${receiver.url}?token=Zq88`);
    const { exitCode, all } = await run();
    expect(exitCode, all).toBe(0);
    expect(all).toContain("PASS webhook");
    expect(receiver.find("TimeliftTest", "firing")?.labels).toMatchObject({
      stack: "dev",
      severity: "critical",
    });
  });

  test("the address is in a file for the user alone, in no other and in no argument", () => {
    const files = filesWith(join(project.dir, ".timelift"), "Zq88");
    const kept = join(project.dir, ".timelift/dev/services/alertmanager/secrets");
    expect(files.length).toBeGreaterThan(0);
    expect(files.filter((file) => !file.startsWith(kept))).toEqual([]);
    expect(processesWith("Zq88")).toEqual([]);
  });

  test("fails where the receiver does not take it", async () => {
    const [dead] = await freePorts(1);
    await start(port, `http://127.0.0.1:${dead}/?token=Zq89`);
    const { exitCode, all } = await run();
    expect(exitCode).toBe(1);
    expect(all).toContain("FAIL webhook; why: timelift logs alertmanager");
    const logs = join(project.dir, ".timelift/dev/services/alertmanager/log");
    expect(filesWith(logs, "connection refused")).toHaveLength(1);
    expect(filesWith(logs, "Zq89")).toEqual([]);
  });
});
