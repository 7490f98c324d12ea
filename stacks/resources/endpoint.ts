/** Where a database answers; computed from config, so that a preview knows it before any server exists. */
export interface Endpoint {
  host: string;
  port: number;
  database: string;
}
