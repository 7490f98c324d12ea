import { isDeepStrictEqual } from "node:util";
import { diffLines } from "../../migrations/schema-diff.ts";
import { withoutPlaces } from "./places.ts";
import { compare, ownKind, type Properties, type ResourceStep } from "./resource-step.ts";

/** A setting that would be another than it is. */
export interface SettingChange {
  /** `dropRows`, `settings.shared_buffers`, `hypertables.signals.retention`. */
  setting: string;
  /** Empty where it was not set. */
  was: string;
  /** Empty where it is set no more. */
  becomes: string;
  /** Names of the resources that have it. */
  of: string[];
  /** A text of several lines, as the lines that differ; `was` and `becomes` are empty then. */
  lines?: string[];
}

/** What is shown elsewhere in the comment, follows from something else, or is of no interest. */
const notSettings = new Set([
  ...["__provider", "stateDir", "process", "tables", "held", "loaded", "after", "realised"],
  ...["phase", "files", "sql", "objects", "makings", "down", "back"],
  ...["fingerprint", "mapping", "plan", "notLoaded"],
]);
/** Inputs whose config key has another name. */
const configKeys: Record<string, string> = { to: "migrateTo", when: "validate" };
const secretName = /passwo?r?d|passphrase|secret|token|credential|api_?key/i;
const secret = "(secret)";
const changed = (shownValue: string) => (shownValue === "" ? "changed" : `${shownValue}, changed`);

/** The settings of resources that stay, by name; a value that several resources share comes once. */
export function settingChanges(steps: ResourceStep[]): SettingChange[] {
  const changes: SettingChange[] = [];
  for (const { name, ...change } of steps.flatMap(changesOf)) {
    const same = changes.find(({ of: _, ...other }) => isDeepStrictEqual(other, change));
    if (same === undefined) changes.push({ ...change, of: [name] });
    else same.of.push(name);
  }
  return changes.sort((a, b) => compare(a.setting, b.setting) || compare(a.of.join(), b.of.join()));
}

function changesOf(step: ResourceStep): (Omit<SettingChange, "of"> & { name: string })[] {
  const { name, before, after } = step;
  if (before === undefined || after === undefined) return [];
  const skipped = ownKind(step) === undefined ? new Set(["__provider", "__defaults"]) : notSettings;
  const settings = (inputs: Properties) =>
    flat(Object.entries(inputs).filter(([key]) => !skipped.has(key) && key in after));
  const [was, becomes] = [settings(before), settings(after)];
  const keys = [...new Set([...was.keys(), ...becomes.keys()])];
  const seen = keys.flatMap((key) => {
    const [old, now] = [was.get(key), becomes.get(key)];
    // A flag that an earlier version did not know is off.
    if (old === now || (old === undefined && now === false)) return [];
    const [first = "", ...rest] = key.replace(/^declaration\./, "").split(".");
    const setting = [configKeys[first] ?? first, ...rest].join(".");
    const [from, to] = [shown(setting, old), shown(setting, now)];
    // What differs is a secret, or a place of this machine.
    if (from === to) return [{ name, setting, was: from, becomes: changed(to) }];
    if (!from.includes("\n") && !to.includes("\n")) return [{ name, setting, was: from, becomes: to }];
    return [{ name, setting, was: "", becomes: "", lines: diffLines(from.split("\n"), to.split("\n")) }];
  });
  return [
    ...seen,
    ...secretsOf(step, seen.length).map((setting) => ({
      name,
      setting,
      was: secret,
      becomes: changed(secret),
    })),
  ];
}

/** Pulumi masks a secret on both sides: that it differs is all that can be told, and only where a provider says so. */
function secretsOf(step: ResourceStep, seen: number): string[] {
  const { op, before = {}, after = {}, differing } = step;
  const masked = differing.filter((key) => before[key] === "[secret]" && after[key] === "[secret]");
  // timelift's own says nothing; a service that is updated for no other reason has other passwords.
  const unseen = op === "update" && seen === 0 && before.process === after.process;
  return ownKind(step) === "NativeService" && unseen ? ["secrets"] : masked;
}

/** Leaves by their path; lists are leaves. */
function flat(entries: [string, unknown][], below = ""): Map<string, unknown> {
  return new Map(
    entries.flatMap(([key, value]) => {
      const path = below === "" ? key : `${below}.${key}`;
      if (value === null || typeof value !== "object") return [[path, value] as const];
      if (Array.isArray(value)) return [[path, JSON.stringify(value)] as const];
      return [...flat(Object.entries(value), path)];
    }),
  );
}

function shown(setting: string, value: unknown): string {
  if (value === undefined || value === "") return "";
  if (value === "[secret]" || secretName.test(setting)) return secret;
  // Its text tells a reader nothing; when it ends stands at Certificates.
  if (String(value).includes("-----BEGIN CERTIFICATE")) return "(certificate)";
  // Where a file lies is of this machine.
  if (setting === "source") return String(value).replace(/^\/.*\//, "…/");
  return withoutPlaces(String(value).replaceAll(/:\/\/[^\s/@]+@/g, `://${secret}@`));
}
