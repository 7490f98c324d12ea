import { Command } from "commander";
import {
  type StartRequest,
  type StopRequest,
  startService,
  stopService,
} from "../stacks/platforms/native/native-service.ts";
import { serveRequest } from "./request.ts";

/**
 * `timelift service start|stop`: what the Pulumi resource of a service runs. One JSON request on stdin, one
 * JSON answer on stdout, progress on stderr. The service outlives the command.
 */
export function serviceCommand(): Command {
  const command = new Command("service").description("start or stop one service of the native platform");
  command
    .command("start")
    .description("start a service, or bring a running one to its declaration; the request is read from stdin")
    .action(() => serveRequest((request: StartRequest) => startService(request, progress)));
  command
    .command("stop")
    .description("stop a service; the request is read from stdin")
    .action(() => serveRequest(async (request: StopRequest) => (await stopService(request)) ?? {}));
  return command;
}

function progress(line: string): void {
  process.stderr.write(`${line}\n`);
}
