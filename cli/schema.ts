import { readFileSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { Command, Option } from "commander";
import type pg from "pg";
import { connect } from "../loaders/connection.ts";
import { TimeliftError } from "../loaders/timelift-error.ts";
import { parseSections } from "../migrations/schema/section.ts";
import { diffSchemas } from "../migrations/schema-diff.ts";
import { findDrift, type SchemaDrift } from "../migrations/schema-drift.ts";
import { dumpSchema } from "../migrations/schema-dump.ts";
import { recordSchema } from "../migrations/schema-record.ts";
import type { Role } from "../stacks/services/role.ts";
import { driftText } from "./schema/drift-text.ts";
import { connectionAs } from "./stack-services.ts";

interface SchemaOptions {
  stack: string;
  json: boolean;
  /** A file, or true for what the last migration run recorded. */
  diff?: string | true;
  write?: string;
  accept: boolean;
}

/**
 * `timelift schema`: the schema of a stack's target as stable text, or how it differs from what the last migration run
 * recorded or from a file. Exit code 1 when it differs.
 */
export function schemaCommand(): Command {
  return new Command("schema")
    .description("Prints the target's schema: tables, hypertables, aggregates, policies, indexes, functions.")
    .option("-s, --stack <name>", "the stack", "dev")
    .option("--json", "JSON: the lines of each object, or the differences", false)
    .option(
      "--diff [file]",
      "what differs from the last migration run, or from a file; exit code 1 if anything",
    )
    .addOption(new Option("--write <file>", "write the text to a file").conflicts(["diff", "accept", "json"]))
    .addOption(
      new Option("--accept", "record the schema as it stands as the one that is expected")
        .default(false)
        .conflicts(["diff", "json"]),
    )
    .action(async (options: SchemaOptions) => {
      if (options.accept) return accept(options.stack);
      if (options.diff !== undefined) return showDiff(options, options.diff);
      const dump = await onTarget(options.stack, "timelift_readonly", dumpSchema);
      if (options.write !== undefined) return writeDump(options.write, dump);
      if (options.json) return printJson({ objects: objectsOf(dump) });
      process.stdout.write(dump);
    });
}

async function showDiff({ stack, json }: SchemaOptions, against: string | true): Promise<void> {
  const expected = against === true ? undefined : readDump(against);
  const drift = await onTarget(stack, "timelift_readonly", async (client): Promise<SchemaDrift> => {
    if (expected === undefined) return findDrift(client);
    return { objects: diffSchemas(expected, await dumpSchema(client)) };
  });
  const isSame = drift.objects.length === 0;
  if (!isSame) process.exitCode = 1;
  if (json) return printJson({ drift: !isSame, ...drift });
  const other = against === true ? "what the last migration run left" : against;
  if (isSame) return console.log(`no drift: the schema is ${other}`);
  console.log(`- ${other}\n+ the target of stack ${stack}\n\n${driftText(drift).join("\n")}`);
  if (against !== true) return;
  console.error(
    "\n  remedy: undo it by hand, or write it as a migration; or take it as it is: timelift schema --accept",
  );
}

async function accept(stack: string): Promise<void> {
  await onTarget(stack, "timelift_owner", recordSchema);
  console.log(`recorded: the schema of stack ${stack} as it stands is the one that is expected`);
}

async function onTarget<T>(stack: string, role: Role, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = await connect(await connectionAs(stack, role), "schema");
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

function objectsOf(dump: string): Record<string, string[]> {
  return Object.fromEntries(parseSections(dump).map(({ heading, lines }) => [heading, lines]));
}

function printJson(value: unknown): void {
  console.log(JSON.stringify(value, null, 2));
}

/** Reads a file that `--write` or a test wrote. */
function readDump(file: string): string {
  let text: string;
  try {
    text = readFileSync(resolve(file), "utf8");
  } catch (error) {
    throw unusable(file, "cannot be read", error);
  }
  if (!text.startsWith("edition ")) throw unusable(file, "is no schema that timelift wrote");
  return text;
}

function writeDump(file: string, dump: string): void {
  try {
    writeFileSync(resolve(file), dump);
  } catch (error) {
    throw unusable(file, "cannot be written", error);
  }
}

function unusable(file: string, what: string, cause?: unknown): TimeliftError {
  const why = cause instanceof Error ? ` (${cause.message})` : "";
  return new TimeliftError({
    code: "schema-file",
    subject: file,
    problem: `it ${what}${why}`,
    remedy: "name a file of timelift schema --write FILE, in a folder that exists",
    cause,
  });
}
