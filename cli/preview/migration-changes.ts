import { lossesIn, lossText } from "../../migrations/losses.ts";
import { phases } from "../../migrations/migration-files.ts";
import type { Endpoint } from "../../stacks/resources/endpoint.ts";
import { compare, type Properties, type ResourceStep, stepsOfKind } from "./resource-step.ts";

/** A migration that would run. */
export interface MigrationChange {
  /** `after-load/0005_ohlc`. */
  name: string;
  direction: "up" | "down";
  /** Lines of what it runs; a way back is without its objects, which the target remembers. */
  sql: string[];
  /** What it takes away with the rows in it: `DROP TABLE price_history`. */
  losses: string[];
}

/** An aggregate, policy, guard … that would be another than it is. */
export interface ObjectChange {
  /** `continuous aggregate ohlc_daily`. */
  object: string;
  /** What it is; undefined where there is none. */
  was?: string;
  /** What it becomes; undefined where it goes. */
  becomes?: string;
  /** Whether it goes because its migration goes down. */
  goesWithMigration: boolean;
  /** Whether it is dropped and made anew; otherwise it is only told in other words. */
  madeAnew: boolean;
}

/** One phase before and after; before is what stands in the target. */
interface PhaseChange {
  phase: string;
  applied: string[];
  was: Record<string, string>;
  /** Undefined where a version of before did not know it. */
  madeOf: Record<string, string> | undefined;
  after: {
    files: Record<string, string>;
    sql: Record<string, string[]>;
    back: Record<string, string[]>;
    objects: Record<string, string>;
    makings: Record<string, string>;
  };
}

/** Those that go down, last first, then those that go up, both in the order in which they run. */
export function migrationChanges(steps: ResourceStep[]): MigrationChange[] {
  const changes = phaseChanges(steps);
  const change = (name: string, direction: "up" | "down", sql: string[]) => ({
    ...{ name, direction, sql },
    losses: [...new Set(lossesIn(sql).map(lossText))],
  });
  const down = changes.flatMap(({ phase, applied, after }) =>
    applied
      .filter((name) => !(name in after.files))
      .map((name) => change(`${phase}/${name}`, "down", after.back[name] ?? [])),
  );
  const up = changes.flatMap(({ phase, applied, after }) =>
    Object.entries(after.sql)
      .filter(([name]) => !applied.includes(name))
      .sort(([a], [b]) => compare(a, b))
      .map(([name, sql]) => change(`${phase}/${name}`, "up", sql)),
  );
  return [...down.reverse(), ...up];
}

/** The objects that differ, by name. */
export function objectChanges(steps: ResourceStep[]): ObjectChange[] {
  return phaseChanges(steps)
    .flatMap(({ applied, was, madeOf, after }) => {
      const goesDown = applied.some((name) => !(name in after.files));
      const names = new Set([...Object.keys(was), ...Object.keys(after.objects)]);
      return [...names].flatMap((object) => {
        const [before, becomes] = [was[object], after.objects[object]];
        const stays = stands(before) && stands(becomes);
        const madeAnew =
          stays && (madeOf === undefined ? before !== becomes : madeOf[object] !== after.makings[object]);
        // What was skipped goes without a trace.
        const nothing = !stands(before) && becomes === undefined;
        if (nothing || (before === becomes && !madeAnew)) return [];
        return [
          {
            ...{ object, madeAnew, goesWithMigration: goesDown && becomes === undefined },
            ...(before !== undefined && { was: before }),
            ...(becomes !== undefined && { becomes }),
          },
        ];
      });
    })
    .sort((a, b) => compare(a.object, b.object));
}

/** Whether the words of a preview say of an object that something of it is in the target. */
export function stands(text: string | undefined): boolean {
  return text !== undefined && !text.startsWith("skipped: ");
}

function phaseChanges(steps: ResourceStep[]): PhaseChange[] {
  return stepsOfKind(steps, "Migrations")
    .flatMap(({ op, outputs, after }) => {
      if (after === undefined || op === "same") return [];
      const elsewhere = databaseOf(outputs) !== undefined && databaseOf(outputs) !== databaseOf(after);
      const {
        applied = [],
        objects: was = {},
        makings: madeOf,
      } = elsewhere ? {} : (outputs as Partial<Applied>);
      const {
        files = {},
        sql = {},
        back = {},
        objects = {},
        makings = {},
      } = after as Partial<PhaseChange["after"]>;
      const inputs = { files, sql, back, objects, makings };
      return [{ phase: String(after.phase), applied, was, madeOf, after: inputs }];
    })
    .sort((a, b) => indexOf(a.phase) - indexOf(b.phase));
}

interface Applied {
  applied: string[];
  objects: Record<string, string>;
  makings: Record<string, string>;
}

/** Name of the database that a resource works on. */
export function databaseOf(properties: Properties | undefined): string | undefined {
  const target = properties?.target as Partial<Endpoint> | undefined;
  // One of the stack's own stays the same wherever it listens.
  return target?.external ? `${target.database} at ${target.host}:${target.port}` : target?.database;
}

const indexOf = (phase: string) => (phases as readonly string[]).indexOf(phase);
