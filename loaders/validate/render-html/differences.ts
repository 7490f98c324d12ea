import type { ColumnDifference, RowDifference, TableReport } from "../../validation-report.ts";
import { alignedJson } from "./aligned-json.ts";
import { changedParts, short } from "./changed-part.ts";
import { html, type Markup } from "./markup.ts";
import { count, counted } from "./wording.ts";

/** The first differing rows of each table, both sides next to each other. */
export function differences(tables: TableReport[]): Markup {
  const differing = tables.filter((table) => table.differences.length > 0);
  if (differing.length === 0) return html``;
  return html`
<section aria-labelledby="differences">
  <h2 id="differences">Rows that differ</h2>${differing.map(ofTable)}
</section>`;
}

function ofTable(table: TableReport): Markup {
  const { name, differingRows, differences: rows, complete } = table;
  const total = `${complete ? "" : "at least "}${counted(differingRows, "row")}`;
  const shown = rows.length < differingRows ? `; the first ${count(rows.length)} follow` : "";
  return html`
  <h3>${name} <span class="quiet">${total} of ${count(table.sourceRows)}${shown}</span></h3>${rows.map(
    (row) => difference(row, name),
  )}`;
}

const kinds = {
  changed: "Changed",
  missing: "Missing in TimescaleDB",
  extra: "Only in TimescaleDB",
};

function difference(row: RowDifference, table: string): Markup {
  const body = row.kind === "changed" ? changedColumns(row.columns) : oneSide(row);
  return html`
  <table class="difference ${row.kind}" role="table">
    <caption><strong>${kinds[row.kind]}</strong> <span class="hidden">row of ${table}: </span><span class="value">${row.key}</span></caption>${body}
  </table>`;
}

function changedColumns(columns: ColumnDifference[]): Markup {
  return html`
    <thead role="rowgroup"><tr role="row"><th role="columnheader" scope="col">Column</th><th role="columnheader" scope="col">SQLite</th><th role="columnheader" scope="col">TimescaleDB</th></tr></thead>
    <tbody role="rowgroup">${columns.map(({ column, source, target }) => {
      const [ours, theirs] =
        source === null || target === null
          ? [whole(source, true), whole(target, true)]
          : bothShown(source, target);
      return html`
      <tr role="row"><th role="rowheader" scope="row">${column}</th><td role="cell" class="value"><span class="side">SQLite</span>${ours}</td><td role="cell" class="value"><span class="side">TimescaleDB</span>${theirs}</td></tr>`;
    })}
    </tbody>`;
}

function bothShown(source: string, target: string): [Markup, Markup] {
  const [ours, theirs] = changedParts(...(alignedJson(source, target) ?? ([source, target] as const)));
  return [source === "" ? whole(source, true) : ours, target === "" ? whole(target, true) : theirs];
}

/** A row that is on one side only. */
function oneSide({ kind, columns }: RowDifference): Markup {
  const value = (each: ColumnDifference) => (kind === "missing" ? each.source : each.target);
  return html`
    <thead role="rowgroup"><tr role="row"><th role="columnheader" scope="col">Column</th><th role="columnheader" scope="col">${kind === "missing" ? "SQLite" : "TimescaleDB"}</th></tr></thead>
    <tbody role="rowgroup">${columns.map(
      (each) => html`
      <tr role="row"><th role="rowheader" scope="row">${each.column}</th><td role="cell" class="value">${whole(value(each), false)}</td></tr>`,
    )}
    </tbody>`;
}

/** NULL and the empty text are words that no value can be mistaken for. */
function whole(value: string | null, changed: boolean): Markup {
  const word = value === null ? "NULL" : value === "" ? "empty text" : undefined;
  const text = word === undefined ? short(Array.from(value ?? "")) : html`<em class="word">${word}</em>`;
  return changed ? html`<mark>${text}</mark>` : text;
}
