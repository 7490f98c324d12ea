import { setTimeout as sleep } from "node:timers/promises";
import { Command, Option } from "commander";
import { TimeliftError } from "../loaders/timelift-error.ts";
import { type Severity, severities } from "../stacks/services/alertmanager.ts";
import type { AlertmanagerDeclaration } from "../stacks/services/service.ts";
import { notRunning, stackService } from "./stack-services.ts";

/** `timelift alert test`: whether an alert arrives where it should. */
export function alertCommand(): Command {
  const command = new Command("alert").description("What tells people of alerts.");
  command
    .command("test")
    .description("Sends one alert through and says where it went.")
    .option("-s, --stack <name>", "the stack", "dev")
    .addOption(
      new Option("--severity <severity>", "how bad it is").choices([...severities]).default("critical"),
    )
    .action(testAlert);
  return command;
}

/** How many requests Alertmanager made to receivers of a kind, and how many of these failed. */
type Counts = Record<string, { made: number; failed: number }>;

async function testAlert({ stack, severity }: { stack: string; severity: Severity }): Promise<void> {
  const { url, declaration } = alertmanagerOf(stack);
  const receivers = Object.entries(declaration.receivers).filter(([, receiver]) =>
    (receiver as { severities: Severity[] }).severities.includes(severity),
  );
  if (receivers.length === 0) throw nobody(stack, severity);
  const before = await counts(url);
  await send(url, stack, severity);
  console.log(
    `sent a ${severity} alert, TimeliftTest, through ${url}; it is told after ${declaration.groupWaitSeconds} s`,
  );
  const waiting = new Map(receivers);
  const deadline = Date.now() + (declaration.groupWaitSeconds + 30) * 1000;
  while (waiting.size > 0 && Date.now() < deadline) {
    await sleep(250);
    const now = await counts(url);
    for (const [name, receiver] of waiting) {
      const [was, is] = [before[name], now[name]];
      const failed = (is?.failed ?? 0) > (was?.failed ?? 0);
      if (!failed && (is?.made ?? 0) <= (was?.made ?? 0)) continue;
      waiting.delete(name);
      if (failed) process.exitCode = 1;
      const why = failed ? `; why: timelift logs alertmanager --stack ${stack}` : "";
      console.log(`${failed ? "FAIL" : "PASS"} ${name}${placeOf(receiver)}${why}`);
    }
  }
  for (const name of waiting.keys()) {
    process.exitCode = 1;
    console.log(`FAIL ${name}: nothing was sent in time; see timelift logs alertmanager --stack ${stack}`);
  }
}

/** Where a receiver's messages go, as far as it may be seen. */
function placeOf(receiver: { channel?: string; to?: string }): string {
  const place = receiver.channel ?? receiver.to;
  return place ? ` (${place})` : "";
}

function alertmanagerOf(stack: string): { url: string; declaration: AlertmanagerDeclaration } {
  const service = stackService(stack, "alertmanager");
  if ("container" in service) {
    const declaration = service.declaration as AlertmanagerDeclaration;
    return { url: `http://${service.host}:${declaration.port}`, declaration };
  }
  if (service.folder.process === undefined) throw notRunning(stack, "alertmanager");
  const declaration = service.record.declaration as AlertmanagerDeclaration;
  return { url: `http://127.0.0.1:${declaration.port}`, declaration };
}

async function send(url: string, stack: string, severity: Severity): Promise<void> {
  const now = Date.now();
  const alert = {
    labels: { alertname: "TimeliftTest", stack, severity, run: new Date(now).toISOString() },
    annotations: {
      summary: `A test of alerts of ${stack}: nothing is wrong`,
      description: "Somebody ran timelift alert test.",
      runbook: "docs/monitoring.md",
    },
    endsAt: new Date(now + 60_000).toISOString(),
  };
  await ask(`${url}/api/v2/alerts`, {
    ...{ method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify([alert]) },
  });
}

/** What Alertmanager counts, by receiver. */
async function counts(url: string): Promise<Counts> {
  const text = await ask(`${url}/metrics`);
  const result: Counts = {};
  for (const [, kind, name = "", value] of text.matchAll(
    /^alertmanager_notification_requests(_failed)?_total\{[^}]*integration="(\w+)"[^}]*\} (\S+)$/gm,
  )) {
    result[name] ??= { made: 0, failed: 0 };
    result[name][kind ? "failed" : "made"] += Number(value);
  }
  return result;
}

async function ask(url: string, options: RequestInit = {}): Promise<string> {
  let response: Response;
  try {
    response = await fetch(url, { ...options, signal: AbortSignal.timeout(5_000) });
  } catch (error) {
    throw unreachable(url, (error as Error).message, error);
  }
  const text = await response.text();
  if (!response.ok) throw unreachable(url, `status ${response.status}: ${text}`);
  return text;
}

function unreachable(url: string, why: string, cause?: unknown): TimeliftError {
  return new TimeliftError({
    code: "alertmanager-unreachable",
    subject: url,
    problem: `Alertmanager does not answer there (${why}).`,
    remedy:
      "timelift status says whether it runs; a container has to be published: pulumi config set --path timelift:publish.alertmanager 127.0.0.1, then up",
    cause,
  });
}

function nobody(stack: string, severity: Severity): TimeliftError {
  return new TimeliftError({
    code: "receiver-missing",
    subject: `stack ${stack}`,
    problem: `nobody is told of ${severity} alerts.`,
    remedy:
      "pulumi config set --secret --path timelift:receivers.webhook.url, or slack.url, pagerduty.key; then up. See docs/monitoring.md",
  });
}
