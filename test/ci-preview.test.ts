import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

const script = join(import.meta.dirname, "..", "docs", "ci", "preview.sh");
const token = "token-that-no-log-shows";
const marker = "<!-- timelift preview: dev -->";
const comment = `${marker}\n### Preview of \`dev\`: "1 change" & a \\ backslash\n`;

const present = async (program: string) => !(await execa(program, ["--version"], { reject: false })).failed;
const missing = (
  await Promise.all(["curl", "jq"].map(async (name) => ((await present(name)) ? [] : [name])))
).flat();

interface Note {
  id: number;
  by: string;
  body: string;
}

/** As much of GitHub's and GitLab's interface as the script uses, over HTTP, with pages and tokens. */
class Forge {
  readonly notes: Note[] = [];
  labels: string[] = [];
  readonly requests: string[] = [];
  readonly #server: Server;

  private constructor() {
    this.#server = createServer(async (request, response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk);
      const { status, answer } = this.#answer(
        request.method ?? "",
        new URL(request.url ?? "", "http://forge"),
        request.headers.authorization === `Bearer ${token}` || request.headers["private-token"] === token,
        chunks.length > 0 ? JSON.parse(Buffer.concat(chunks).toString()) : {},
      );
      response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(answer));
    });
  }

  static async start(): Promise<Forge> {
    const forge = new Forge();
    await new Promise<void>((resolve) => forge.#server.listen(0, "127.0.0.1", resolve));
    return forge;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  stop(): void {
    this.#server.close();
  }

  #answer(method: string, url: URL, known: boolean, sent: Record<string, unknown>) {
    this.requests.push(`${method} ${url.pathname}`);
    if (!known) return { status: 401, answer: { message: "Bad credentials" } };
    const page = this.notes.slice((Number(url.searchParams.get("page") ?? 1) - 1) * 100).slice(0, 100);
    const routes = { ...this.#github(page, sent), ...this.#gitlab(page, sent) };
    const route = routes[`${method} ${url.pathname}`];
    return route ? { status: 200, answer: route() } : { status: 404, answer: { message: "Not Found" } };
  }

  #github(page: Note[], sent: Record<string, unknown>): Record<string, () => unknown> {
    const issue = "/repos/me/app/issues/7";
    return {
      [`GET ${issue}/comments`]: () => page.map(({ id, by, body }) => ({ id, body, user: { login: by } })),
      [`POST ${issue}/comments`]: () => this.#add("github-actions[bot]", sent),
      ...this.#updates("PATCH /repos/me/app/issues/comments/", sent),
      [`GET ${issue}/labels`]: () => this.labels.map((name) => ({ name })),
      [`POST ${issue}/labels`]: () => this.#label(sent.labels as string[]),
      ...(this.labels.length > 0 && { [`DELETE ${issue}/labels/destructive`]: () => this.#label([]) }),
    };
  }

  #gitlab(page: Note[], sent: Record<string, unknown>): Record<string, () => unknown> {
    const request = "/projects/3/merge_requests/9";
    return {
      "GET /user": () => ({ username: "robot" }),
      [`GET ${request}/notes`]: () =>
        page.map(({ id, by, body }) => ({ id, body, author: { username: by } })),
      [`POST ${request}/notes`]: () => this.#add("robot", sent),
      ...this.#updates(`PUT ${request}/notes/`, sent),
      [`PUT ${request}`]: () => this.#label(sent.add_labels === undefined ? [] : [String(sent.add_labels)]),
    };
  }

  #add(by: string, sent: Record<string, unknown>): object {
    this.notes.push({ id: this.notes.length + 1, by, body: String(sent.body) });
    return {};
  }

  #updates(route: string, sent: Record<string, unknown>): Record<string, () => unknown> {
    return Object.fromEntries(
      this.notes.map((note) => [`${route}${note.id}`, () => Object.assign(note, { body: sent.body })]),
    );
  }

  #label(labels: string[]): object {
    this.labels = labels;
    return {};
  }
}

describe.skipIf(missing.length > 0)(
  `docs/ci/preview.sh${missing.length > 0 ? ` (no ${missing.join(", ")})` : ""}`,
  () => {
    let dir: string;
    let forge: Forge;
    beforeEach(async () => {
      dir = mkdtempSync(join(tmpdir(), "timelift-ci-"));
      mkdirSync(join(dir, "ci"));
      forge = await Forge.start();
      previewGives(2);
    });
    afterEach(() => {
      forge.stop();
      rmSync(dir, { recursive: true });
    });

    /** A timelift whose preview gives this comment and ends like that. */
    function previewGives(exitCode: number, text = comment): void {
      writeFileSync(join(dir, "text"), text);
      const lines = [
        "#!/bin/sh",
        `echo "$@; passphrase $(env | grep -c PULUMI_CONFIG_PASSPHRASE)"`,
        'cat text >"$5"',
        `exit ${exitCode}`,
      ];
      writeFileSync(join(dir, "timelift"), `${lines.join("\n")}\n`);
      chmodSync(join(dir, "timelift"), 0o755);
    }

    async function run(env: Record<string, string>) {
      const options = {
        cwd: dir,
        env: { PATH: process.env.PATH, ...env },
        extendEnv: false,
        all: true,
        reject: false,
      } as const;
      const { exitCode, all } = await execa("sh", [script, "dev"], options);
      expect(all).not.toContain(token);
      return { exitCode, all };
    }
    const github = (more: Record<string, string> = {}) =>
      run({
        ...{ GITHUB_API_URL: forge.url, GITHUB_REPOSITORY: "me/app", GITHUB_REF: "refs/pull/7/merge" },
        ...{ GITHUB_TOKEN: token, ...more },
      });
    const gitlab = (more: Record<string, string> = {}) =>
      run({
        ...{ CI_API_V4_URL: forge.url, CI_PROJECT_ID: "3", CI_MERGE_REQUEST_IID: "9" },
        ...{ PREVIEW_TOKEN: token, ...more },
      });

    test.each([
      ["GitHub", () => github()],
      ["GitLab", () => gitlab()],
    ])("comments once on %s, then updates that comment, wherever it is", async (_forge, tell) => {
      const before = Array.from({ length: 130 }, (_, i) => ({
        id: i + 1,
        by: "someone",
        body: `${marker} not by us`,
      }));
      forge.notes.push(...before);
      expect(await tell()).toMatchObject({ exitCode: 0 });
      expect(forge.notes.slice(130).map(({ body }) => body)).toEqual([comment]);
      previewGives(0, `${marker}\nanother\n`);
      expect(await tell()).toMatchObject({ exitCode: 0 });
      expect(forge.notes.slice(130).map(({ body }) => body)).toEqual([`${marker}\nanother\n`]);
      expect(forge.notes.slice(0, 130)).toEqual(before);
    });

    test("leaves the comment of another stack alone", async () => {
      forge.notes.push({ id: 1, by: "github-actions[bot]", body: "<!-- timelift preview: prod -->\nprod" });
      await github();
      expect(forge.notes.map(({ body }) => body)).toEqual([expect.stringContaining("prod"), comment]);
    });

    test.each([
      ["GitHub", github],
      ["GitLab", gitlab],
    ])(
      "labels what is destructive on %s, takes the label off, and fails where told to",
      async (_forge, tell) => {
        previewGives(3);
        expect(await tell()).toMatchObject({ exitCode: 0 });
        expect(forge.labels).toEqual(["destructive"]);
        const failed = await tell({ TIMELIFT_DESTRUCTIVE: "fail" });
        expect([failed.exitCode, failed.all]).toEqual([3, expect.stringContaining("has destructive steps")]);
        previewGives(2);
        expect(await tell({ TIMELIFT_DESTRUCTIVE: "fail" })).toMatchObject({ exitCode: 0 });
        expect(forge.labels).toEqual([]);
      },
    );

    test("comments on a preview that failed, and fails", async () => {
      previewGives(1);
      expect(await github()).toMatchObject({ exitCode: 1 });
      expect(forge.notes.map(({ body }) => body)).toEqual([comment]);
      writeFileSync(join(dir, "preview.md"), "of an earlier run");
      previewGives(1, "");
      expect(await github()).toMatchObject({ exitCode: 1 });
      expect(forge.notes.map(({ body }) => body)).toEqual([
        `${marker}\n### Preview of \`dev\`: failed\n\nThe log says why.\n`,
      ]);
    });

    test("tells nobody where it may not, and keeps comment and summary", async () => {
      const summary = join(dir, "summary");
      expect(await github({ TIMELIFT_COMMENT: "no", GITHUB_STEP_SUMMARY: summary })).toMatchObject({
        exitCode: 0,
      });
      expect(await run({ GITHUB_REF: "refs/heads/main" })).toMatchObject({ exitCode: 0 });
      expect(forge.requests).toEqual([]);
      expect(readFileSync(summary, "utf8")).toBe(comment);
      expect(readFileSync(join(dir, "preview.md"), "utf8")).toBe(comment);
    });

    test("fails where it cannot tell, without the token in what it says", async () => {
      const { exitCode, all } = await run({
        ...{
          GITHUB_API_URL: `${forge.url}/nowhere`,
          GITHUB_REPOSITORY: "me/app",
          GITHUB_REF: "refs/pull/7/merge",
        },
        GITHUB_TOKEN: token,
      });
      expect([exitCode, all]).toEqual([expect.any(Number), expect.stringContaining("404")]);
      expect(exitCode).not.toBe(0);
    });

    test("takes an empty secret for none", async () => {
      expect((await github({ PULUMI_CONFIG_PASSPHRASE: "" })).all).toContain("passphrase 0");
      expect((await github({ PULUMI_CONFIG_PASSPHRASE: "x" })).all).toContain(
        "preview --stack dev --markdown preview.md; passphrase 1",
      );
    });
  },
);

test("the workflows call the script that is there", () => {
  for (const file of [
    "docs/ci/github-actions.yml",
    "docs/ci/gitlab-ci.yml",
    ".github/workflows/preview.yml",
  ]) {
    const text = readFileSync(join(import.meta.dirname, "..", file), "utf8");
    expect(text).toMatch(/docs\/ci\/preview\.sh ("\$STACK"|dev)/);
  }
  expect(existsSync(script)).toBe(true);
});
