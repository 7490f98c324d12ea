import { type ChangePlan, exitCodeOf, verdictOf } from "./change-plan.ts";
import { type Block, commentLimit, fitted } from "./comment-size.ts";
import { code, codeBlock, counted, details, listOf, table, words } from "./markdown.ts";
import type { MigrationChange } from "./migration-changes.ts";
import { ownKind, type ResourceStep } from "./resource-step.ts";

/** SQL of more lines is folded. */
const openLines = 25;
/** Where a whole list has no room, so much of it is shown. */
const shortList = 40;

/** The line by which a job finds the comment that it wrote for a stack before. */
export const markerOf = (stack: string) => `<!-- timelift preview: ${stack} -->`;

/**
 * A plan as a Markdown comment: the verdict, what is destructive, then the rest by what it is about. The same plan gives
 * the same text; no time, duration or path of a machine is in it.
 *
 * @param limit characters at most
 */
export function renderComment(plan: ChangePlan, limit = commentLimit): string {
  return fitted(
    [
      { text: `${markerOf(plan.stack)}\n### Preview of ${code(plan.stack)}: ${verdictOf(plan)}` },
      ...summary(plan),
      ...plan.errors.map((error) => ({ text: codeBlock("text", error.split("\n")) })),
      ...destructive(plan.destructive),
      ...section("Migrations", plan.migrations.map(migration)),
      ...section("Objects", objects(plan)),
      ...section("Rows", rows(plan)),
      ...section("Settings", settings(plan)),
      ...section("Schema drift", drift(plan.drift)),
      ...resources(plan),
    ],
    limit,
  );
}

function summary(plan: ChangePlan): Block[] {
  const { migrations, rows: load, changing } = plan;
  if (exitCodeOf(plan) === 1) return [];
  const number = (direction: string) => migrations.filter((each) => each.direction === direction).length;
  const kinds = (op: string) => changing.filter((step) => step.op === op).length;
  const services = changing.filter((step) => ownKind(step) === "NativeService" && startsIt(step));
  const tables = load?.tables.length ?? 0;
  const parts = [
    kinds("create") > 0 && `${counted(kinds("create"), "resource")} to create`,
    number("down") > 0 && `${counted(number("down"), "migration")} down`,
    number("up") > 0 && `${counted(number("up"), "migration")} up`,
    tables > 0 && `rows of ${counted(tables, "table")}`,
    services.length > 0 && `${listOf(services.map(({ name }) => code(name)))} to start`,
    changing.some((step) => ownKind(step) === "Validation") && "validation runs again",
  ].filter((part) => part !== false);
  const text = parts.join("; ");
  return text === "" ? [] : [{ text: `${text.charAt(0).toUpperCase()}${text.slice(1)}.` }];
}

function section(title: string, blocks: Block[]): Block[] {
  const [first, ...rest] = blocks;
  if (first === undefined) return [];
  const { text, short } = first;
  const head = `#### ${title}\n\n`;
  return [{ text: head + text, ...(short !== undefined && { short: head + short }) }, ...rest];
}

function destructive(lines: string[]): Block[] {
  if (lines.length === 0) return [];
  const quoted = (shown: string[]) =>
    ["> [!CAUTION]", "> **Destructive**", ">", ...shown.map((line) => `> - ${line}`)].join("\n");
  const more = `… ${counted(lines.length - shortList, "more step")}`;
  return [{ text: quoted(lines), short: quoted([...lines.slice(0, shortList), more]) }];
}

function migration({ name, direction, sql, losses }: MigrationChange): Block {
  const warning = losses.length > 0 ? ` ⚠️ ${listOf(losses.map(code))}` : "";
  const title = `**${direction}** ${code(name)}${warning}`;
  if (sql.length === 0) return { text: `${title}: no SQL of its own` };
  const lines = counted(sql.length, "line");
  const block = codeBlock("sql", sql);
  const shown = sql.length > openLines ? details(`${lines} of SQL`, block) : block;
  return { text: `${title}\n\n${shown}`, short: `${title}: ${lines} of SQL` };
}

function objects({ objects: changes }: ChangePlan): Block[] {
  const gone = (withMigration: boolean) => (withMigration ? "dropped with its migration" : "dropped");
  const lines = changes.map(({ object, was, becomes, goesWithMigration, madeAnew }) => [
    code(object),
    was === undefined ? "–" : words(was),
    becomes === undefined
      ? gone(goesWithMigration)
      : `${words(becomes)}${madeAnew ? "; dropped and made anew" : ""}`,
  ]);
  return listed(["object", "was", "becomes"], lines);
}

function rows({ rows: load }: ChangePlan): Block[] {
  if (load === undefined) return [];
  const { tables, of, note, notLoaded } = load;
  const lines = tables.map(({ table: name, rows: count, change }) => [code(name), count, words(change)]);
  const others = of - tables.length;
  const names = notLoaded.map(({ table: name, known }) => (known ? code(name) : `${code(name)} (new)`));
  const notes = [
    tables.length > 0 && others > 0 && `${counted(others, "other table")} unchanged.`,
    note !== undefined && note,
    names.length > 0 && `Source tables that are not loaded: ${listOf(names)}.`,
  ].filter((line) => line !== false);
  return [...listed(["table", "rows in the source", "to load"], lines), ...notes.map((text) => ({ text }))];
}

function settings({ settings: changes }: ChangePlan): Block[] {
  const value = (text: string) => (text === "" ? "–" : code(text));
  const short = changes
    .filter(({ lines }) => lines === undefined)
    .map(({ setting, was, becomes, of }) => [
      code(setting),
      value(was),
      value(becomes),
      of.map(code).join(", "),
    ]);
  const texts = changes.flatMap(({ setting, of, lines }) =>
    lines === undefined
      ? []
      : [
          {
            text: details(`${setting} of ${of.join(", ")}`, codeBlock("diff", lines)),
            short: `${code(setting)} of ${of.map(code).join(", ")}: ${counted(lines.length, "line")} differ`,
          },
        ],
  );
  return [...listed(["setting", "was", "becomes", "of"], short), ...texts];
}

/** `lines` as a preview prints them: a heading with lines below it, or one line that says why there are none. */
function drift([first = "", ...lines]: string[]): Block[] {
  if (first === "") return [];
  if (lines.length === 0) return [{ text: words(first.replace(/^Schema drift: /, "")) }];
  const found = lines.map((line) => line.replace(/^ {2}/, ""));
  const what = "Changed by other hands since the last migration run:";
  return [
    {
      text: `${what}\n\n${codeBlock("diff", found)}`,
      short: `${what} ${counted(found.length, "line")}, which ${code("timelift schema --diff")} shows`,
    },
  ];
}

function resources({ changing, resources: all }: ChangePlan): Block[] {
  if (changing.length === 0) return [];
  const title = `${counted(changing.length, "change")} among ${counted(all, "resource")}`;
  const lines = changing.map((step) => [
    code(step.name),
    ownKind(step) ?? code(step.type),
    isDown(step) ? "not running; up starts it again" : step.op,
  ]);
  return listed(["resource", "kind", "change"], lines).map(({ text, short }) => ({
    text: details(title, text),
    ...(short !== undefined && { short: details(title, short) }),
  }));
}

const startsIt = (step: ResourceStep) => step.op === "create" || isDown(step);
const isDown = ({ op, after }: ResourceStep) =>
  op === "update" && String(after?.process ?? "").startsWith("not running");

function listed(head: string[], lines: string[][]): Block[] {
  if (lines.length === 0) return [];
  const more = [`… ${lines.length - shortList} more`, ...head.slice(1).map(() => "")];
  const text = table(head, lines);
  return [
    { text, short: lines.length > shortList ? table(head, [...lines.slice(0, shortList), more]) : text },
  ];
}
