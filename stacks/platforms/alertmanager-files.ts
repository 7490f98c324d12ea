import { alertsOfDatabase } from "../monitoring/alert-rules.ts";
import { type Severity, severities } from "../services/alertmanager.ts";
import type { AlertmanagerDeclaration } from "../services/service.ts";

/** The file that holds a receiver's URL, key or password. */
export function receiverFile(receiver: string): string {
  return `receiver-${receiver}`;
}

/** Receiver -> its secret, as the stack's secrets hold them. */
export function secretsOfReceivers(text: string | undefined): Record<string, string> {
  return text === undefined ? {} : (JSON.parse(text) as Record<string, string>);
}

/** What stands in every message. */
const title = `{{ .Status | toUpper }}: {{ .CommonAnnotations.summary }}{{ if not .CommonAnnotations.summary }}{{ .CommonLabels.alertname }}{{ end }}`;
const body = `{{ range .Alerts }}{{ .Annotations.summary }}\n{{ .Annotations.description }}\nRunbook: {{ .Annotations.runbook }}\n{{ end }}`;

/**
 * The text of alertmanager.yml. It holds no secret: each is in a file of its own.
 * @param fileOf path of a secret's file, as Alertmanager sees it
 */
export function alertmanagerYaml(
  { receivers, groupWaitSeconds, groupIntervalSeconds }: AlertmanagerDeclaration,
  fileOf: (name: string) => string,
): string {
  const repeat: Record<Severity, string> = { critical: "1h", warning: "12h" };
  const config = {
    route: {
      receiver: "warning",
      // `run` tells one test from another.
      group_by: ["stack", "alertname", "run"],
      group_wait: `${groupWaitSeconds}s`,
      group_interval: `${groupIntervalSeconds}s`,
      repeat_interval: repeat.warning,
      routes: severities.map((severity) => ({
        ...{ receiver: severity, matchers: [`severity="${severity}"`], repeat_interval: repeat[severity] },
      })),
    },
    // What a dead database causes is not told beside it.
    inhibit_rules: [
      {
        source_matchers: ['alertname="DatabaseDown"'],
        target_matchers: [`alertname=~"${alertsOfDatabase.join("|")}"`],
        equal: ["stack"],
      },
    ],
    receivers: severities.map((severity) => ({ name: severity, ...told(receivers, severity, fileOf) })),
  };
  return `${JSON.stringify(config, null, 2)}\n`;
}

/** Everybody who is told of a severity. */
function told(
  { slack, pagerduty, webhook, email }: AlertmanagerDeclaration["receivers"],
  severity: Severity,
  fileOf: (name: string) => string,
): object {
  const wants = (receiver?: { severities: Severity[] }) => receiver?.severities.includes(severity);
  const file = (name: string) => fileOf(receiverFile(name));
  const always = { send_resolved: true };
  return {
    ...(slack &&
      wants(slack) && {
        slack_configs: [
          {
            ...{ ...always, api_url_file: file("slack"), title, text: body },
            ...(slack.channel && { channel: slack.channel }),
          },
        ],
      }),
    ...(pagerduty &&
      wants(pagerduty) && {
        pagerduty_configs: [
          {
            ...{ ...always, routing_key_file: file("pagerduty"), severity, description: title },
            ...(pagerduty.url && { url: pagerduty.url }),
          },
        ],
      }),
    ...(webhook && wants(webhook) && { webhook_configs: [{ ...always, url_file: file("webhook") }] }),
    ...(email &&
      wants(email) && {
        email_configs: [
          {
            ...{ ...always, to: email.to, from: email.from, smarthost: email.smarthost },
            ...{ headers: { Subject: title }, text: body },
            ...(email.username && { auth_username: email.username }),
            ...(email.hasPassword && { auth_password_file: file("email") }),
          },
        ],
      }),
  };
}
