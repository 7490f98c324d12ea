import { isDeepStrictEqual } from "node:util";
import type pg from "pg";
import { objectFailure } from "./migration-error.ts";
import type { Phase } from "./migration-files.ts";
import type { AskedStatement, Surroundings, TimescaleObject } from "./objects/object.ts";
import { describeRealisation, type Realisation, stepsOf, titleOf } from "./objects/realise.ts";
import {
  forgetSql,
  type Realised,
  readRealised,
  rememberHowSql,
  rememberSettled,
  rememberSql,
} from "./realised.ts";
import { shortStatement } from "./statement-client.ts";

/** An object that should be there, with the migration that declares it. */
export interface WantedObject {
  migration: string;
  /** Its place within the migration. */
  position: number;
  realisation: Realisation;
}

/** What an object keeper works on. */
export interface ObjectKeeperArgs {
  phase: Phase;
  around: Surroundings;
  log: (line: string) => void;
}

/**
 * Keeps the objects of one phase as they are declared, apart from the history of migrations: another edition or another
 * setting makes them anew, and an interrupted run is finished by the next.
 */
export class ObjectKeeper {
  readonly #client: pg.Client;
  readonly #phase: Phase;
  readonly #around: Surroundings;
  readonly #log: (line: string) => void;

  constructor(client: pg.Client, { phase, around, log }: ObjectKeeperArgs) {
    this.#client = client;
    this.#phase = phase;
    this.#around = around;
    this.#log = log;
  }

  /** Makes a migration's objects ready to be dropped; returns the SQL that does it, last object first. */
  async leave(migration: string): Promise<string[]> {
    const recorded = (await readRealised(this.#client, this.#phase)).filter(
      (each) => each.migration === migration,
    );
    const drops: string[] = [];
    for (const each of recorded.reverse()) {
      const { leave = [], drop } = stepsOf(each.object, each.as, this.#around);
      for (const sql of leave) await this.#run(each, sql);
      drops.push(...drop, forgetSql(each.object));
    }
    return drops;
  }

  /** Does what follows the commit of the migrations that stand, where that was not done. */
  async settle(wanted: WantedObject[], refresh = false): Promise<void> {
    const recorded = await readRealised(this.#client, this.#phase);
    for (const { realisation, migration } of wanted) {
      const { object } = realisation;
      const known = recorded.find((each) => isSame(each.object, object));
      if (known === undefined) continue;
      const steps = known.settled
        ? refresh && (await this.#asked(realisation.refresh ?? []))
        : (realisation.settle ?? []);
      const started = performance.now();
      for (const sql of steps || []) await this.#run({ object, migration }, sql);
      if (!known.settled) await rememberSettled(this.#client, object);
      if (steps && steps.length > 0) {
        this.#log(`${titleOf(object)}: in line (${Math.round(performance.now() - started)} ms)`);
      }
    }
  }

  /** Drops what is no longer wanted as it is, makes what is missing, settles it, and refreshes the aggregates. */
  async reconcile(wanted: WantedObject[]): Promise<void> {
    const recorded = await readRealised(this.#client, this.#phase);
    const stale = withDependents(
      recorded.filter((each) => !wanted.some(({ realisation }) => stands(each, realisation))),
      recorded,
    );
    for (const each of recorded.filter((known) => stale.has(known)).reverse()) {
      const { leave = [], drop } = stepsOf(each.object, each.as, this.#around);
      for (const sql of leave) await this.#run(each, sql);
      await this.#transaction(each, [...drop, forgetSql(each.object)]);
      this.#log(`${titleOf(each.object)}: was ${describe(each)}`);
    }
    const kept = recorded.filter((known) => !stale.has(known));
    for (const { realisation, migration, position } of wanted) {
      const { object, create, adjust = [], how, reason = null } = realisation;
      const known = kept.find((each) => isSame(each.object, object));
      if (known !== undefined) {
        if (known.how === how && known.reason === reason) continue;
        await this.#transaction(known, [...adjust, rememberHowSql(realisation)]);
        this.#log(`${titleOf(object)}: now ${describeRealisation(realisation)}`);
        continue;
      }
      const at = { phase: this.#phase, migration, position, edition: this.#around.edition };
      await this.#transaction({ object, migration }, [...create, rememberSql(realisation, at)]);
      this.#log(`${titleOf(object)}: now ${describeRealisation(realisation)}`);
    }
    await this.settle(wanted, true);
  }

  /** Title -> what each object of the phase is. */
  async describe(): Promise<Record<string, string>> {
    const recorded = await readRealised(this.#client, this.#phase);
    return Object.fromEntries(recorded.map((each) => [titleOf(each.object), describe(each)]));
  }

  async #asked(statements: AskedStatement[]): Promise<string[]> {
    const complete: string[] = [];
    for (const { ask, sql } of statements) {
      const { rows } = await this.#client.query<[string | null]>({ text: ask, rowMode: "array" });
      complete.push(sql(rows[0]?.[0] ?? null));
    }
    return complete;
  }

  async #transaction(of: Pick<Realised, "object" | "migration">, statements: string[]): Promise<void> {
    await this.#client.query("BEGIN");
    try {
      for (const sql of statements) await this.#run(of, sql);
      await this.#client.query("COMMIT");
    } catch (error) {
      await this.#client.query("ROLLBACK");
      throw error;
    }
  }

  async #run({ object, migration }: Pick<Realised, "object" | "migration">, sql: string): Promise<void> {
    try {
      await this.#client.query(sql);
    } catch (error) {
      const statement = shortStatement(sql);
      throw objectFailure(error, titleOf(object), {
        phase: this.#phase,
        name: migration,
        direction: "up",
        statement,
      });
    }
  }
}

function describe({ as, how, reason }: Realised): string {
  return describeRealisation({ as, how, ...(reason !== null && { reason }) });
}

function isSame(a: TimescaleObject, b: TimescaleObject): boolean {
  return a.kind === b.kind && a.name === b.name;
}

/** Whether what is recorded is what is wanted; the declaration has been through JSON. */
function stands({ object, as }: Realised, wanted: Realisation): boolean {
  return as === wanted.as && isDeepStrictEqual(object, JSON.parse(JSON.stringify(wanted.object)));
}

/** An aggregate cannot go while another reads it. */
function withDependents(stale: Realised[], recorded: Realised[]): Set<Realised> {
  const all = new Set(stale);
  for (const each of recorded) {
    const { object } = each;
    const below = object.kind === "continuous aggregate" ? object.from : undefined;
    const goes = [...all].some(
      (one) => one.object.kind === "continuous aggregate" && one.object.name === below,
    );
    if (goes) all.add(each);
  }
  return all;
}
