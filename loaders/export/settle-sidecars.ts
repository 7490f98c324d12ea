import type Database from "better-sqlite3";
import { quoteIdentifier } from "../identifier.ts";
import type { ReverseColumn, ReverseSource } from "../reverse/reverse-plan.ts";
import {
  exactName,
  mergedColumn,
  refusedName,
  rowidColumn,
  sidecarName,
  wholeName,
} from "../reverse/sidecar-names.ts";
import { quickExpression } from "../source/lookup.ts";
import type { FilledMain } from "./fill-source.ts";
import { type MergedSide, mergeRule } from "./merge-side.ts";
import { literal } from "./sidecar.ts";

/** What was kept beside the application's tables. */
export interface Kept {
  /** The target table. */
  table: string;
  /** The table of the file that keeps it. */
  sidecar: string;
  rows: number;
  why: string;
}

/** Takes out of a main table's sidecar what the next load works out by itself, and says what is left. */
export function settleMain(database: Database.Database, main: FilledMain): Kept[] {
  const { table, source, link, refused } = main;
  const { target, extras, definition } = table;
  const sidecar = sidecarName(target.name);
  const own = quoteIdentifier(source.source.name);
  const derived = extras.filter(({ natural }) => natural !== null);
  const joined = joinOf(main);
  if (derived.length > 0) {
    const same = derived.map(
      (column) => `${quickNatural(database, column)} IS ${sideValue(sidecar, column, joined)}`,
    );
    const keys =
      link.length === 0
        ? [`${own}.${source.source.rowid}`]
        : link.map((each) => `${own}.${quoteIdentifier(each.source)}`);
    const found = link.length === 0 ? [rowidColumn] : link.map((each) => quoteIdentifier(each.target));
    database.exec(`
      DELETE FROM ${quoteIdentifier(sidecar)}
      WHERE rowid NOT IN (SELECT row FROM ${main.apart})
        AND (${found.join(", ")}) IN (SELECT ${keys.join(", ")} FROM ${own} WHERE ${same.join(" AND ")})`);
  }
  const kept: Kept[] = [];
  if (extras.length > 0) {
    const rows = countRows(database, quoteIdentifier(sidecar));
    if (rows === 0) database.exec(`DROP TABLE ${quoteIdentifier(sidecar)}`);
    else {
      const names = extras.map((column) => column.target).join(", ");
      kept.push({
        table: target.name,
        sidecar,
        rows,
        why: `values of ${names} that the source has no column for`,
      });
    }
  }
  if (refused > 0) {
    const why = "rows that a constraint of the application's table refuses";
    kept.push({ table: target.name, sidecar: refusedName(target.name), rows: refused, why });
  }
  if (main.inexact > 0) {
    const why = "rows with a minus zero, which SQLite keeps as zero";
    kept.push({ table: target.name, sidecar: exactName(target.name), rows: main.inexact, why });
  }
  const outside =
    definition.where !== undefined && source.mains.length === 1
      ? countRows(database, `${own} WHERE (${definition.where}) IS NOT TRUE`)
      : 0;
  if (kept.length > 0 || outside > 0) showWhole(database, main, { kept, outside });
  return kept;
}

/** Takes out of a side's sidecar what the next load makes of the application's row by itself. */
export function settleSide(database: Database.Database, source: ReverseSource, side: MergedSide): Kept[] {
  const { table, link, apart, rows } = side;
  const { target, columns, extras, definition } = table;
  const sidecar = quoteIdentifier(sidecarName(target.name));
  const own = quoteIdentifier(source.source.name);
  const all = [...columns, ...extras].filter(({ dropped }) => !dropped);
  const where = definition.where === undefined ? "" : `(${definition.where}) AND `;
  const key = (name: string) => `${own}.${quoteIdentifier(name)}`;
  const natural = all.map((column) => naturalOf(column, side));
  let isWhole = true;
  if (link.length > 0 && !natural.includes(null)) {
    const pairs = all.map(
      (column, i) => `${quickNatural(database, column, natural[i] as string)} AS ${quoteIdentifier(`n${i}`)}`,
    );
    const keys = link.map(({ source: name }, i) => `${key(name)} AS ${quoteIdentifier(`k${i}`)}`);
    const found = link.map(({ target: name }, i) => `made.k${i} IS side.${quoteIdentifier(name)}`);
    const same = all.map((column, i) => `made.n${i} IS side.${quoteIdentifier(column.target)}`);
    const gone = `temp.${quoteIdentifier(`made_${target.name}`)}`;
    database.exec(`
      CREATE TABLE ${gone} AS SELECT side.rowid AS row FROM ${sidecar} AS side
      JOIN (SELECT ${[...keys, ...pairs].join(", ")} FROM ${own}${where && ` WHERE ${where.slice(0, -5)}`}) AS made
        ON ${[...found, ...same].join(" AND ")}
      WHERE side.${mergedColumn} = 1 AND side.rowid NOT IN (SELECT row FROM ${apart})`);
    // What the loader makes of the application's rows must be these rows and no others.
    const replaced = `EXISTS (SELECT 1 ${mergeRule(side, key)} AND side.rowid NOT IN (SELECT row FROM ${gone}))`;
    isWhole = countRows(database, `${own} WHERE ${where}NOT ${replaced}`) !== countRows(database, gone);
    if (!isWhole) database.exec(`DELETE FROM ${sidecar} WHERE rowid IN (SELECT row FROM ${gone})`);
  }
  const left = countRows(database, sidecar);
  if (left === 0 && (!isWhole || rows === 0)) {
    database.exec(`DROP TABLE ${sidecar}`);
    return [];
  }
  const kept = all.map((column) => quoteIdentifier(column.target)).join(", ");
  const made = `SELECT ${all.map((column, i) => `${natural[i]} AS ${quoteIdentifier(column.target)}`).join(", ")} FROM ${own}
    WHERE ${where}NOT EXISTS (SELECT 1 ${mergeRule(side, key)}) UNION ALL `;
  database.exec(
    `CREATE VIEW ${quoteIdentifier(wholeName(target.name))} AS ${isWhole ? "" : made}SELECT ${kept} FROM ${sidecar}`,
  );
  return [
    {
      ...{ table: target.name, sidecar: sidecarName(target.name), rows: left },
      why: `rows that ${source.source.name} cannot say by itself`,
    },
  ];
}

/** Shows a main table's rows with all that is kept beside them. */
function showWhole(
  database: Database.Database,
  main: FilledMain,
  { kept, outside }: { kept: Kept[]; outside: number },
): void {
  const { table, source, defaults, refused, inexact } = main;
  const { target, columns, extras, definition } = table;
  const own = quoteIdentifier(source.source.name);
  const sidecar = sidecarName(target.name);
  const hasSidecar = kept.some((each) => each.sidecar === sidecar);
  const joined = joinOf(main);
  const values = [
    ...columns
      .filter(({ dropped }) => !dropped)
      .map(
        ({ source: from, target: to }) =>
          `${own}.${quoteIdentifier(from as string)} AS ${quoteIdentifier(to)}`,
      ),
    ...extras.map((column) => {
      const standard = column.natural?.expression ?? literal(defaults.get(column.target) ?? null);
      const value = hasSidecar
        ? `CASE WHEN EXISTS (SELECT 1 FROM ${quoteIdentifier(sidecar)} AS side WHERE ${joined}) THEN ${sideValue(sidecar, column, joined)} ELSE ${standard} END`
        : standard;
      return `${value} AS ${quoteIdentifier(column.target)}`;
    }),
  ];
  const conditions = [
    ...(definition.where === undefined || outside > 0 ? [] : [`(${definition.where})`]),
    ...(inexact > 0
      ? [`NOT EXISTS (SELECT 1 FROM ${quoteIdentifier(exactName(target.name))} AS side WHERE ${joined})`]
      : []),
  ];
  const where = conditions.length === 0 ? "" : ` WHERE ${conditions.join(" AND ")}`;
  const names = [...columns, ...extras]
    .filter(({ dropped }) => !dropped)
    .map((column) => quoteIdentifier(column.target))
    .join(", ");
  const others = [
    ...(refused > 0 ? [refusedName(target.name)] : []),
    ...(inexact > 0 ? [exactName(target.name)] : []),
  ].map((name) => ` UNION ALL SELECT ${names} FROM ${quoteIdentifier(name)}`);
  database.exec(
    `CREATE VIEW ${quoteIdentifier(wholeName(target.name))} AS SELECT ${values.join(", ")} FROM ${own}${where}${others.join("")}`,
  );
}

/** How a row of a main's sidecar finds the application's row. */
function joinOf({ source, link }: FilledMain): string {
  const own = quoteIdentifier(source.source.name);
  if (link.length === 0) return `side.${rowidColumn} = ${own}.${source.source.rowid}`;
  return link
    .map((each) => `side.${quoteIdentifier(each.target)} IS ${own}.${quoteIdentifier(each.source)}`)
    .join(" AND ");
}

function sideValue(sidecar: string, column: ReverseColumn, joined: string): string {
  return `(SELECT side.${quoteIdentifier(column.target)} FROM ${quoteIdentifier(sidecar)} AS side WHERE ${joined})`;
}

/** What a load would make of the application's row for a column of a side; null where that cannot be said. */
function naturalOf(column: ReverseColumn, { defaults }: MergedSide): string | null {
  if (column.source !== null) return quoteIdentifier(column.source);
  if (column.natural !== null) return column.natural.expression;
  const standard = defaults.get(column.target);
  return standard === undefined ? null : literal(standard);
}

/** What a load works out, for a statement over many rows; `plain` where it works out nothing. */
function quickNatural(database: Database.Database, { natural }: ReverseColumn, plain = "NULL"): string {
  return natural === null ? plain : quickExpression(database, natural);
}

function countRows(database: Database.Database, from: string): number {
  return Number(database.prepare(`SELECT count(*) FROM ${from}`).pluck().get());
}
