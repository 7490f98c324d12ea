import Database from "better-sqlite3";

/** A database on disk that is gone when it is closed: what does not fit into memory goes there. */
export function openScratch(schema: string): Database.Database {
  const scratch = new Database("");
  scratch.defaultSafeIntegers(true);
  scratch.exec(`PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; ${schema}; BEGIN`);
  return scratch;
}
