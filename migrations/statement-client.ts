import type pg from "pg";

/** A client that remembers the statement that failed: node-pg-migrate's errors do not say which one it was. */
export class StatementClient {
  readonly client: pg.Client;
  #failed = "";

  constructor(client: pg.Client) {
    this.client = new Proxy(client, {
      get: (target, property) => {
        const value = Reflect.get(target, property);
        if (typeof value !== "function") return value;
        if (property !== "query") return value.bind(target);
        return (...args: unknown[]) => {
          const answer: unknown = value.apply(target, args);
          if (answer instanceof Promise) answer.catch(() => this.#remember(args[0]));
          return answer;
        };
      },
    });
  }

  /** The statement in one line, comments left out, cut where it is long; empty while none failed. */
  get failed(): string {
    return shortStatement(this.#failed);
  }

  #remember(statement: unknown): void {
    this.#failed ||= typeof statement === "string" ? statement : (statement as { text: string }).text;
  }
}

/** A statement in one line, comments left out, cut where it is long. */
export function shortStatement(sql: string): string {
  const line = sql
    .replace(/^\s*--.*$/gm, "")
    .replace(/\s+/g, " ")
    .trim();
  return line.length > 100 ? `${line.slice(0, 99)}…` : line;
}
