import { describe, expect, test } from "vitest";
import { parseTargetUrl } from "../stacks/target-url.ts";

const full = { mode: "verify-full" };

describe("the URL of a target", () => {
  test("names host, port, database, login and encryption", () => {
    expect(parseTargetUrl("postgresql://owner:s3cret@db.example.com:6432/app?sslmode=verify-full")).toEqual({
      ...{
        host: "db.example.com",
        port: 6432,
        database: "app",
        user: "owner",
        password: "s3cret",
        tls: full,
      },
    });
  });

  test.each([
    ["postgres://o:p@h/d?sslmode=verify-full", { host: "h", port: 5432 }],
    ["postgresql://o:p@[2001:db8::1]:5433/d?sslmode=verify-full", { host: "2001:db8::1", port: 5433 }],
    [
      "postgresql://o%40x:p%2F%3A%23%25+%20@h/my%20db?sslmode=verify-full",
      { user: "o@x", password: "p/:#%+ ", database: "my db" },
    ],
    ["postgresql://o:a@b@h/d?sslmode=verify-full", { password: "a@b", host: "h" }],
    ["postgresql://o:p@h/d?sslmode=disable", { tls: { mode: "disable" } }],
    ["postgresql://o:p@h/d?sslmode=require", { tls: { mode: "require" } }],
    [
      "postgresql://o:p@h/d?sslmode=require&sslrootcert=ca.pem",
      { tls: { mode: "require", rootCert: "ca.pem" } },
    ],
    [
      "postgresql://o:p@h/d?sslrootcert=%2Fetc%2Fca%20a.pem&sslmode=verify-ca",
      { tls: { mode: "verify-ca", rootCert: "/etc/ca a.pem" } },
    ],
    ["postgresql://o:p@h/d?sslmode=verify-full&sslrootcert=system", { tls: full }],
  ])("%s", (url, expected) => {
    expect(parseTargetUrl(url)).toMatchObject(expected);
  });

  test.each([
    ["mysql://o:PWD@h/d?sslmode=require", "it does not begin with postgresql://"],
    ["host=h password=PWD", "it does not begin with postgresql://"],
    ["postgresql://o:PWD@h/d", "it has no sslmode: add ?sslmode=verify-full"],
    [
      "postgresql://o:PWD@h/d?sslmode=prefer",
      "its sslmode is not one of disable, require, verify-ca, verify-full",
    ],
    ["postgresql://o:PWD@h/d?sslmode=VERIFY-FULL", "its sslmode is not one of"],
    ["postgresql://o:PWD@h/d?sslmode=require&sslmode=disable", "it has sslmode twice"],
    ["postgresql://o:PWD@h/d?sslmode=", "its sslmode is empty"],
    ["postgresql://o:PWD@h/d?sslmode=verify-ca", "wants a file, sslrootcert=FILE"],
    ["postgresql://o:PWD@h/d?sslmode=verify-ca&sslrootcert=system", "wants a file, sslrootcert=FILE"],
    ["postgresql://o:PWD@h/d?sslmode=require&sslrootcert=system", "wants sslmode=verify-full"],
    ["postgresql://o:PWD@h/d?sslmode=disable&sslrootcert=ca.pem", "has no use with sslmode=disable"],
    [
      "postgresql://o:PWD@h/d?sslmode=require&channel_binding=require",
      "its parameter channel_binding is not known",
    ],
    ["postgresql://o:PWD@h/d?sslmode=require&password=PWD", "its parameter password is not known"],
    ["postgresql://o@h/d?sslmode=require", "it names no user or no password"],
    ["postgresql://:PWD@h/d?sslmode=require", "it names no user or no password"],
    ["postgresql://h/d?sslmode=require", "it names no user or no password"],
    ["postgresql://o:PWD@h?sslmode=require", "it names no database"],
    ["postgresql://o:PWD@h/d/e?sslmode=require", "it names no database, or more than a database"],
    ["postgresql://o:PWD@h1,h2/d?sslmode=require", "several hosts"],
    ["postgresql://o:PWD@%2Fvar%2Frun/d?sslmode=require", "several hosts, or a socket"],
    ["postgresql://o:PWD@/d?sslmode=require", "cannot be read as a URL"],
    ["postgresql://o:PWD@h:port/d?sslmode=require", "cannot be read as a URL"],
    ["postgresql://o:PW/D@h/d?sslmode=require", "percent-encode"],
    ["postgresql://o:12/PWD@h/d?sslmode=require", "percent-encode"],
    ["postgresql://o:PWD#x@h/d?sslmode=require", "percent-encode"],
    ["postgresql://o:PWD?x@h/d?sslmode=require", "percent-encode"],
    ["postgresql://o:PWD%zz@h/d?sslmode=require", "a % in it stands for nothing"],
  ])("%s is refused, and never quoted", (url, problem) => {
    const found = parseTargetUrl(url);
    expect(found).toBeTypeOf("string");
    expect(found).toContain(problem);
    expect(found).not.toMatch(/PW/);
  });
});
