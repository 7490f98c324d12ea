import { createConnection, type Socket } from "node:net";

type Answer = string | number | null | Error | Answer[];

/** A client of a Redis on this machine that says one command at a time. */
export class RedisClient {
  readonly #socket: Socket;
  #text = "";
  #wake: () => void = () => {};
  #isClosed = false;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setEncoding("utf8");
    socket.on("data", (piece: string) => {
      this.#text += piece;
      this.#wake();
    });
    socket.on("error", () => {});
    socket.on("close", () => {
      this.#isClosed = true;
      this.#wake();
    });
  }

  /** Connects, and logs in where a login is given. */
  static async connect(port: number, user?: string, password?: string): Promise<RedisClient> {
    const client = new RedisClient(createConnection({ port, host: "127.0.0.1" }));
    if (user !== undefined) await client.ask("AUTH", user, password ?? "");
    return client;
  }

  /** The answer to a command; throws Redis' own words when it refuses. */
  async ask(...words: string[]): Promise<Answer> {
    const parts = words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`);
    this.#socket.write(`*${words.length}\r\n${parts.join("")}`);
    for (;;) {
      const found = parse(this.#text);
      if (found !== undefined) {
        this.#text = this.#text.slice(found.length);
        if (found.answer instanceof Error) throw found.answer;
        return found.answer;
      }
      if (this.#isClosed) throw new Error("redis hung up");
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  close(): void {
    this.#socket.destroy();
  }
}

/** The first answer of a text, and how much of it that is; undefined where it is not all there yet. */
function parse(text: string): { answer: Answer; length: number } | undefined {
  const end = text.indexOf("\r\n");
  if (end < 0) return undefined;
  const [kind, line, after] = [text[0], text.slice(1, end), end + 2];
  if (kind === "+") return { answer: line, length: after };
  if (kind === "-") return { answer: new Error(line), length: after };
  if (kind === ":") return { answer: Number(line), length: after };
  if (line === "-1") return { answer: null, length: after };
  // Tests ask for plain ASCII, where bytes are characters.
  if (kind === "$") {
    const length = after + Number(line) + 2;
    return text.length < length ? undefined : { answer: text.slice(after, length - 2), length };
  }
  const answer: Answer[] = [];
  let length = after;
  for (let index = 0; index < Number(line); index += 1) {
    const item = parse(text.slice(length));
    if (item === undefined) return undefined;
    answer.push(item.answer);
    length += item.length;
  }
  return { answer, length };
}
