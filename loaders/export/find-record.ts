import type pg from "pg";
import { type LoaderDefinition, loadedEntries, sourceNameOf } from "../define-loader.ts";
import { mapColumns, type ResolvedColumn } from "../resolve-table.ts";
import { learnSpellings } from "../reverse/learn-spellings.ts";
import { hasSourceRecords, readSourceRecord } from "../reverse/recorded-source.ts";
import { readRecordedSchema, type SourceRecord } from "../reverse/source-record.ts";
import { openSource } from "../source/open-source.ts";
import { findSourceTable, readSourceSchema } from "../source/source-schema.ts";
import { readTargetTable } from "../target-table.ts";
import { TimeliftError } from "../timelift-error.ts";

/**
 * What is known of the application's file: from the file that is named, else what the last load left in the target.
 * @throws TimeliftError source-schema-unknown; as `openSource`, `readTargetTable`
 */
export async function findRecord(
  client: pg.ClientBase,
  workload: string,
  loader: LoaderDefinition,
  schemaFrom: string | undefined,
): Promise<SourceRecord> {
  if (schemaFrom !== undefined) return recordOfFile(client, loader, schemaFrom);
  const record = (await hasSourceRecords(client)) ? await readSourceRecord(client, workload) : undefined;
  if (record !== undefined) return record;
  throw new TimeliftError({
    code: "source-schema-unknown",
    subject: `workload ${workload}`,
    problem:
      "the target does not know the application's schema: no load was completed, or an earlier version made it.",
    remedy:
      "Name a SQLite file of the application, an empty one will do: --schema-from app.db. The next load keeps the schema.",
  });
}

async function recordOfFile(
  client: pg.ClientBase,
  loader: LoaderDefinition,
  path: string,
): Promise<SourceRecord> {
  const source = openSource(path);
  try {
    const schema = readSourceSchema(source);
    const spellings: SourceRecord["spellings"] = {};
    for (const [name, definition] of loadedEntries(loader)) {
      const table = findSourceTable(schema, sourceNameOf(name, definition));
      const target = await readTargetTable(client, name);
      const columns = mapColumns(definition, table).flatMap((pair): ResolvedColumn[] => {
        const column = target.columns.find((each) => each.name === pair.target);
        if (!column?.type) return [];
        return [{ ...pair, type: column.type, typeText: column.typeText, nullable: column.nullable }];
      });
      spellings[name] = learnSpellings(source, { source: table, columns, where: definition.where ?? null });
    }
    return { fingerprint: "", schema: readRecordedSchema(source), spellings };
  } finally {
    source.close();
  }
}
