import { closeSync, existsSync, fsyncSync, openSync, renameSync, rmSync } from "node:fs";
import { dirname } from "node:path";
import Database from "better-sqlite3";
import type { RecordedSchema, SchemaObject } from "../reverse/source-record.ts";
import { TimeliftError } from "../timelift-error.ts";

/** Rows of one transaction; pages that it changes are kept in memory until it ends. */
const rowsATransaction = 50_000;
const cacheKib = 64 * 1024;

/** A SQLite file while it is written: under a name of its own, so that a file of the wanted name is always complete. */
export class ExportFile {
  readonly path: string;
  readonly draft: string;
  readonly #schema: RecordedSchema;
  #database: Database.Database | undefined;
  #pending = 0;
  #isOwn = false;

  /** @throws TimeliftError export-file-exists, export-running, export-unwritable */
  constructor(path: string, schema: RecordedSchema, { force }: { force: boolean }) {
    this.path = path;
    this.draft = `${path}.part`;
    this.#schema = schema;
    if (existsSync(path) && !force) {
      throw new TimeliftError({
        code: "export-file-exists",
        subject: path,
        problem: "there is a file of that name, and an export overwrites none.",
        remedy: "Choose another name, or add --force: the file is replaced when the new one is complete.",
      });
    }
  }

  /** The open database. */
  get database(): Database.Database {
    if (this.#database === undefined) throw new Error("the file is not open");
    return this.#database;
  }

  /** Begins anew, with tables but nothing else. Returns what could not be made, with the reason. */
  begin(): string[] {
    this.#requireAlone();
    this.#isOwn = true;
    this.discard();
    const { encoding, pageSize, autoVacuum, applicationId, userVersion } = this.#schema;
    try {
      this.#database = new Database(this.draft);
      const { database } = this;
      database.defaultSafeIntegers(true);
      for (const pragma of [
        ...[`page_size = ${pageSize}`, `encoding = '${encoding}'`, `auto_vacuum = ${autoVacuum}`],
        ...["locking_mode = EXCLUSIVE", "journal_mode = MEMORY", "synchronous = OFF", "foreign_keys = OFF"],
        ...[`cache_size = -${cacheKib}`, "temp_store = FILE"],
        ...[`application_id = ${applicationId}`, `user_version = ${userVersion}`],
      ]) {
        database.pragma(pragma);
      }
    } catch (error) {
      throw fileError(this.draft, error);
    }
    return this.#make(({ type }) => type === "table");
  }

  /** Makes the application's indexes, then views and triggers, which no row of ours may set off. */
  finishSchema(): string[] {
    this.settle();
    const left = [
      ...this.#make(({ type }) => type === "index"),
      ...this.#make(({ type }) => type === "view"),
      ...this.#make(({ type }) => type === "trigger"),
    ];
    this.#setSequences();
    return left;
  }

  /** Opens the transaction that the next row belongs to; it ends after many. */
  ready(): void {
    if (this.#pending >= rowsATransaction) this.settle();
    if (!this.database.inTransaction) this.database.exec("BEGIN");
    this.#pending += 1;
  }

  /** Commits what is written. */
  settle(): void {
    if (this.database.inTransaction) this.database.exec("COMMIT");
    this.#pending = 0;
  }

  /** Closes the database; every byte is on disk afterwards. */
  close(): void {
    this.settle();
    this.database.close();
    this.#database = undefined;
    sync(this.draft);
  }

  /** Gives the file its journal mode, then its name. */
  publish(): void {
    const database = new Database(this.draft);
    database.pragma(`journal_mode = ${this.#schema.journalMode === "wal" ? "WAL" : "DELETE"}`);
    database.close();
    sync(this.draft);
    for (const suffix of ["-wal", "-shm", "-journal"]) rmSync(this.path + suffix, { force: true });
    renameSync(this.draft, this.path);
    sync(dirname(this.path));
  }

  /** Removes what was written; not what another export writes. */
  discard(): void {
    if (!this.#isOwn) return;
    this.#database?.close();
    this.#database = undefined;
    for (const suffix of ["", "-wal", "-shm", "-journal"]) rmSync(this.draft + suffix, { force: true });
  }

  #make(wanted: (object: SchemaObject) => boolean): string[] {
    const failed: string[] = [];
    for (const object of this.#schema.objects.filter(wanted)) {
      try {
        this.database.exec(object.sql);
      } catch (error) {
        if ((error as { code?: string }).code !== "SQLITE_ERROR") throw fileError(this.draft, error);
        failed.push(`${object.type} ${object.name} could not be made: ${(error as Error).message}`);
      }
    }
    return failed;
  }

  /** An AUTOINCREMENT never gives an id again that the source gave. */
  #setSequences(): void {
    const { database } = this;
    for (const [name, last] of Object.entries(this.#schema.sequences)) {
      const { changes } = database
        .prepare("UPDATE sqlite_sequence SET seq = max(seq, ?) WHERE name = ?")
        .run(BigInt(last), name);
      if (changes === 0)
        database.prepare("INSERT INTO sqlite_sequence VALUES (?, ?)").run(name, BigInt(last));
    }
  }

  /** A draft that a killed export left is of no use; one that is being written is locked. */
  #requireAlone(): void {
    if (!existsSync(this.draft)) return;
    let database: Database.Database | undefined;
    try {
      database = new Database(this.draft, { timeout: 0 });
      database.exec("BEGIN EXCLUSIVE");
    } catch (error) {
      if (!String((error as { code?: string }).code).startsWith("SQLITE_BUSY")) return;
      throw new TimeliftError({
        code: "export-running",
        subject: this.draft,
        problem: "another export writes it.",
        remedy: "Wait for it, or choose another name.",
      });
    } finally {
      database?.close();
    }
  }
}

function sync(path: string): void {
  const file = openSync(path, "r");
  fsyncSync(file);
  closeSync(file);
}

/** What went wrong with a file that is written, as users can act on it. */
export function fileError(path: string, error: unknown): unknown {
  const { code = "", message } = error as { code?: string; message: string };
  if (error instanceof TimeliftError) return error;
  if (code === "SQLITE_FULL" || code === "ENOSPC") {
    return new TimeliftError({
      code: "export-disk-full",
      subject: path,
      problem: "the disk is full.",
      remedy: "Make room, or write to another disk; what was written is removed.",
      cause: error,
    });
  }
  if (!/^SQLITE_(CANTOPEN|IOERR|READONLY|PERM)/.test(code) && !/directory does not exist/.test(message))
    return error;
  return new TimeliftError({
    code: "export-unwritable",
    subject: path,
    problem: `it cannot be written: ${message}.`,
    remedy: "Name a file in a folder that exists and that you may write.",
    cause: error,
  });
}
