/** Properties of a resource, secrets already left out by Pulumi. */
export type Properties = Record<string, unknown>;

/** What a preview would do to one resource. */
export interface ResourceStep {
  /** Pulumi's word: same, create, update, replace, delete, … */
  op: string;
  type: string;
  name: string;
  /** Its inputs as the last update left them; undefined where there was none. */
  before?: Properties;
  /** Its outputs likewise. */
  outputs: Properties;
  /** Its inputs as they will be, but for what no preview knows; undefined where it goes. */
  after?: Properties;
  /** Inputs that its provider says differ, where it says so: of a secret nothing else tells. */
  differing: string[];
  /** Whether what it stands for stays when Pulumi lets go of it. */
  retained: boolean;
}

/** A preview as Pulumi reports it. */
export interface PreviewSteps {
  steps: ResourceStep[];
  /** Why nothing could be deployed; empty where it could. */
  errors: string[];
}

interface PulumiState {
  inputs?: Properties;
  outputs?: Properties;
  retainOnDelete?: boolean;
}

interface PulumiStep {
  op: string;
  urn: string;
  oldState?: PulumiState;
  newState?: PulumiState;
  detailedDiff?: Record<string, unknown> | null;
}

/** What is read of `pulumi preview --json --show-sames`. */
export interface PulumiPreview {
  steps?: PulumiStep[];
  diagnostics?: { message?: string; severity?: string }[];
}

/** Pulumi writes this in place of a value that only the update itself finds out. */
const unknown = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

/** Orders the steps by name, so that the same plan reads the same whatever ran first. */
export function readSteps({ steps = [], diagnostics = [] }: PulumiPreview): PreviewSteps {
  const read = steps
    .map(({ op, urn, oldState, newState, detailedDiff }) => {
      const [types = "", name = ""] = urn.split("::").slice(2);
      // The types of those that it belongs to come first.
      const type = types.split("$").at(-1) ?? "";
      return {
        ...{ op, type, name, outputs: oldState?.outputs ?? {} },
        ...{ differing: Object.keys(detailedDiff ?? {}), retained: oldState?.retainOnDelete ?? false },
        ...(oldState && { before: oldState.inputs ?? {} }),
        ...(newState && op !== "delete" && { after: known(newState.inputs ?? {}) }),
      };
    })
    .sort((a, b) => compare(a.name, b.name) || compare(a.type, b.type));
  const errors = diagnostics
    .filter(({ severity }) => severity === "error")
    .map(({ message = "" }) => message.replace(/^error: /, "").trim())
    .filter((message) => message !== "" && message !== "preview failed");
  return { steps: read, errors: [...new Set(errors)].sort() };
}

/** `Migrations` for a resource of timelift; undefined for any other. */
export function ownKind({ type }: ResourceStep): string | undefined {
  return /^pulumi-nodejs:dynamic\/timelift:(\w+)$/.exec(type)?.[1];
}

export function stepsOfKind(steps: ResourceStep[], kind: string): ResourceStep[] {
  return steps.filter((step) => ownKind(step) === kind);
}

/** Whether an update would do something to it. */
export function isChange({ op }: ResourceStep): boolean {
  return op !== "same" && op !== "read" && op !== "refresh";
}

export const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);

function known(properties: Properties): Properties {
  return Object.fromEntries(Object.entries(properties).filter(([, value]) => value !== unknown));
}
