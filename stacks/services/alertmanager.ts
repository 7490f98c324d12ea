import type { AlertmanagerDeclaration } from "./service.ts";

/** `critical` wakes somebody; `warning` can wait for the morning. */
export const severities = ["critical", "warning"] as const;
export type Severity = (typeof severities)[number];

/** Who is told, and of what; where to is a secret of the stack. */
export interface DeclaredReceivers {
  slack?: { channel?: string; severities: Severity[] };
  pagerduty?: { url?: string; severities: Severity[] };
  webhook?: { severities: Severity[] };
  email?: {
    to: string;
    from: string;
    smarthost: string;
    username?: string;
    hasPassword: boolean;
    severities: Severity[];
  };
}

/** Whom Alertmanager tells, and when. */
export interface AlertmanagerArgs {
  /** TCP port on 127.0.0.1. */
  port: number;
  /** @default nobody; alerts are then on its page alone */
  receivers?: DeclaredReceivers;
  /** How often Prometheus looks at its rules, in seconds; other times follow from it. @default 15 */
  intervalSeconds?: number;
}

/** Takes Prometheus' alerts, groups them, holds back what another explains, and tells people. */
export function alertmanager(args: AlertmanagerArgs): AlertmanagerDeclaration {
  const { port, receivers = {}, intervalSeconds = 15 } = args;
  return {
    name: "alertmanager",
    version: { minimum: "0.26" },
    port,
    memoryMb: 128,
    receivers,
    // Alerts that start together are told together: what explains the others has come by then.
    groupWaitSeconds: intervalSeconds * 2,
    groupIntervalSeconds: intervalSeconds * 10,
    settings: { "data.retention": "120h", "cluster.listen-address": "", "log.level": "info" },
    health: { path: "/-/ready", timeoutSeconds: 30 },
  };
}
