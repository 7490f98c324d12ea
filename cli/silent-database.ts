import { connect } from "node:net";
import { askPulumi } from "./pulumi.ts";

/** What is read of `pulumi stack export`. */
interface Exported {
  deployment: { resources?: { type: string; inputs?: { host?: string; port?: string } }[] } | null;
}

/**
 * The options with which a refresh leaves out what the postgresql plugin made, where their server does not answer: the
 * plugin asks it for each role and grant, and one that it cannot ask for fails the whole refresh.
 */
export async function withoutSilent(stack: string): Promise<string[]> {
  const { deployment } = JSON.parse(await askPulumi(["stack", "export", "--stack", stack])) as Exported;
  const provider = deployment?.resources?.find(({ type }) => type === "pulumi:providers:postgresql");
  const { host, port } = provider?.inputs ?? {};
  if (host === undefined || port === undefined || (await isAnswering(host, Number(port)))) return [];
  console.error(`The database at ${host}:${port} does not answer: what is inside it is not compared.`);
  return ["--exclude", "**postgresql:index/**"];
}

const patienceMs = 5000;
/** PostgreSQL's request for TLS, which a server answers with one letter, whatever it says to it. */
const question = Buffer.from([0, 0, 0, 8, 4, 210, 22, 47]);

/** Whether a PostgreSQL server answers; that a port is open says nothing where an engine forwards it. */
export function isAnswering(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: host.replace(/^\[|\]$/g, ""), port });
    const end = (answered: boolean) => {
      socket.destroy();
      resolve(answered);
    };
    socket.setTimeout(patienceMs, () => end(false));
    socket.once("connect", () => socket.write(question));
    socket.once("data", () => end(true));
    socket.once("error", () => end(false));
    socket.once("close", () => end(false));
  });
}
