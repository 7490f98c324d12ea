import { Command } from "commander";
import { type SettleRequest, settle } from "../stacks/platforms/docker/settle.ts";
import { ensureSysrootImage, type SysrootImageArgs } from "../stacks/platforms/docker/sysroot-image.ts";
import {
  type StartRequest,
  type StopRequest,
  startService,
  stopService,
} from "../stacks/platforms/native/native-service.ts";
import { serveRequest } from "./request.ts";

/**
 * `timelift service start|stop|settle|image`: what the Pulumi resource of a service runs. One JSON request on stdin, one
 * JSON answer on stdout, progress on stderr. The service outlives the command.
 */
export function serviceCommand(): Command {
  const command = new Command("service").description("start, stop or settle one service");
  command
    .command("start")
    .description("start a service, or bring a running one to its declaration; the request is read from stdin")
    .action(() => serveRequest((request: StartRequest) => startService(request, progress)));
  command
    .command("stop")
    .description("stop a service; the request is read from stdin")
    .action(() => serveRequest(async (request: StopRequest) => (await stopService(request)) ?? {}));
  command
    .command("settle")
    .description("make ready what a container runs; the request is read from stdin")
    .action(() => serveRequest((request: SettleRequest) => settle(request)));
  command
    .command("image")
    .description("import the Debian tree as an image of a Docker engine; the request is read from stdin")
    .action(() =>
      serveRequest(async (request: SysrootImageArgs) => ({
        image: await ensureSysrootImage(request, progress),
      })),
    );
  return command;
}

function progress(line: string): void {
  process.stderr.write(`${line}\n`);
}
