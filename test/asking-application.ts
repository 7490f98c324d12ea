import pg from "pg";

/**
 * An application that asks all the time: over one connection that it keeps, and over a new one each time. What fails is
 * kept, and nothing is tried again.
 */
export class AskingApplication {
  asked = 0;
  readonly failures: unknown[] = [];
  readonly #config: pg.ClientConfig | string;
  readonly #question: string;
  #ends = false;
  readonly #loops: Promise<void>[];

  constructor(config: pg.ClientConfig | string, question: string) {
    this.#config = config;
    this.#question = question;
    this.#loops = [this.#keeping(), this.#connecting()];
  }

  async #keeping(): Promise<void> {
    const client = new pg.Client(this.#config);
    client.on("error", (error) => this.failures.push(error));
    try {
      await client.connect();
      while (!this.#ends) await this.#ask(client);
      await client.end();
    } catch (error) {
      this.failures.push(error);
    }
  }

  async #connecting(): Promise<void> {
    while (!this.#ends) {
      const client = new pg.Client(this.#config);
      client.on("error", (error) => this.failures.push(error));
      try {
        await client.connect();
        await this.#ask(client);
        await client.end();
      } catch (error) {
        this.failures.push(error);
      }
    }
  }

  async #ask(client: pg.Client): Promise<void> {
    try {
      await client.query(this.#question);
      this.asked += 1;
    } catch (error) {
      this.failures.push(error);
    }
  }

  async end(): Promise<void> {
    this.#ends = true;
    await Promise.all(this.#loops);
  }
}
