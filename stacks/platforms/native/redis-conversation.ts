import { connect as openSocket } from "node:net";

/** How long one conversation may take, in ms. */
const patience = 5000;

/** A name with which to log in, and its password. */
export interface RedisLogin {
  user: string;
  password: string;
}

/**
 * Logs in to the Redis of this machine, says each command, and returns the answers that are one line: `OK`, `PONG`.
 * @throws Error with Redis' own words when it refuses one
 */
export function tellRedis(port: number, login: RedisLogin, commands: string[][]): Promise<string[]> {
  const all = [["AUTH", login.user, login.password], ...commands];
  return new Promise((resolve, reject) => {
    let text = "";
    const linesOf = () => text.split("\r\n").slice(0, -1);
    const socket = openSocket({ port, host: "127.0.0.1" }, () => socket.write(all.map(encoded).join("")));
    socket.setTimeout(patience, () => socket.destroy(new Error(`no answer within ${patience} ms`)));
    socket.setEncoding("utf8").on("data", (piece: string) => {
      text += piece;
      const lines = linesOf();
      if (lines.length >= all.length || lines.some((line) => line.startsWith("-"))) socket.destroy();
    });
    socket.once("error", reject).once("close", () => {
      const lines = linesOf();
      const refused = lines.find((line) => line.startsWith("-"));
      if (refused !== undefined) return reject(new Error(`redis answered ${refused.slice(1)}`));
      if (lines.length < all.length) return reject(new Error("redis hung up"));
      resolve(lines.slice(1).map((line) => line.replace(/^[+:]/, "")));
    });
  });
}

function encoded(words: string[]): string {
  const parts = words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`);
  return `*${words.length}\r\n${parts.join("")}`;
}
