import { z } from "zod";
import { type DeclaredReceivers, type Severity, severities } from "./services/alertmanager.ts";

const who = (standard: Severity[]) => z.array(z.enum(severities)).min(1).default(standard);
const all: Severity[] = [...severities];
const text = z.string().min(1);

/** `timelift:receivers`: who is told of alerts. It holds secrets, so all of it is one. */
export const receivers = z
  .strictObject({
    /** An incoming webhook of Slack. */
    slack: z.strictObject({ url: z.url(), channel: text.optional(), severities: who(all) }).optional(),
    /** An integration of PagerDuty, by its routing key (Events API v2). */
    pagerduty: z
      .strictObject({ key: text, url: z.url().optional(), severities: who(["critical"]) })
      .optional(),
    /** Any address that takes Alertmanager's JSON. */
    webhook: z.strictObject({ url: z.url(), severities: who(all) }).optional(),
    /** Mail, by a server as `host:port`. */
    email: z
      .strictObject({
        ...{ to: text, from: text, smarthost: text.regex(/:\d+$/, "host:port") },
        ...{ username: text.optional(), password: text.optional(), severities: who(all) },
      })
      .optional(),
  })
  .prefault({});
export type ReceiverConfig = z.infer<typeof receivers>;
export const receiverNames = ["slack", "pagerduty", "webhook", "email"];

/** What may be seen of the receivers. */
export function declaredReceivers({ slack, pagerduty, webhook, email }: ReceiverConfig): DeclaredReceivers {
  const { url: _url, ...plainSlack } = slack ?? {};
  const { key: _key, ...plainPagerduty } = pagerduty ?? {};
  const { password, ...plainEmail } = email ?? {};
  const declared = {
    ...(slack && { slack: plainSlack }),
    ...(pagerduty && { pagerduty: plainPagerduty }),
    ...(webhook && { webhook: { severities: webhook.severities } }),
    ...(email && { email: { ...plainEmail, hasPassword: password !== undefined } }),
  };
  return declared as DeclaredReceivers;
}

/** What may not: receiver -> its URL, key or password, as JSON; undefined where there is none. */
export function receiverSecrets({ slack, pagerduty, webhook, email }: ReceiverConfig): string | undefined {
  const known = {
    ...{ slack: slack?.url, pagerduty: pagerduty?.key, webhook: webhook?.url, email: email?.password },
  };
  const given = Object.entries(known).filter(([, value]) => value !== undefined);
  return given.length === 0 ? undefined : JSON.stringify(Object.fromEntries(given));
}
