import { describe, expect, test } from "vitest";
import { parseConfig } from "../stacks/config.ts";
import { postgresUrl } from "../stacks/connection-url.ts";
import { loginNames } from "../stacks/logins.ts";
import { serviceNames } from "../stacks/services/service.ts";
import { parseTargetUrl } from "../stacks/target-url.ts";

const url = (login: string, rest = "db.example.com/app?sslmode=verify-full") =>
  `postgresql://${login}@${rest}`;
const external = { source: "a", platform: "external", targetUrl: url("owner:PWone") };

const parse = (raw: Record<string, string>, isSecret?: (key: string) => boolean) =>
  parseConfig(
    Object.fromEntries(Object.entries(raw).map(([key, value]) => [`timelift:${key}`, value])),
    "prod",
    isSecret,
  );

const problem = (raw: Record<string, string>, isSecret?: (key: string) => boolean): string => {
  try {
    parse(raw, isSecret);
  } catch (error) {
    const { message } = error as Error;
    expect(message).not.toMatch(/PW/);
    return message;
  }
  throw new Error("the config was accepted");
};

describe("a stack with an external database", () => {
  test("takes the database from its URL, one login for all that no other URL names, and nothing beside it", () => {
    const config = parse(external);
    const owner = { user: "owner", password: "PWone" };
    expect(config).toMatchObject({ database: "app", services: [] });
    expect(config.external).toEqual({
      ...{ host: "db.example.com", port: 5432, database: "app", tls: { mode: "verify-full" } },
      logins: { owner, loader: owner, readonly: owner },
    });
  });

  test("takes each login from its own URL, and the services that are chosen", () => {
    const config = parse({
      ...external,
      loaderUrl: url("loader:PWtwo"),
      readonlyUrl: url("reader:PWthree"),
      services: '["redis","pgbouncer"]',
    });
    expect(config.external?.logins).toMatchObject({
      owner: { user: "owner" },
      loader: { user: "loader", password: "PWtwo" },
      readonly: { user: "reader", password: "PWthree" },
    });
    expect(config.services).toEqual(["pgbouncer", "redis"]);
    expect(loginNames(config.external, 1)).toEqual({
      ...{ timelift_owner: "owner", timelift_app: "owner", timelift_loader: "loader" },
      ...{ timelift_readonly: "reader", timelift_monitor: "reader" },
    });
  });

  test("needs a URL, an encrypted one, that can be read", () => {
    expect(problem({ source: "a", platform: "external" })).toContain(
      "timelift:targetUrl: timelift:platform is external, and no database is named\n    pulumi config set --secret timelift:targetUrl",
    );
    expect(problem(external, (key) => key !== "timelift:targetUrl")).toContain(
      "timelift:targetUrl: it holds a password and stands in the file in plain text",
    );
    const message = problem({ ...external, targetUrl: url("owner:PWone", "h/d"), loaderUrl: "loader PWtwo" });
    expect(message).toContain("2 of its values cannot be used");
    expect(message).toContain("timelift:targetUrl: it has no sslmode");
    expect(message).toContain("timelift:loaderUrl: it does not begin with postgresql://");
  });

  test("has one database: other URLs may differ in the login alone", () => {
    for (const rest of [
      "db.example.com/other?sslmode=verify-full",
      "replica/app?sslmode=verify-full",
      "db.example.com/app?sslmode=disable",
    ]) {
      expect(problem({ ...external, readonlyUrl: url("reader:PWthree", rest) })).toContain(
        "timelift:readonlyUrl: it differs from timelift:targetUrl in more than user and password",
      );
    }
  });

  test("cannot ask for its data to be dropped", () => {
    expect(problem({ ...external, dropData: "true" })).toContain(
      "timelift:dropData: timelift drops no external database; its rows are yours to delete\n    pulumi config set timelift:dropData false",
    );
  });

  test("is asked for by its platform, not by a URL alone", () => {
    expect(problem({ ...external, platform: "native" })).toContain(
      "timelift:targetUrl: it has no use, for timelift:platform is not external\n    pulumi config set timelift:platform external",
    );
  });
});

describe("the services beside a database", () => {
  test("are all of them on this machine, or those that are named", () => {
    expect(parse({ source: "a" }).services).toEqual(serviceNames.slice(1));
    expect(parse({ source: "a", services: "standard" }).services).toHaveLength(serviceNames.length - 1);
    expect(parse({ source: "a", services: "[]" }).services).toEqual([]);
    expect(parse({ source: "a", services: '["redis"]' }).services).toEqual(["redis"]);
  });

  test("that are not known are refused", () => {
    for (const services of ["redis", '["mysql"]', '["timescaledb"]', "{}"]) {
      const message = problem({ source: "a", services });
      expect(message).toContain(`standard, or a list of ${serviceNames.slice(1).join(", ")}`);
      expect(message).toContain("pulumi config set --path 'timelift:services[0]' redis");
    }
  });
});

test("the URL of an output brings back what the config's URL said", async () => {
  const text =
    "postgresql://o%40x:p%2F%3A%23%25%20@[2001:db8::1]:5433/my%20db?sslmode=verify-full&sslrootcert=%2Fca%20a.pem";
  const parsed = parseTargetUrl(text);
  if (typeof parsed === "string") throw new Error(parsed);
  const { user, password, ...at } = parsed;
  const made = await new Promise((resolve) => postgresUrl(at, user, password).apply(resolve));
  expect(parseTargetUrl(made as string)).toEqual(parsed);
});
