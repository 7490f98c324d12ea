import { TimeliftError } from "../loaders/timelift-error.ts";
import { askEngine, type EngineAddress } from "../stacks/platforms/docker/engine.ts";
import { localState } from "./backend.ts";
import { plainSetting } from "./external-stack.ts";
import { askPulumi } from "./pulumi.ts";
import { isLocked } from "./stack-lock.ts";

/** What is read of `pulumi stack export`. */
interface ExportedStack {
  deployment: {
    resources?: { id?: string; type: string }[];
    pending_operations?: { type: string; resource: { type: string; inputs?: { name?: string } } }[];
  };
}

/** A container of this stack's name on the engine. */
interface FoundContainer {
  id: string;
  name: string;
}

const kinds = { "docker:index/container:Container": "container", "docker:index/network:Network": "network" };

/**
 * Before containers are made: takes away what an update that was killed had begun and Pulumi knows no identity of, so that
 * it is made anew (data are in volumes, which are taken as they are); and refuses names that belong to somebody else.
 * @throws TimeliftError `docker-names-taken`, `docker-failed`
 */
export async function clearLeftovers(stack: string): Promise<void> {
  if (plainSetting(stack, "platform") !== "docker") return;
  const { deployment } = JSON.parse(await askPulumi(["stack", "export", "--stack", stack])) as ExportedStack;
  const engine = await engineOf(stack);
  const begun = (deployment.pending_operations ?? []).flatMap(({ type, resource }) => {
    const kind = kinds[resource.type as keyof typeof kinds];
    const name = resource.inputs?.name;
    return type === "creating" && kind && name !== undefined ? [{ kind, name }] : [];
  });
  const known = new Set((deployment.resources ?? []).map(({ id }) => id));
  const strangers = (await containersOf(engine, stack)).filter(({ id }) => !known.has(id));
  const networks = begun.filter(({ kind }) => kind === "network");
  if (strangers.length + networks.length === 0 || (await isBusy(stack))) return;
  const isBegun = ({ name }: FoundContainer) =>
    begun.some((each) => each.kind === "container" && each.name === name);
  for (const { id, name } of strangers.filter(isBegun)) {
    await askEngine(engine, ["rm", "--force", id]);
    console.error(
      `An update was killed while it made the container ${name}; it is made anew, with its data.`,
    );
  }
  for (const { name } of networks) {
    await removeNetwork(engine, stack, name, known);
  }
  const taken = strangers.filter((each) => !isBegun(each)).map(({ name }) => name);
  if (taken.length > 0) throw namesTaken(stack, taken);
}

async function containersOf(engine: EngineAddress, stack: string): Promise<FoundContainer[]> {
  const filter = ["--filter", `label=timelift.stack=timelift-${stack}`];
  const format = ["--no-trunc", "--format", "{{.ID}} {{.Names}}"];
  const text = await askEngine(engine, ["ps", "--all", ...filter, ...format]).catch((error) => {
    // Without the docker command Pulumi's own plugin says what is in the way.
    if (error instanceof TimeliftError && error.code === "docker-missing") return "";
    throw error;
  });
  return text
    .split("\n")
    .filter(Boolean)
    .map((line) => {
      const [id = "", name = ""] = line.split(" ");
      return { id, name };
    });
}

/** Engines allow two networks of one name, so none may be left. */
async function removeNetwork(
  engine: EngineAddress,
  stack: string,
  name: string,
  known: Set<string | undefined>,
): Promise<void> {
  const filter = ["--filter", `label=timelift.stack=timelift-${stack}`, "--filter", `name=^${name}$`];
  const text = await askEngine(engine, ["network", "ls", "--quiet", "--no-trunc", ...filter]);
  const ids = text.split("\n").filter((id) => id !== "" && !known.has(id));
  for (const id of ids) await askEngine(engine, ["network", "rm", id]);
}

/** Whether an update runs, whose containers these may be; Pulumi says so then. Unknown stands for yes. */
async function isBusy(stack: string): Promise<boolean> {
  const state = localState();
  if (state !== undefined) return isLocked(state, stack);
  const all = JSON.parse(await askPulumi(["stack", "ls", "--json"])) as {
    name: string;
    updateInProgress?: boolean;
  }[];
  const found = all.find(({ name }) => name === stack || name.endsWith(`/${stack}`));
  return found?.updateInProgress !== false;
}

async function engineOf(stack: string): Promise<EngineAddress> {
  const text = await askPulumi(["config", "--stack", stack, "--json"]);
  const values = JSON.parse(text) as Record<string, { value?: string }>;
  return { host: values["docker:host"]?.value ?? "", certPath: values["docker:certPath"]?.value ?? "" };
}

function namesTaken(stack: string, names: string[]): TimeliftError {
  return new TimeliftError({
    code: "docker-names-taken",
    subject: `stack ${stack}`,
    problem: `the engine has containers of a stack of this name that is not this one: ${names.join(", ")}`,
    remedy:
      "deploy under another name (./timelift stack new NAME); or, where that stack's state is lost, remove them, which " +
      `leaves their data: docker rm --force ${names.join(" ")}`,
  });
}
