import { type Tls, tlsModes } from "../loaders/tls.ts";

/** A database of others and one login of it, as a URL says it. */
export interface TargetUrl {
  host: string;
  port: number;
  database: string;
  user: string;
  password: string;
  tls: Tls;
}

const parameters = ["sslmode", "sslrootcert"];
const modes = `one of ${tlsModes.join(", ")}`;
const encode =
  "percent-encode what is special in user and password (@ is %40, : %3A, / %2F, ? %3F, # %23, % %25)";

/**
 * Reads `postgresql://user:password@host:port/database?sslmode=…`. Returns what is wrong with it as text, which never
 * quotes the URL: it holds a password.
 */
export function parseTargetUrl(text: string): TargetUrl | string {
  if (!/^postgres(ql)?:\/\//.test(text)) return "it does not begin with postgresql://";
  if (!URL.canParse(text)) return `it cannot be read as a URL: ${encode}`;
  const url = new URL(text);
  // A / ? or # in a password cuts the URL short, and the rest ends up in path or fragment.
  if (/@|#/.test(url.pathname + url.search + url.hash)) return `it cannot be read as a URL: ${encode}`;
  const [user, password, database] = [url.username, url.password, url.pathname.slice(1)].map(decoded);
  if (user === undefined || password === undefined || database === undefined) {
    return `a % in it stands for nothing: ${encode}`;
  }
  if (user === "" || password === "") return "it names no user or no password";
  const host = url.hostname.replace(/^\[(.*)\]$/, "$1");
  if (host === "") return "it names no host; a Unix socket is not supported";
  if (/[,%]/.test(host)) return "it names several hosts, or a socket; one host is wanted";
  if (database === "" || url.pathname.slice(1).includes("/"))
    return "it names no database, or more than a database";
  const options = parseOptions(url.search);
  if (typeof options === "string") return options;
  const tls = parseTls(options);
  if (typeof tls === "string") return tls;
  return { host, port: Number(url.port || 5432), database, user, password, tls };
}

function parseOptions(search: string): Map<string, string> | string {
  const options = new Map<string, string>();
  for (const pair of search.slice(1).split("&").filter(Boolean)) {
    const [name = "", ...rest] = pair.split("=");
    const value = decoded(rest.join("="));
    if (!parameters.includes(name)) {
      const shown = /^\w{1,40}$/.test(name) ? `its parameter ${name}` : "one of its parameters";
      return `${shown} is not known; take it out. Known are ${parameters.join(" and ")}`;
    }
    if (options.has(name)) return `it has ${name} twice`;
    if (value === undefined || value === "") return `its ${name} is empty or badly encoded`;
    options.set(name, value);
  }
  return options;
}

function parseTls(options: Map<string, string>): Tls | string {
  const mode = tlsModes.find((each) => each === options.get("sslmode"));
  const rootCert = options.get("sslrootcert");
  if (mode === undefined) {
    return options.has("sslmode")
      ? `its sslmode is not ${modes}; others may end up unencrypted without a word`
      : `it has no sslmode: add ?sslmode=verify-full, or ${modes}`;
  }
  if (mode === "disable" && rootCert !== undefined) return "its sslrootcert has no use with sslmode=disable";
  const isSystem = rootCert === "system";
  if (mode === "verify-ca" && (rootCert === undefined || isSystem)) {
    return "its sslmode=verify-ca wants a file, sslrootcert=FILE: any public certificate would do otherwise; or take sslmode=verify-full";
  }
  if (mode === "require" && isSystem) return "its sslrootcert=system wants sslmode=verify-full";
  return rootCert === undefined || isSystem ? { mode } : { mode, rootCert };
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
