import { TimeliftError } from "../loaders/timelift-error.ts";
import { isFilesVolume } from "../stacks/platforms/docker/volume-names.ts";
import { plainSetting } from "./external-stack.ts";
import type { ChangePlan } from "./preview/change-plan.ts";
import { askPulumi } from "./pulumi.ts";

/** Whether the stack's config says `timelift:protect`; a config that cannot be used is the program's to refuse. */
export async function isProtectedStack(stack: string): Promise<boolean> {
  const config = JSON.parse(await askPulumi(["config", "--stack", stack, "--json"])) as Record<
    string,
    { value?: string }
  >;
  return config["timelift:protect"]?.value === "true";
}

/**
 * Refuses a plan of a protected stack that takes a data volume away. What drops tables is refused by the migrations
 * themselves, in Pulumi's own preview.
 * @throws TimeliftError `stack-protected`
 */
export function requireKept({ stack, dataLosses }: Pick<ChangePlan, "stack" | "dataLosses">): void {
  if (dataLosses.length === 0) return;
  throw new TimeliftError({
    code: "stack-protected",
    subject: `stack ${stack}`,
    problem: `it is protected (timelift:protect), and the plan deletes data\n${dataLosses
      .map((line) => `  ${line.replaceAll("`", "")}`)
      .join("\n")}`,
    remedy: `leave the resource as it is; on purpose: pulumi config set --stack ${stack} timelift:protect false, then the same again`,
  });
}

/**
 * In a stack whose own file says `timelift:protect: false`, the data of a whole stack never go by one key: each command
 * that could let them go has to name what it means.
 * @throws TimeliftError `drop-data-target`
 */
export function requireTarget(stack: string, args: string[]): void {
  if (plainSetting(stack, "dropData") === "true") requireNamed(stack, args, "timelift:dropData = true");
}

/**
 * Refuses a destroy of a protected stack, but of what can be made again (`--exclude-protected`); and where protection is
 * switched off, one that takes data along and names no `--target`. A destroy does not run the program: the state decides.
 * @throws TimeliftError `stack-protected`, `drop-data-target`
 */
export async function requireDestroyable(stack: string, isProtected: boolean, args: string[]): Promise<void> {
  const { holding, going } = await dataInState(stack);
  if (!isProtected) {
    if (going.length > 0) requireNamed(stack, args, listed(going));
    return;
  }
  const [set, up] = [
    `pulumi config set --stack ${stack} timelift:protect false`,
    `./timelift up --stack ${stack}`,
  ];
  const subject = `stack ${stack}`;
  if (!args.some((each) => /^--exclude-protected(=true)?$/.test(each))) {
    const what = holding.length > 0 ? `, and ${listed(holding)} would go` : "";
    throw new TimeliftError({
      code: "stack-protected",
      subject,
      problem: `it is protected (timelift:protect)${what}`,
      remedy:
        `./timelift destroy --stack ${stack} --exclude-protected takes back what can be made again and leaves the data; ` +
        `all of it, on purpose: ${set}, ${up}, then the same again`,
    });
  }
  // A protection that no `up` has brought into the state would not hold.
  if (going.length === 0) return;
  throw new TimeliftError({
    code: "stack-protected",
    subject,
    problem: `it is protected (timelift:protect), and what was deployed last lets these go: ${listed(going)}`,
    remedy: `${up}, which makes destroy keep them; then the same again`,
  });
}

function requireNamed(stack: string, args: string[], subject: string): void {
  const isNamed = args.some((each) => /^(--target|-t)(=|$)/.test(each));
  if (isNamed || plainSetting(stack, "protect") !== "false") return;
  throw new TimeliftError({
    code: "drop-data-target",
    subject,
    problem: `protection of stack ${stack} is switched off, not absent: data go there only by name`,
    remedy:
      "name what is to go, and what depends on it: --target '**::timescaledb*' --target-dependents " +
      "(./timelift up first, then destroy); or leave the data: pulumi config rm timelift:dropData, and ./timelift up",
  });
}

/** What is read of `pulumi stack export`. */
interface ExportedResource {
  type: string;
  urn: string;
  retainOnDelete?: boolean;
  inputs?: { dropData?: boolean };
}

/** What holds data by the state, and what of it a destroy would delete them with. */
async function dataInState(stack: string): Promise<{ holding: string[]; going: string[] }> {
  const { deployment } = JSON.parse(await askPulumi(["stack", "export", "--stack", stack])) as {
    deployment: { resources?: ExportedResource[] };
  };
  const found = (deployment.resources ?? []).flatMap(({ type, urn, retainOnDelete, inputs }) => {
    const name = urn.split("::").at(-1) ?? "";
    if (type === "docker:index/volume:Volume" && !isFilesVolume(name))
      return [{ name, goes: !retainOnDelete }];
    if (type.endsWith(":NativeService")) return [{ name, goes: inputs?.dropData === true }];
    return type.endsWith(":ExternalDatabase") ? [{ name, goes: false }] : [];
  });
  const names = (kept: typeof found) => kept.map(({ name }) => name);
  return { holding: names(found), going: names(found.filter(({ goes }) => goes)) };
}

const listed = (names: string[]) => names.join(", ");

/**
 * Refuses to let rows go on a protected stack, before the config says so.
 * @throws TimeliftError `stack-protected`
 */
export function requireUnprotected(stack: string, isProtected: boolean, subject: string): void {
  if (!isProtected) return;
  throw new TimeliftError({
    code: "stack-protected",
    subject,
    problem: `stack ${stack} is protected (timelift:protect), and this drops tables with their rows`,
    remedy: `on purpose: pulumi config set --stack ${stack} timelift:protect false, then the same again`,
  });
}
