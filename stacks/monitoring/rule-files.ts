import type { AlertConfig } from "../alert-config.ts";
import { renderAlerts } from "./alert-rules.ts";
import { type RecordingArgs, recordingRules } from "./recording-rules.ts";

/** Name of the file of rules that Prometheus reads. */
export const ruleFileName = "rules.yaml";

/**
 * The file of rules of a stack: name -> text. One group, so that alerts see what was recorded right before them. JSON is
 * YAML, and nothing needs quoting by hand.
 */
export function ruleFiles(
  alerts: AlertConfig,
  stack: Omit<RecordingArgs, "windowSeconds">,
): Record<string, string> {
  const recording = recordingRules({ ...stack, windowSeconds: alerts.windowSeconds });
  const groups = [{ name: "timelift", rules: [...recording, ...renderAlerts(alerts)] }];
  return { [ruleFileName]: `${JSON.stringify({ groups }, null, 2)}\n` };
}
