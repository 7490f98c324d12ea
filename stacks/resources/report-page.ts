import { mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ValidationReport } from "../../loaders/validation-report.ts";

/** The page that every `up` leaves in the stack's folder. */
export const reportPageIn = (stateDir: string) => join(stateDir, "report.html");

/**
 * Writes the page, which quotes rows, for its owner only. Returns its path, or why there is none: a proof is not
 * worth less for want of a page.
 */
export async function writeReportPage(stateDir: string, report: ValidationReport): Promise<string> {
  const path = reportPageIn(stateDir);
  // Read only when there is a report: a preview writes no page.
  const { renderHtml } = await import("../../loaders/validate/render-html/page.ts");
  try {
    mkdirSync(stateDir, { recursive: true, mode: 0o700 });
    const whole = `${path}.new`;
    rmSync(whole, { force: true });
    writeFileSync(whole, renderHtml(report), { mode: 0o600 });
    renameSync(whole, path);
    return path;
  } catch (error) {
    return `not written: ${(error as Error).message}`;
  }
}
