/** The runbook of an alert, from the project's folder: `docs/runbooks/data-staleness.md` of DataStaleness. */
export function runbookFile(alert: string): string {
  return `docs/runbooks/${alert.replace(/(?<=[a-z])(?=[A-Z])/g, "-").toLowerCase()}.md`;
}
