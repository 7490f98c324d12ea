import { dataLosses, destructiveSteps } from "./destructive-steps.ts";
import { counted } from "./markdown.ts";
import {
  type MigrationChange,
  migrationChanges,
  type ObjectChange,
  objectChanges,
} from "./migration-changes.ts";
import { isChange, type PreviewSteps, type ResourceStep } from "./resource-step.ts";
import { type RowChanges, rowChanges } from "./row-changes.ts";
import { type SettingChange, settingChanges } from "./setting-changes.ts";

/** What an `up` would do to a stack, for a reviewer. */
export interface ChangePlan {
  stack: string;
  /** Resources that an update would do something to. */
  changing: ResourceStep[];
  /** How many resources there are. */
  resources: number;
  /** Lines of Markdown, the worst first. */
  destructive: string[];
  /** Those of them that a protected stack refuses. */
  dataLosses: string[];
  migrations: MigrationChange[];
  objects: ObjectChange[];
  /** Undefined where the stack has no load. */
  rows?: RowChanges;
  settings: SettingChange[];
  /** What differs in the target's schema from what the last migration run left, as a preview prints it. */
  drift: string[];
  /** Why nothing could be deployed; empty where it could. */
  errors: string[];
}

/** Sums a preview up. */
export function planOf(stack: string, { steps, errors }: PreviewSteps, drift: string[]): ChangePlan {
  const own = steps.filter(({ type }) => type !== "pulumi:pulumi:Stack");
  const rows = rowChanges(own);
  return {
    ...{ stack, drift, errors },
    changing: own.filter(isChange),
    resources: own.length,
    destructive: destructiveSteps(own),
    dataLosses: dataLosses(own),
    migrations: migrationChanges(own),
    objects: objectChanges(own),
    ...(rows && { rows }),
    settings: settingChanges(own),
  };
}

/** 0: nothing changes. 1: the preview failed. 2: something changes. 3: something destructive is among it. */
export function exitCodeOf({ errors, destructive, changing, settings }: ChangePlan): 0 | 1 | 2 | 3 {
  if (errors.length > 0) return 1;
  if (destructive.length > 0) return 3;
  return changing.length > 0 || settings.length > 0 ? 2 : 0;
}

/** The same in words: `3 changes`. */
export function verdictOf(plan: ChangePlan): string {
  const changes =
    plan.changing.length > 0
      ? counted(plan.changing.length, "change")
      : counted(plan.settings.length, "setting");
  switch (exitCodeOf(plan)) {
    case 1:
      return "failed";
    case 3:
      return `destructive (${counted(plan.destructive.length, "step")}), ${changes}`;
    case 2:
      return plan.changing.length > 0 ? changes : `${changes} to change`;
    default:
      return "nothing changes";
  }
}
