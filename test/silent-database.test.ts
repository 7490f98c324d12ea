import { createServer } from "node:net";
import { expect, test } from "vitest";
import { isAnswering } from "../cli/silent-database.ts";
import { freePort } from "../stacks/platforms/native/port.ts";
import { databaseFromTemplate } from "./postgres.ts";

test("a server that runs answers", async () => {
  const database = await databaseFromTemplate("answering");
  expect(await isAnswering(database.owner.host, database.owner.port)).toBe(true);
  await database.drop();
});

test("a port that nobody has does not, nor one that is open with nobody behind it", async () => {
  expect(await isAnswering("127.0.0.1", await freePort())).toBe(false);
  const forwarder = createServer((socket) => socket.end());
  await new Promise<void>((resolve) => forwarder.listen(0, "127.0.0.1", resolve));
  const { port } = forwarder.address() as { port: number };
  expect(await isAnswering("127.0.0.1", port)).toBe(false);
  forwarder.close();
});
