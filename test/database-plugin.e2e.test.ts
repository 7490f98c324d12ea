import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type pg from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { buildSample } from "../cli/sample/stockula.ts";
import type { DatabasePlanArgs } from "../stacks/database-plan.ts";
import { asSuperuser } from "../stacks/platforms/bootstrap.ts";
import { onPath } from "../stacks/platforms/native/sandbox.ts";
import { ServiceFolder } from "../stacks/platforms/native/service-folder.ts";
import { type Role, roles, type Secrets } from "../stacks/services/role.ts";
import { timescaledb } from "../stacks/services/timescaledb.ts";
import { AskingApplication } from "./asking-application.ts";
import { type Catalog, readCatalog } from "./catalog.ts";
import { freePorts, NativeStack, stackSecrets } from "./native-stack.ts";
import { outcome, ProjectCopy } from "./project-copy.ts";
import { leaks, openFiles, type Places, processes, secretsOf } from "./secrecy.ts";

const isMissing = onPath("pulumi-resource-postgresql") === undefined;
if (isMissing) console.log("SKIP the postgresql plugin: pulumi-resource-postgresql is not on PATH");

/** What timelift itself makes of the same, on a server of its own. */
async function madeByTimelift(args: Omit<DatabasePlanArgs, "database">): Promise<Catalog> {
  const stack = new NativeStack();
  const [port = 0] = await freePorts(1);
  const previous = Object.fromEntries(roles.map((role) => [role, `${role} of before`])) as Record<
    Role,
    string
  >;
  const secrets: Secrets = { ...stackSecrets, ...((args.generation ?? 1) > 1 && { previous }) };
  try {
    await stack.start(timescaledb({ port, database: "timelift", memoryMb: 512, ...args }), secrets);
    const { socketFolder } = new ServiceFolder(stack.stateDir, "timescaledb");
    return await asSuperuser({ host: socketFolder, port }, "timelift", readCatalog);
  } finally {
    await stack.remove();
  }
}

/** One story on the native platform: each test goes on where the one before it ended. */
describe.skipIf(isMissing)("a database whose roles are resources of the plugin", { timeout: 300_000 }, () => {
  let project: ProjectCopy;
  let folder: ServiceFolder;
  let config: Record<string, unknown> = {};
  /** What commands have said so far. */
  let printed = "";

  const configure = (more: Record<string, unknown>) => {
    config = { ...config, ...more };
    project.configure(config);
  };

  async function timelift(...args: string[]): Promise<string> {
    const { exitCode, output } = await project.timelift(...args);
    printed += output;
    if (exitCode !== 0) throw new Error(output);
    return output;
  }
  const up = () => timelift("up", "--skip-preview");
  const state = async () => (await project.pulumi("stack", "export")).stdout;

  const output = <T = string>(name: string) => project.output<T>(name);

  const asAdmin = <T>(work: (client: pg.Client) => Promise<T>) =>
    asSuperuser({ host: folder.socketFolder, port: project.ports.timescaledb }, "timelift", work);
  const catalog = () => asAdmin(readCatalog);

  const ask = (url: string, sql = "SELECT count(*)::int AS n FROM stocks") => project.ask(url, sql);

  /** Does something while an application asks, and expects none of its requests to fail. */
  async function underLoad(work: () => Promise<unknown>): Promise<void> {
    const url = project.fromHere(await output("databaseUrl"));
    const application = new AskingApplication(url, "SELECT count(*) FROM stocks");
    await expect.poll(() => application.asked).toBeGreaterThan(20);
    await work();
    const after = application.asked;
    await expect.poll(() => application.asked).toBeGreaterThan(after + 20);
    await application.end();
    expect(application.failures).toEqual([]);
  }

  async function expectNothingToDo(): Promise<void> {
    const text = await up();
    expect(text).toMatch(/\d+ unchanged/);
    expect(text).not.toMatch(/[+~=-] \d+ (created|updated|imported|replaced|deleted)/);
    await timelift("preview", "--expect-no-changes");
  }

  beforeAll(async () => {
    project = await ProjectCopy.make({});
    await buildSample(join(project.dir, "app.db"));
    folder = new ServiceFolder(join(project.dir, ".timelift", "dev"), "timescaledb");
    configure({ source: "app.db", dropData: true, memoryMb: 512, ports: project.ports });
    configure({ services: ["pgbouncer"], databaseThrough: "plugin" });
  });

  afterAll(async () => {
    await project.timelift("destroy");
    project.remove();
  });

  test("a preview shows each of them before there is a server", async () => {
    const text = await timelift("preview");
    expect(text).toMatch(/postgresql:index:Role +timelift_app_a +create/);
    expect(text).toMatch(/postgresql:index:Grant +timelift\.public-timelift_app +create/);
  });

  test("the catalogs say of a new stack what they say of one that timelift makes itself", async () => {
    await up();
    expect(await output("validated")).toBe("PASS");
    expect(await catalog()).toEqual(await madeByTimelift({}));
    expect(await ask(await output("databaseUrl"), "SELECT current_user::text AS role")).toEqual({
      role: "timelift_app",
    });
  });

  test("up again changes nothing", expectNothingToDo);

  test("no secret is in state, log, file, argument, environment or what was printed", async () => {
    const secrets = await secretsOf(project);
    const log = readFileSync(folder.logFile, "utf8");
    const places: Places = { state: await state(), log, printed };
    // It is the plugin that spoke to this server, and the log tells statements.
    expect(log).toMatch(/Terraform provider LOG: +statement: GRANT /);
    const isKept = (file: string) =>
      file === ".timelift/passphrase" || /^\.timelift\/dev\/services\/\w+\//.test(file);
    const all = { ...places, ...openFiles(project, isKept), ...processes() };
    expect(leaks(all, secrets)).toEqual([]);
    for (const [place, text] of Object.entries(places)) {
      expect([place, text.includes("SCRAM-SHA-256$")]).toEqual([place, false]);
    }
    expect(leaks({ planted: `x${secrets.at(-1)}x` }, secrets)).toEqual(["planted"]);
    const { rows } = await asAdmin((client) =>
      client.query("SELECT query FROM pg_stat_statements WHERE query ~* 'password|scram'"),
    );
    expect(rows).toEqual([]);
  });

  test("other limits are taken in place, by the plugin and by timelift, each what it has words for", async () => {
    const pid = folder.process?.pid;
    configure({
      roles: { app: { statementTimeout: "none", connections: 25 }, loader: { lockTimeout: "5s" } },
    });
    await underLoad(up);
    expect(folder.process?.pid).toBe(pid);
    const limits = {
      timelift_app: { statementTimeout: 0, connections: 25 },
      timelift_loader: { lockTimeout: 5000 },
    };
    expect(await catalog()).toEqual(await madeByTimelift({ limits }));
    configure({ roles: {} });
    await up();
    expect(await catalog()).toEqual(await madeByTimelift({}));
    await expectNothingToDo();
  });

  test("one number makes new passwords, and no request of an application fails", async () => {
    const urls = [await output("databaseUrl")];
    configure({ passwordGeneration: 2 });
    const preview = await timelift("preview");
    expect(preview).toMatch(/Role +timelift_app_b +update/);
    expect(preview).not.toMatch(/Role +timelift_app_a +update/);
    expect(preview).not.toMatch(/\b(replace|delete)\b/);
    await underLoad(up);
    urls.push(await output("databaseUrl"));
    expect(urls[1]).toContain("//timelift_app_b:");
    expect(await ask(urls[0] as string)).toEqual(await ask(urls[1] as string));
    expect(await catalog()).toEqual(await madeByTimelift({ generation: 2 }));
    configure({ passwordGeneration: 3 });
    await underLoad(up);
    await expect(ask(urls[0] as string)).rejects.toThrow();
    await ask(urls[1] as string);
    await ask(await output("databaseUrl"));
  });

  test("what somebody changed by hand is found by a refresh, and put right", async () => {
    const before = await catalog();
    await asAdmin((client) =>
      client.query(
        `ALTER ROLE timelift_app_a CONNECTION LIMIT 1; ALTER ROLE timelift_app_a SET statement_timeout TO 1;
         GRANT CREATE ON SCHEMA public TO timelift_app; REVOKE timelift_loader FROM timelift_loader_a`,
      ),
    );
    await timelift("refresh");
    await up();
    expect(await catalog()).toEqual(before);
    await expectNothingToDo();
  });

  test("a dead server stops no preview and no refresh, and comes back with what was in it", async () => {
    const before = await catalog();
    process.kill(folder.process?.pid as number, "SIGKILL");
    await expect.poll(() => folder.process, { timeout: 10_000 }).toBeUndefined();
    expect(await timelift("preview")).toMatch(/NativeService +timescaledb +update/);
    expect(await timelift("refresh")).toContain("does not answer: what is inside it is not compared");
    await up();
    expect(await catalog()).toEqual(before);
  });

  test("timelift takes over from the plugin: nothing is dropped, and the superuser is let in by TCP no more", async () => {
    const before = await catalog();
    configure({ databaseThrough: "builtin" });
    await underLoad(up);
    expect(await catalog()).toEqual(before);
    expect(await state()).not.toContain("postgresql:index");
    const { rows } = await asAdmin((client) =>
      client.query(
        `SELECT rolpassword, (SELECT count(*)::int FROM pg_db_role_setting WHERE setrole = pg_authid.oid) AS settings
         FROM pg_authid WHERE rolname = 'postgres'`,
      ),
    );
    expect(rows).toEqual([{ rolpassword: null, settings: 0 }]);
    expect(readFileSync(join(folder.conf, "pg_hba.conf"), "utf8")).not.toContain("postgres scram-sha-256");
  });

  test("the plugin takes over from timelift: every row and login stays, and no request fails", async () => {
    const [before, url] = [await catalog(), await output("databaseUrl")];
    const rows = await ask(url);
    configure({ databaseThrough: "plugin" });
    expect(await timelift("preview")).not.toMatch(/\b(replace|delete)\b/);
    await underLoad(up);
    expect(await catalog()).toEqual(before);
    expect(await output("databaseUrl")).toBe(url);
    expect(await ask(url)).toEqual(rows);
    expect(await timelift("validate")).toContain("validation PASS");
    await expectNothingToDo();
  });

  test("an extension that is asked for is there; one that is taken out stays", async () => {
    configure({ extensions: ["vector"] });
    await up();
    const owner = await output("directUrl");
    const distance = "SELECT '[1,2]'::vector <-> '[4,6]'::vector AS distance";
    expect(await ask(owner, distance)).toEqual({ distance: 5 });
    expect(await catalog()).toEqual(await madeByTimelift({ generation: 3, extensions: ["vector"] }));
    // Without the programs that bring it nobody uses it, but who drops it is the user.
    configure({ extensions: [] });
    await up();
    expect(await ask(owner, "SELECT count(*)::int AS n FROM pg_extension WHERE extname = 'vector'")).toEqual({
      n: 1,
    });
  });

  test("destroy keeps what is to be kept, and the next up takes it over, with new passwords", async () => {
    const before = await catalog();
    configure({ dropData: false });
    await up();
    await timelift("destroy");
    expect(await state()).not.toContain("postgresql:index");
    await up();
    expect(await catalog()).toEqual(before);
    expect(await output("validated")).toBe("PASS");
    const { loaded } = JSON.parse(
      (await project.pulumi("stack", "output", "--json", "--show-secrets")).stdout,
    ) as { loaded: Record<string, string> };
    for (const line of Object.values(loaded)) expect(line).toContain("0 inserted, 0 updated, 0 deleted");
    await expectNothingToDo();
  });

  test("an update that is killed while it adopts them is completed by the next one", async () => {
    const before = await catalog();
    await timelift("destroy");
    const locks = join(project.dir, ".timelift/state/.pulumi/locks/organization/timelift/dev");
    const killed = project.start("up", "--skip-preview");
    const pulumi = await new Promise<number>((resolve, reject) => {
      killed.all.on("data", (data: Buffer) => {
        if (!/Role timelift_app_a (imported|updating)/.test(String(data))) return;
        const [lock = ""] = readdirSync(locks).filter((file) => file.endsWith(".json"));
        resolve((JSON.parse(readFileSync(join(locks, lock), "utf8")) as { pid: number }).pid);
      });
      killed.all.once("end", () => reject(new Error("the update ended before it could be killed")));
    });
    process.kill(pulumi, "SIGKILL");
    expect((await outcome(killed)).exitCode).not.toBe(0);
    const cut = await state();
    expect(cut).toContain("postgresql:index/role:Role::timelift_owner");
    expect(cut).not.toContain("postgresql:index/grant:Grant");
    await up();
    expect(await catalog()).toEqual(before);
    expect(await output("validated")).toBe("PASS");
    configure({ dropData: true });
    await up();
  });
});
