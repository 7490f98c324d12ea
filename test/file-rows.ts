import Database from "better-sqlite3";
import { quoteIdentifier } from "../loaders/identifier.ts";
import { sidecarPrefix } from "../loaders/reverse/sidecar-names.ts";

/** Every row of a SQLite file, each value with its storage class and bytes: table -> rows as texts, sorted. */
export function fileRows(path: string, left: Record<string, string[]> = {}): Record<string, string[]> {
  const file = new Database(path, { readonly: true });
  try {
    const tables = file
      .prepare(
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND sql NOT LIKE 'CREATE VIRTUAL%' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY 1",
      )
      .pluck()
      .all() as string[];
    return Object.fromEntries(
      tables
        .filter((table) => !table.startsWith(sidecarPrefix))
        .map((table) => {
          const columns = file
            .prepare("SELECT name FROM pragma_table_xinfo(?) WHERE hidden <> 1")
            .pluck()
            .all(table) as string[];
          const shown = columns
            .filter((name) => !left[table]?.includes(name))
            .map(
              (
                name,
              ) => `typeof(${quoteIdentifier(name)}) || ' ' || hex(CAST(${quoteIdentifier(name)} AS BLOB))
              || CASE typeof(${quoteIdentifier(name)}) WHEN 'real' THEN printf(' %!.17g', ${quoteIdentifier(name)}) ELSE '' END`,
            )
            .map((value, i) => `'${i}: ' || coalesce(${value}, 'null')`);
          const rows = file
            .prepare(`SELECT ${shown.join(" || ', ' || ")} FROM ${quoteIdentifier(table)} ORDER BY 1`)
            .pluck()
            .all() as string[];
          return [table, rows];
        }),
    );
  } finally {
    file.close();
  }
}

/** The schema's text and the settings that stand in the header, without what an export adds. */
export function fileSchema(path: string): unknown {
  const file = new Database(path, { readonly: true });
  try {
    const objects = file
      .prepare("SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY type, name")
      .all() as { name: string; tbl_name: string }[];
    const pragmas = [
      "application_id",
      "user_version",
      "encoding",
      "page_size",
      "journal_mode",
      "auto_vacuum",
    ];
    return [
      objects.filter(
        ({ name, tbl_name: table }) => !name.includes(sidecarPrefix) && !table.includes(sidecarPrefix),
      ),
      Object.fromEntries(pragmas.map((name) => [name, file.pragma(name, { simple: true })])),
    ];
  } finally {
    file.close();
  }
}
