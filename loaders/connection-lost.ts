import pg from "pg";

const lost = /terminat|ECONNRESET|EPIPE|Connection ended|not queryable|socket|ETIMEDOUT/i;

/** Whether an error says that the connection broke, rather than that the server refused a statement. */
export function isConnectionLost(error: Error & { code?: string }): boolean {
  const { code = "", message } = error;
  if (code.startsWith("57P") || code.startsWith("08")) return true;
  return !(error instanceof pg.DatabaseError) && lost.test(`${code} ${message}`);
}
