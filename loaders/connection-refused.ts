import type { Connection } from "./connection.ts";
import { quoteIdentifier } from "./identifier.ts";
import { TimeliftError } from "./timelift-error.ts";

/** What a user does about it: on a server that timelift started, and on one that others run. */
interface Remedies {
  own: string;
  external: string;
}

/** Codes that OpenSSL and Node give to certificates that do not convince. */
const distrusted = /^(CERT_|UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_|ERR_TLS_CERT_|ERR_SSL_|ERR_OSSL_)/;

/**
 * Turns what pg throws when it cannot connect to `subject` into an error that a user can act on. It never quotes a
 * password.
 */
export function connectionRefused(
  subject: string,
  { database, user, external = false }: Connection,
  error: NodeJS.ErrnoException,
): TimeliftError {
  const of = (code: string, problem: string, remedies: Remedies) =>
    new TimeliftError({
      ...{ code, subject, problem, cause: error },
      remedy: external ? remedies.external : remedies.own,
    });
  const { code = "", message } = error;
  if (message === "timeout expired") {
    return of(
      "database-unreachable",
      external ? "it does not answer" : "it takes connections and does not answer",
      {
        own: "timelift status shows what runs, timelift logs timescaledb what it does",
        external: reachable,
      },
    );
  }
  if (message.includes("does not support SSL")) {
    return of("database-tls", "it speaks no TLS", {
      own: "timelift logs timescaledb shows the server's side",
      external:
        "turn TLS on there; sslmode=disable in timelift:targetUrl only where nobody else can listen on the way",
    });
  }
  if (distrusted.test(code)) {
    return of("database-tls", `its certificate does not convince: ${message} (${code})`, {
      own: "timelift logs timescaledb shows the server's side",
      external:
        "name the file of its certificate authority: sslrootcert=FILE in timelift:targetUrl; the host there has to be one that the certificate names",
    });
  }
  switch (code) {
    case "ECONNREFUSED":
    case "ENOTFOUND":
    case "EAI_AGAIN":
    case "ETIMEDOUT":
    case "EHOSTUNREACH":
    case "ENETUNREACH":
    case "ECONNRESET":
      return of("database-unreachable", `nobody answers there (${code})`, {
        own: "start it with timelift up; timelift status shows what runs",
        external: reachable,
      });
    case "57P03":
      return of("database-starting", `it takes no connection now: ${message}`, {
        own: "try again in a few seconds",
        external: "try again in a few seconds",
      });
    case "53300":
      return of("database-full", `it has no connection left for ${user}: ${message}`, {
        own: "close some, then run again",
        external: "close some, or have its limit raised, then run again",
      });
    case "28P01":
      return of("database-password", `the password of ${user} is wrong`, {
        own: "timelift up sets the passwords that the stack's state holds; run it again",
        external: `set the URL that names ${user} anew: ${setUrl}`,
      });
    case "3D000":
      return of("database-missing", "there is no such database", {
        own: "check timelift:database, then timelift up",
        external: `create it, or mend its name: ${setUrl}`,
      });
    case "42501":
      return of("database-refused", `it refused ${user}: ${message}`, {
        own: "timelift up grants what the stack's roles need; run it again",
        external: `GRANT CONNECT ON DATABASE ${quoteIdentifier(database)} TO ${quoteIdentifier(user)};`,
      });
    default:
      return of("database-refused", `it refused ${user}: ${message}`, {
        own: "timelift logs timescaledb shows the server's side",
        external: "whoever runs it has to let the role in; its log may say more",
      });
  }
}

const reachable =
  "see that it runs, that its firewall or list of allowed addresses lets this machine in, and that host and port in timelift:targetUrl are right";
const setUrl = "pulumi config set --secret timelift:targetUrl (or loaderUrl, readonlyUrl)";
