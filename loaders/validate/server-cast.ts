import pg from "pg";

/** Lets PostgreSQL read texts of the source: some canonical forms are only its own to give. */
export class ServerCast {
  readonly #client: pg.ClientBase;

  /** @param client a session outside of any transaction: a text that does not fit must not end one */
  constructor(client: pg.ClientBase) {
    this.#client = client;
  }

  /** Text -> the same as `jsonb` writes it; undefined for what is no JSON or cannot be jsonb. */
  async jsonb(texts: string[]): Promise<Map<string, string | undefined>> {
    if (texts.length === 0) return new Map();
    try {
      const { rows } = await this.#client.query<{ text: string }>(
        "SELECT t::jsonb::text AS text FROM unnest($1::text[]) WITH ORDINALITY AS u(t, n) ORDER BY n",
        [texts],
      );
      return new Map(texts.map((text, index) => [text, rows[index]?.text]));
    } catch (error) {
      if (!isDataError(error)) throw error;
      if (texts.length === 1) return new Map([[texts[0] as string, undefined]]);
    }
    const half = Math.ceil(texts.length / 2);
    const left = await this.jsonb(texts.slice(0, half));
    const right = await this.jsonb(texts.slice(half));
    return new Map([...left, ...right]);
  }
}

/** Class 22 (data exception) and 54 (limit): the text is at fault, not the connection. */
function isDataError(error: unknown): boolean {
  return error instanceof pg.DatabaseError && /^(22|54)/.test(error.code ?? "");
}
