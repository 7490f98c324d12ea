import type { Check, ValidationReport } from "../../validation-report.ts";
import { groupChecks, noteWithout, statusOf } from "../check-groups.ts";
import { html, type Markup } from "./markup.ts";
import { badge, counted, duration } from "./wording.ts";

/** Each check that failed, with what was expected and found. */
export function failedChecks(report: ValidationReport): Markup {
  const failures = groupChecks(report).flatMap(({ checks, table }) =>
    checks.filter(({ status }) => status === "FAIL").map((check) => ({ check, table })),
  );
  if (failures.length === 0) return html``;
  const heads = ["Check", "Expected", "Found"];
  return html`
<section aria-labelledby="failed">
  <h2 id="failed">${counted(failures.length, "failed check")}</h2>
  <table class="failures" role="table" aria-labelledby="failed">
    <thead role="rowgroup"><tr role="row">${heads.map((head) => html`<th role="columnheader" scope="col">${head}</th>`)}</tr></thead>
    <tbody role="rowgroup">${failures.map(
      ({ check, table }) => html`
      <tr role="row"><th role="rowheader" scope="row">${badge("FAIL")} ${check.name}</th><td role="cell" class="value" data-head="Expected">${check.expected}</td><td role="cell" class="value" data-head="Found">${check.actual}${note(noteWithout(check, table))}</td></tr>`,
    )}
    </tbody>
  </table>
</section>`;
}

/** Every check, by table. */
export function allChecks(report: ValidationReport): Markup {
  const groups = groupChecks(report).filter(({ checks }) => checks.length > 0);
  return html`
<section aria-labelledby="checks">
  <h2 id="checks">Every check</h2>${groups.map(
    (group) => html`
  <details open>
    <summary><h3>${group.name}</h3> ${badge(statusOf(group))} <span class="quiet">${counted(group.checks.length, "check")}</span></summary>
    <table class="checks" role="table">
      <thead class="hidden" role="rowgroup"><tr role="row">${["Status", "Check", "Result", "Time"].map((head) => html`<th role="columnheader" scope="col">${head}</th>`)}</tr></thead>
      <tbody role="rowgroup">${group.checks.map((check) => row(check, group.table?.name))}
      </tbody>
    </table>
  </details>`,
  )}
</section>`;
}

function row(check: Check, table: string | undefined): Markup {
  const { name, status, expected, actual, ms } = check;
  const prefix = [table, "query"].find((each) => each !== undefined && name.startsWith(`${each} `));
  const own = prefix === undefined ? name : name.slice(prefix.length + 1);
  const found = status === "FAIL" ? html`expected ${expected}, found ${actual}` : html`${actual}`;
  const said = status === "FAIL" ? html`` : note(check.note ?? "");
  return html`
      <tr role="row"><td role="cell">${badge(status)}</td><th role="rowheader" scope="row">${own}</th><td role="cell" class="value">${found}${said}</td><td role="cell" class="number">${ms > 0 && duration(ms)}</td></tr>`;
}

function note(text: string): Markup {
  return text === "" ? html`` : html`<p class="note">${text}</p>`;
}
