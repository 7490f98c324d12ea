import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { cacheFolder } from "../stacks/platforms/native/sysroot.ts";
import { ProjectCopy } from "./project-copy.ts";

const project = join(import.meta.dirname, "..");
const debianTree = join(project, "tools", "debian-tree");
const timelift = join(project, "timelift");

const nowhere = "http://127.0.0.1:9";
const offline = {
  http_proxy: nowhere,
  https_proxy: nowhere,
  HTTP_PROXY: nowhere,
  HTTPS_PROXY: nowhere,
  npm_config_registry: nowhere,
};

const scratch = mkdtempSync(join(tmpdir(), "timelift-wrapper-"));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

let folders = 0;
function folder(): string {
  const path = join(scratch, String(folders++));
  mkdirSync(path);
  return path;
}

function run(file: string, args: string[], env: NodeJS.ProcessEnv, cwd = project) {
  return execa(file, args, { cwd, env, all: true, reject: false, stdin: "ignore" });
}

/** A PATH on which `script` stands in for `program`. */
function pathWith(program: string, script: string): string {
  const dir = folder();
  writeFileSync(join(dir, program), `#!/bin/sh\n${script}\n`);
  chmodSync(join(dir, program), 0o755);
  return `${dir}:${process.env.PATH}`;
}

/** A PATH with the system's tools but for these programs, as on a fresh machine. */
function pathWithout(...programs: string[]): string {
  const dir = folder();
  for (const name of readdirSync("/usr/bin")) {
    if (!programs.includes(name)) symlinkSync(join("/usr/bin", name), join(dir, name));
  }
  return dir;
}

const bare = () => pathWithout("node", "npm", "npx", "go", "pulumi", "pulumi-language-nodejs");

/** What a lock names as its holder: the pid, and the moment that process started. */
function holder(pid: number): string {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").at(-1)?.split(" ") ?? [];
  return `${pid}.${fields[19]}`;
}

describe("a tree of Debian packages", () => {
  const cache = folder();
  const tree = join(cache, "tree");
  const lock = join(cache, "apt.lock");

  test("is made by one of two that start at once, after a holder that died", async () => {
    symlinkSync("999999999.1", lock);
    const runs = await Promise.all(
      [1, 2].map(() => run(debianTree, [tree, "dash", "hello"], { TIMELIFT_CACHE: cache })),
    );
    const said = runs.map(({ all }) => all).join("\n");
    expect(runs.map(({ exitCode }) => exitCode)).toEqual([0, 0]);
    expect(said).toContain("process 999999999 ended before it was done");
    expect(said.match(/timelift: made /g)).toHaveLength(1);
    expect(existsSync(join(tree, "usr/bin/hello"))).toBe(true);
    expect(readFileSync(join(tree, "etc/passwd"), "utf8")).toContain("timelift:x:1000:1000:timelift:/srv:");
    expect(readdirSync(cache)).toEqual(["tree"]);
  });

  test("is left alone when it is there already, without a word or a network", async () => {
    const again = await run(debianTree, [tree, "dash", "hello"], { TIMELIFT_CACHE: cache, ...offline });
    expect([again.exitCode, again.all]).toEqual([0, ""]);
  });

  test("waits for a holder that lives", async () => {
    symlinkSync(holder(process.pid), lock);
    const other = run(debianTree, [join(cache, "other"), "dash"], { TIMELIFT_CACHE: cache, ...offline });
    let said = "";
    for await (const line of other.iterable({ from: "all" })) {
      said += `${line}\n`;
      if (line.includes("waiting for process")) {
        expect(line).toContain(`waiting for process ${process.pid}`);
        unlinkSync(lock);
      }
    }
    expect(said).toContain("reading Debian's package lists");
  });

  test("says what to do offline, and leaves nothing half-made", async () => {
    const dest = join(cache, "offline");
    const { exitCode, all } = await run(debianTree, [dest, "hello"], { TIMELIFT_CACHE: cache, ...offline });
    expect(exitCode).toBe(1);
    expect(all).toContain("Is this machine online?");
    expect(existsSync(dest)).toBe(false);
    expect(existsSync(lock)).toBe(false);
  });

  test("names a package that Debian does not have", async () => {
    const args = [join(cache, "none"), "no-such-package-at-all"];
    const { exitCode, all } = await run(debianTree, args, { TIMELIFT_CACHE: cache });
    expect(exitCode).toBe(1);
    expect(all).toContain("Unable to locate package no-such-package-at-all");
  });

  test("names what it lacks on a system that is not like Debian", async () => {
    const env = { TIMELIFT_CACHE: folder(), PATH: pathWithout("apt-get") };
    const { exitCode, all } = await run(debianTree, [join(cache, "none"), "hello"], env);
    expect(exitCode).toBe(1);
    expect(all).toContain("apt-get is not on PATH: this system is not like Debian");
  });
});

describe("the wrapper", () => {
  let copy: ProjectCopy;
  beforeAll(async () => {
    copy = await ProjectCopy.make({});
    rmSync(join(copy.dir, "node_modules"));
    return () => copy.remove();
  });
  const wrapper = (args: string[], env: NodeJS.ProcessEnv) =>
    run(join(copy.dir, "timelift"), args, env, copy.dir);

  test("says what to do when npm cannot be reached, and keeps node_modules as it was", async () => {
    const { exitCode, all } = await wrapper(["--help"], { ...offline, npm_config_cache: folder() });
    expect(exitCode).toBe(1);
    expect(all).toContain("Is this machine online? npm's own settings apply");
    expect(existsSync(join(copy.dir, "node_modules"))).toBe(false);
  });

  test("says what to do when nothing is there and nothing can be reached", async () => {
    const { exitCode, all } = await wrapper(["--help"], {
      ...offline,
      TIMELIFT_CACHE: folder(),
      PATH: bare(),
    });
    expect(exitCode).toBe(1);
    expect(all).toContain("Is this machine online?");
  });

  test("says how much room is missing", async () => {
    const full = "echo head; echo /dev/sda 1000000 999000 1024 99% /";
    const { exitCode, all } = await wrapper(["--help"], { PATH: pathWith("df", full) });
    expect(exitCode).toBe(1);
    expect(all).toMatch(/not enough disk space for the project's packages: \d+ MB needed, 1 MB free/);
  });

  test("installs the project's packages once when two start at once", async () => {
    const runs = await Promise.all([1, 2].map(() => wrapper(["--help"], {})));
    const said = runs.map(({ all }) => all).join("\n");
    expect(runs.map(({ exitCode }) => exitCode)).toEqual([0, 0]);
    expect(said.match(/timelift: installing the project's packages/g)).toHaveLength(1);
    expect(said.match(/Usage: timelift/g)).toHaveLength(2);
    expect(readdirSync(join(copy.dir, ".timelift"))).toEqual([]);
  });

  test("has nothing to say when everything is there", async () => {
    const { exitCode, stderr } = await wrapper(["--help"], offline);
    expect([exitCode, stderr]).toEqual([0, ""]);
  });

  test("refuses a cache folder that cannot be made", async () => {
    const file = join(folder(), "file");
    writeFileSync(file, "");
    const { exitCode, all } = await wrapper(["--help"], { TIMELIFT_CACHE: join(file, "cache") });
    expect(exitCode).toBe(1);
    expect(all).toContain("Set TIMELIFT_CACHE to a folder that can.");
  });
});

describe("doctor", () => {
  interface Item {
    name: string;
    state: string;
    version?: string;
    from?: string;
    cost?: string;
    reason?: string;
    remedy?: string;
  }
  const doctor = async (env: NodeJS.ProcessEnv) => {
    const { exitCode, stdout } = await run(timelift, ["doctor", "--json"], env);
    const report = JSON.parse(stdout) as { ok: boolean; cache: string; items: Item[] };
    return { exitCode, ...report, item: (name: string) => report.items.find((each) => each.name === name) };
  };

  test("says what is present, which version, from where", async () => {
    const report = await doctor({});
    expect(report).toMatchObject({ exitCode: 0, ok: true, cache: cacheFolder() });
    expect(report.item("node")).toEqual({
      name: "node",
      state: "present",
      version: process.versions.node,
      from: expect.stringContaining("/node"),
    });
    expect(report.item("pulumi")?.state).toBe("present");
    expect(report.item("language host")?.state).toBe("present");
  });

  test("works with nothing there, and says what each thing costs to get", async () => {
    const report = await doctor({ TIMELIFT_CACHE: folder(), PATH: bare() });
    for (const name of ["node", "npm", "pulumi", "go", "services from Debian"]) {
      expect(report.item(name)).toEqual({ name, state: "obtainable", cost: expect.stringMatching(/\d+ MB/) });
    }
  });

  test("fails where something can neither be found nor fetched, with the remedy", async () => {
    const path = pathWithout("node", "npm", "apt-get", "dpkg-deb");
    const report = await doctor({ TIMELIFT_CACHE: folder(), PATH: path });
    expect(report).toMatchObject({ exitCode: 1, ok: false });
    expect(report.item("node")).toMatchObject({ state: "missing", remedy: expect.stringContaining("PATH") });
  });

  test("says the same in plain lines", async () => {
    const { exitCode, stdout } = await run(timelift, ["doctor"], {});
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^present +node +24|^present +node +2[2-9]/m);
    expect(stdout).toContain(`Cache folder: ${cacheFolder()}`);
  });
});

describe("what the tools are made of", () => {
  const read = (...path: string[]) => readFileSync(join(project, ...path), "utf8");
  const versions = Object.fromEntries(
    [...read("tools", "versions.sh").matchAll(/^(\w+)=(\S+)$/gm)].map(([, name, version]) => [name, version]),
  );

  test("shellcheck finds nothing in them", async () => {
    const tree = join(cacheFolder(), "shellcheck");
    const made = await run(debianTree, [tree, "shellcheck"], {});
    expect(made.exitCode, made.all).toBe(0);
    const others = [join(project, ".ci", "run"), join(project, "docs", "ci", "preview.sh")];
    const args = ["--external-sources", "--check-sourced", timelift, debianTree, ...others];
    const { exitCode, all } = await run(join(tree, "usr/bin/shellcheck"), args, {});
    expect([exitCode, all]).toEqual([0, ""]);
  });

  test("their versions agree with the files that declare them", () => {
    const manifest = JSON.parse(read("package.json"));
    expect(manifest.engines.node).toBe(`>=${versions.node_minimum?.replace(/\.0$/, "")}`);
    expect(manifest.dependencies["@pulumi/pulumi"]).toBe(versions.pulumi_version);
    const cli = read("tools", "pulumi-cli", "go.mod");
    expect(cli).toContain(`github.com/pulumi/pulumi/pkg/v3 v${versions.pulumi_built_version}`);
    expect(cli).toContain(`\ngo ${versions.go_version}\n`);
    const host = read("tools", "pulumi-language-nodejs", "go.mod");
    expect(host).toContain(`github.com/pulumi/pulumi/sdk/v3 v${versions.language_host_built_version}`);
    expect(host).toContain(`\ngo ${versions.go_version}\n`);
  });

  test("no registry's or site's host is written down in them", () => {
    const files = readdirSync(join(project, "tools"), { recursive: true, encoding: "utf8" })
      .filter((name) => /\.(sh|mjs)$|debian-tree$/.test(name))
      .map((name) => read("tools", name));
    for (const text of [read("timelift"), ...files]) expect(text).not.toMatch(/https?:\/\//);
  });
});
