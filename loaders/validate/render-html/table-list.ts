import type { ValidationReport } from "../../validation-report.ts";
import { groupChecks, statusOf } from "../check-groups.ts";
import { html, type Markup } from "./markup.ts";
import { badge, count, duration } from "./wording.ts";

/** One line a table; those that failed come first. */
export function tableList(report: ValidationReport): Markup {
  const groups = groupChecks(report)
    .flatMap((group) => (group.table ? [{ table: group.table, status: statusOf(group) }] : []))
    .toSorted((a, b) => Number(b.status === "FAIL") - Number(a.status === "FAIL"));
  if (groups.length === 0) return html``;
  const heads = ["Table", "Status", "Rows in SQLite", "Rows in TimescaleDB", "Differing", "Rejected", "Time"];
  return html`
<section aria-labelledby="tables">
  <h2 id="tables">Tables</h2>
  <table class="stacked" role="table" aria-labelledby="tables">
    <thead role="rowgroup"><tr role="row">${heads.map((head, index) => html`<th role="columnheader" scope="col"${index > 1 && html` class="number"`}>${head}</th>`)}</tr></thead>
    <tbody role="rowgroup">${groups.map(
      ({ table, status }) => html`
      <tr role="row"><th role="rowheader" scope="row">${table.name}</th><td role="cell">${badge(status)}</td>${[
        count(table.sourceRows),
        count(table.targetRows),
        `${table.complete ? "" : "at least "}${count(table.differingRows)}`,
        count(table.unfitRows),
        duration(table.ms),
      ].map(
        (value, index) =>
          html`<td role="cell" class="number${value !== "0" && (index === 2 || index === 3) && " bad"}" data-head="${heads[index + 2]}">${value}</td>`,
      )}</tr>`,
    )}
    </tbody>
  </table>
</section>`;
}
