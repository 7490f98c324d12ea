import { type Interval, intervalText } from "../../migrations/interval.ts";
import { retentionAge } from "../../migrations/objects/retention.ts";
import { isFilesVolume } from "../../stacks/platforms/docker/volume-names.ts";
import { code, listOf } from "./markdown.ts";
import {
  databaseOf,
  migrationChanges,
  type ObjectChange,
  objectChanges,
  stands,
} from "./migration-changes.ts";
import { compare, ownKind, type ResourceStep, stepsOfKind } from "./resource-step.ts";
import { rowChanges } from "./row-changes.ts";

/** Resources of other providers that hold data. */
const dataTypes = /^docker:index\/volume:Volume$|^postgresql:index\/(database:Database|schema:Schema)$/;
const holdsData = ({ type, name }: ResourceStep) =>
  dataTypes.test(type) && !(type.startsWith("docker:") && isFilesVolume(name));

/**
 * What of a preview takes something away that no later update brings back, or that lets one do so: a line of Markdown
 * each, the worst first.
 */
export function destructiveSteps(steps: ResourceStep[]): string[] {
  return [
    ...dataLosses(steps),
    ...replacedServices(steps),
    ...migrationSteps(steps),
    ...emptiedTables(steps),
    ...retentions(steps),
    ...objects(steps),
    ...otherDatabase(steps),
    ...allowances(steps),
  ];
}

/** What takes a whole data volume away; a protected stack refuses it. */
export function dataLosses(steps: ResourceStep[]): string[] {
  return steps.filter(isGone).flatMap((step) => {
    const { type, name, before = {}, outputs, retained } = step;
    const ownData = ownKind(step) === "NativeService" && (outputs.dropData ?? before.dropData) === true;
    if (ownData) {
      return [`Service ${code(name)} is ${gone(step)}, and its data with it (${code("dropData")}).`];
    }
    return holdsData(step) && !retained
      ? [`${code(`${type.split(":").at(-1)} ${name}`)} is ${gone(step)}, and what is in it with it.`]
      : [];
  });
}

/** An interrupted stop or another start; what the service keeps stays, the passwords do not. */
function replacedServices(steps: ResourceStep[]): string[] {
  return steps.filter(isGone).flatMap((step) => {
    const { name, before = {}, outputs } = step;
    const kind = ownKind(step);
    if (kind === "Credentials") {
      return [`The passwords are ${gone(step)}: every client needs new ones.`];
    }
    const keeps = kind === "NativeService" && (outputs.dropData ?? before.dropData) !== true;
    return keeps ? [`Service ${code(name)} is ${gone(step)}; its data stays.`] : [];
  });
}

const isGone = ({ op }: ResourceStep) =>
  op === "delete" || op === "replace" || op === "delete-replaced" || op === "create-replacement";
const gone = ({ op }: ResourceStep) => (op === "delete" ? "deleted" : "replaced");

function migrationSteps(steps: ResourceStep[]): string[] {
  const plan = (stepsOfKind(steps, "SqliteLoad")[0]?.before?.plan ?? {}) as Record<string, string>;
  const dropRows = stepsOfKind(steps, "Migrations").some(({ after }) => after?.dropRows === true);
  return migrationChanges(steps).flatMap(({ name, direction, losses }) => {
    if (direction === "up") {
      return losses.map((loss) => `Migration ${code(name)} runs ${code(loss)}.`);
    }
    if (losses.length === 0) return [`Migration ${code(name)} goes down.`];
    const what = losses.map((loss) => {
      const rows = /^[\d,]+ rows?/.exec(plan[loss.replace(/^DROP TABLE /, "")] ?? "")?.[0];
      return rows && rows !== "0 rows" ? `${code(loss)} (${rows} at the last load)` : code(loss);
    });
    const unless = dropRows ? "rows or not" : "refused while it holds rows";
    return [`Migration ${code(name)} goes down and runs ${listOf(what)}: ${unless} (${code("dropRows")}).`];
  });
}

function emptiedTables(steps: ResourceStep[]): string[] {
  return (rowChanges(steps)?.tables ?? [])
    .filter(({ emptied }) => emptied)
    .map(({ table }) => `Every row of ${code(table)} goes: the source has none left.`);
}

function retentions(steps: ResourceStep[]): string[] {
  if (!isDeployed(steps)) return [];
  return objectChanges(steps).flatMap(({ object, was = "", becomes = "" }) => {
    const [, table] = /^retention (.+)$/.exec(object) ?? [];
    const [before, after] = [retentionAge(was), retentionAge(becomes)];
    if (table === undefined || after === undefined) return [];
    const age = intervalText(after);
    if (before === undefined) {
      return [`Retention of ${code(table)} starts: rows older than ${age} are dropped.`];
    }
    return daysOf(after) < daysOf(before)
      ? [
          `Retention of ${code(table)} shortens from ${intervalText(before)} to ${age}: rows between are dropped.`,
        ]
      : [];
  });
}

/** Kinds that keep something of their own; a policy or a job is a setting. */
const keepers = /^(continuous aggregate|columnstore|guard|reference) (?!policy )(.+)$/;

function objects(steps: ResourceStep[]): string[] {
  return objectChanges(steps).flatMap((change) => {
    const [, kind = "", name = ""] = keepers.exec(change.object) ?? [];
    const goes = change.madeAnew || !stands(change.becomes);
    if (name === "" || !stands(change.was) || !goes) return [];
    const how = whatBecomes(change);
    return [`${kind.charAt(0).toUpperCase()}${kind.slice(1)} ${code(name)} is dropped${how}.`];
  });
}

function whatBecomes({ becomes, goesWithMigration }: ObjectChange): string {
  if (stands(becomes)) return " and made anew";
  return goesWithMigration ? " with its migration" : "";
}

function otherDatabase(steps: ResourceStep[]): string[] {
  const lines = stepsOfKind(steps, "Migrations").flatMap(({ before, after }) => {
    const [was, becomes] = [databaseOf(before), databaseOf(after)];
    if (was === undefined || becomes === undefined || was === becomes) return [];
    const old = `${code(was)} is kept up to date no more`;
    return [
      `The target database changes from ${code(was)} to ${code(becomes)}: all is loaded anew, and ${old}.`,
    ];
  });
  return [...new Set(lines)];
}

/** What takes nothing away now, and lets a later step do so. */
function allowances(steps: ResourceStep[]): string[] {
  const turned = (key: string, to: boolean) =>
    steps
      .filter(({ before, after }) => before && after?.[key] === to && (before[key] ?? false) === !to)
      .map(({ name }) => code(name))
      .sort(compare);
  const [data, rows, open] = [turned("dropData", true), turned("dropRows", true), turned("protect", false)];
  const lines = [
    data.length > 0 &&
      `${code("dropData")} is turned on: from then on a destroy deletes the data of ${listOf(data)}.`,
    rows.length > 0 && `${code("dropRows")} is turned on: a migration that goes down drops tables with rows.`,
    open.length > 0 && `${code("protect")} is turned off: the stack is protected no more.`,
  ];
  return lines.filter((line) => line !== false);
}

const isDeployed = (steps: ResourceStep[]) =>
  stepsOfKind(steps, "Migrations").some(({ outputs }) => outputs.applied !== undefined);

const days = { minute: 1 / 1440, hour: 1 / 24, day: 1, week: 7, month: 365.25 / 12, year: 365.25 } as const;
const daysOf = ({ amount, unit }: Interval) => amount * days[unit];
