import { randomBytes } from "node:crypto";
import { join } from "node:path";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { buildSample } from "../cli/sample/stockula.ts";
import { tlsOptions } from "../loaders/tls.ts";
import { asSuperuser } from "../stacks/platforms/bootstrap.ts";
import { onPath } from "../stacks/platforms/native/sandbox.ts";
import { AskingApplication } from "./asking-application.ts";
import { readCatalog } from "./catalog.ts";
import { docker, noDocker } from "./docker-engine.ts";
import { ProjectCopy } from "./project-copy.ts";

const lacking =
  noDocker ??
  (onPath("pulumi-resource-postgresql") === undefined
    ? "pulumi-resource-postgresql is not on PATH"
    : undefined);
if (lacking) console.log(`SKIP the postgresql plugin on an engine: ${lacking}`);

/** One story on a real engine: each test goes on where the one before it ended. */
describe.skipIf(lacking)(
  "a database in a container, whose roles are resources of the plugin",
  { timeout: 300_000 },
  () => {
    const stack = `plugin-${randomBytes(3).toString("hex")}`;
    const prefix = `timelift-${stack}`;
    let project: ProjectCopy;

    async function timelift(...args: string[]): Promise<string> {
      const { exitCode, output } = await project.timelift(...args, "--stack", stack);
      if (exitCode !== 0) throw new Error(output);
      return output;
    }
    const up = () => timelift("up", "--skip-preview");
    const configure = (more: Record<string, unknown>) =>
      project.configure({
        ...{ source: "app.db", platform: "docker", images: "sysroot", dropData: true, memoryMb: 512 },
        ...{ ports: project.ports, services: ["pgbouncer"], publish: { pgbouncer: "127.0.0.1" }, ...more },
      });

    const output = <T = string>(name: string) => project.output<T>(name);

    interface Resource {
      type: string;
      urn: string;
      outputs?: { passwords?: { plaintext: string } };
    }
    const resources = async () => {
      const { stdout } = await project.pulumi("stack", "export", "--show-secrets");
      return JSON.parse(stdout).deployment.resources as Resource[];
    };
    const ofPlugin = async () => (await resources()).filter(({ type }) => type.startsWith("postgresql:"));

    async function catalog() {
      const superuser = (await resources()).find(({ urn }) => urn.endsWith("Credentials::superuser"));
      const { postgres } = JSON.parse(superuser?.outputs?.passwords?.plaintext ?? "{}") as {
        postgres: string;
      };
      const rootCert = join(project.dir, ".timelift", stack, "authority.pem");
      const ssl = tlsOptions({ mode: "verify-full", rootCert });
      const at = { host: "127.0.0.1", port: project.ports.timescaledb, password: postgres, ssl };
      return asSuperuser(at, "timelift", readCatalog);
    }

    async function rows(): Promise<unknown> {
      const client = new pg.Client(project.fromHere(await output("databaseUrl")));
      await client.connect();
      const found = await client.query("SELECT count(*)::int AS n FROM price_history");
      await client.end();
      return found.rows[0].n;
    }

    async function expectNothingToDo(): Promise<void> {
      const text = await up();
      expect(text).toMatch(/\d+ unchanged/);
      expect(text).not.toMatch(/[+~=-] \d+ (created|updated|imported|replaced|deleted)/);
    }

    beforeAll(async () => {
      project = await ProjectCopy.make({}, stack);
      await buildSample(join(project.dir, "app.db"));
    });

    afterAll(async () => {
      await project.timelift("destroy", "--stack", stack);
      const filter = ["--filter", `label=timelift.stack=${prefix}`];
      const left = (...kind: string[]) =>
        docker(...kind, "--quiet", ...filter)
          .split("\n")
          .filter(Boolean);
      for (const id of left("ps", "--all")) docker("rm", "--force", "--volumes", id);
      for (const name of left("volume", "ls")) docker("volume", "rm", name);
      for (const id of left("network", "ls")) docker("network", "rm", id);
      project.remove();
    });

    test("the plugin takes over what timelift made: every row and login stays, and no request fails", async () => {
      configure({ databaseThrough: "builtin" });
      await up();
      expect(await ofPlugin()).toEqual([]);
      const [before, url, count] = [await catalog(), await output("databaseUrl"), await rows()];
      expect(count).toBeGreaterThan(1000);
      const application = new AskingApplication(project.fromHere(url), "SELECT count(*) FROM stocks");
      await expect.poll(() => application.asked).toBeGreaterThan(20);
      // Nothing is said, and the plugin is there.
      configure({});
      const container = docker("inspect", "--format", "{{.Id}}", `${prefix}-pgbouncer`);
      await up();
      expect(docker("inspect", "--format", "{{.Id}}", `${prefix}-pgbouncer`)).toBe(container);
      await application.end();
      expect(application.failures).toEqual([]);
      expect((await ofPlugin()).length).toBeGreaterThan(40);
      expect(await catalog()).toEqual(before);
      expect([await output("databaseUrl"), await rows()]).toEqual([url, count]);
      await expectNothingToDo();
    });

    test("a container that is gone stops no preview, and comes back with all that was in it", async () => {
      const [before, count] = [await catalog(), await rows()];
      docker("rm", "--force", `${prefix}-timescaledb`);
      const text = await timelift("preview");
      expect(text).toContain("does not answer: what is inside it is not compared");
      expect(text).toMatch(/Container timescaledb create/);
      expect(text).not.toMatch(/postgresql:index:\w+ +\S+ +(create|delete|replace)/);
      await up();
      expect([await catalog(), await rows()]).toEqual([before, count]);
      await expectNothingToDo();
    });

    test("what somebody changed by hand is put right by the next up", async () => {
      const before = await catalog();
      const client = new pg.Client(project.fromHere(await output("directUrl")));
      await client.connect();
      // The owner may do that.
      await client.query("REVOKE USAGE ON SCHEMA public FROM timelift_app");
      await client.end();
      expect(await catalog()).not.toEqual(before);
      expect(await up()).toMatch(/Grant timelift\.public-timelift_app updat/);
      expect(await catalog()).toEqual(before);
    });

    test("timelift takes over from the plugin, and drops nothing", async () => {
      const [before, count] = [await catalog(), await rows()];
      configure({ databaseThrough: "builtin" });
      await up();
      expect(await ofPlugin()).toEqual([]);
      expect([await catalog(), await rows()]).toEqual([before, count]);
    });
  },
);
