import { describe, expect, test } from "vitest";
import { databasePlan } from "../stacks/database-plan.ts";
import { requireNextGeneration } from "../stacks/password-generation.ts";
import { loginOf, passwordsByLogin } from "../stacks/services/login.ts";
import { redis } from "../stacks/services/redis.ts";
import { roles } from "../stacks/services/role.ts";
import { timescaledb } from "../stacks/services/timescaledb.ts";
import { stackSecrets } from "./native-stack.ts";

const plan = databasePlan({ database: "app" });
const login = (name: string, of = plan) => of.logins.find((each) => each.name === name);

test("each role has two logins that act as it, of which the first generation opens one", () => {
  expect(plan.logins.map(({ name, group, enabled }) => [name, group, enabled])).toEqual(
    roles.flatMap((role) => [
      [`${role}_a`, role, true],
      [`${role}_b`, role, false],
    ]),
  );
  for (const { group, settings } of plan.logins) expect(settings.role).toBe(group);
});

test("only the owner, in whose name jobs run, may be logged in as by the server itself", () => {
  expect(plan.groups.filter(({ runsJobs }) => runsJobs).map(({ name }) => name)).toEqual(["timelift_owner"]);
});

test("generations take turns, and the one before stays open", () => {
  expect([1, 2, 3, 4].map((each) => loginOf("timelift_app", each))).toEqual([
    ...["timelift_app_a", "timelift_app_b", "timelift_app_a", "timelift_app_b"],
  ]);
  const second = databasePlan({ database: "app", generation: 2 });
  expect(second.logins.every(({ enabled }) => enabled)).toBe(true);
  expect({ ...second, generation: 1, logins: [] }).toEqual({ ...plan, logins: [] });
  const previous = { ...stackSecrets, timelift_app: "before" };
  expect(passwordsByLogin(stackSecrets, 1, ["timelift_app"])).toEqual([
    ["timelift_app_a", stackSecrets.timelift_app],
  ]);
  expect(passwordsByLogin({ ...stackSecrets, previous }, 2, ["timelift_app"])).toEqual([
    ["timelift_app_b", stackSecrets.timelift_app],
    ["timelift_app_a", "before"],
  ]);
});

test("limits are the role's defaults where the config says nothing else, and 0 takes one away", () => {
  expect(login("timelift_app_a")).toMatchObject({
    connections: 60,
    settings: {
      statement_timeout: "30000",
      idle_in_transaction_session_timeout: "60000",
      lock_timeout: "10000",
    },
  });
  expect(login("timelift_loader_a")).toMatchObject({
    connections: -1,
    settings: { role: "timelift_loader" },
  });
  const limits = {
    timelift_app: { statementTimeout: 5000, lockTimeout: 0 },
    timelift_loader: { connections: 4 },
  };
  const other = databasePlan({ database: "app", limits });
  expect(login("timelift_app_b", other)?.settings).toEqual({
    role: "timelift_app",
    statement_timeout: "5000",
    idle_in_transaction_session_timeout: "60000",
  });
  expect(login("timelift_loader_b", other)?.connections).toBe(4);
});

test("extensions are those of every stack and those asked for; pg_cron is asked for or taken where it is", () => {
  const names = (of = plan) => of.extensions.map(({ name, required }) => [name, required]);
  expect(names()).toEqual([
    ["timescaledb", true],
    ["pg_stat_statements", true],
    ["pg_cron", false],
  ]);
  expect(names(databasePlan({ database: "app", extensions: ["vector", "pg_cron"] }))).toEqual([
    ["timescaledb", true],
    ["pg_stat_statements", true],
    ["pg_cron", true],
    ["vector", true],
  ]);
});

describe("the number of the passwords goes up by one at a time", () => {
  const at = (generation: number) => timescaledb({ port: 1, database: "app", generation });
  const { contents: _, ...old } = at(1);

  test.each([
    ["a new stack begins anywhere", undefined, at(7)],
    ["the same", at(7), at(7)],
    ["the next", at(7), at(8)],
    ["the first, in a stack of before", old as ReturnType<typeof at>, at(1)],
    ["the next, in a stack of before", old as ReturnType<typeof at>, at(2)],
    ["another service has none", redis({ port: 1 }), redis({ port: 2 })],
  ])("%s", (_, before, now) => {
    expect(() => requireNextGeneration(before, now)).not.toThrow();
  });

  test.each([
    ["back", at(7), at(6)],
    ["two", at(7), at(9)],
    ["two, in a stack of before", old as ReturnType<typeof at>, at(3)],
  ])("refused: %s", (_, before, now) => {
    expect(() => requireNextGeneration(before, now)).toThrow(/pulumi config set timelift:passwordGeneration/);
  });
});
