import type { Tls } from "../../loaders/tls.ts";

/** Where a database answers; computed from config, so that a preview knows it before any server exists. */
export interface Endpoint {
  host: string;
  port: number;
  database: string;
  /**
   * How connections are encrypted; a path in it is as the config writes it.
   * @default plain text, on loopback
   */
  tls?: Tls;
  /** Whether others run the server. @default false */
  external?: boolean;
}

/** Whether the second is another database than the first, in which nothing of the first stands. */
export function isElsewhere(first: Endpoint, second: Endpoint): boolean {
  return (["host", "port", "database"] as const).some((key) => first[key] !== second[key]);
}
