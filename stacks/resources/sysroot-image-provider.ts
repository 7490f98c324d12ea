import { isDeepStrictEqual } from "node:util";
import type { dynamic } from "@pulumi/pulumi";
import { hasImage } from "../platforms/docker/engine.ts";
import { type SysrootImageArgs, sysrootTag } from "../platforms/docker/sysroot-image.ts";
import { checked } from "./checked.ts";
import { runCommand } from "./command.ts";

/** `image` is known once the tree is there; `imported` is what preview shows of the engine. */
type Inputs = SysrootImageArgs & { image?: string; imported: string };
type Outputs = Inputs & { image: string };

const there = "yes";

export function check(_olds: Partial<Inputs>, news: Inputs): Promise<dynamic.CheckResult> {
  return checked("engine", news, async () => {
    const image = sysrootTag(news.extensions);
    const imported =
      image !== undefined && (await hasImage(news.engine, image)) ? there : "no; up imports it";
    return { ...(image !== undefined && { image }), imported };
  });
}

export async function diff(_id: string, olds: Outputs, news: Inputs): Promise<dynamic.DiffResult> {
  const changes =
    news.imported !== there || olds.image !== news.image || !isDeepStrictEqual(olds.engine, news.engine);
  return { changes };
}

export async function create(inputs: Inputs): Promise<dynamic.CreateResult> {
  return { id: "sysroot", outs: await importTree(inputs) };
}

export async function update(_id: string, _olds: Outputs, news: Inputs): Promise<dynamic.UpdateResult> {
  return { outs: await importTree(news) };
}

/** The image stays, as other images do. */
export async function remove(): Promise<void> {}

async function importTree(inputs: Inputs): Promise<Outputs> {
  const { engine, extensions } = inputs;
  const request: SysrootImageArgs = { engine, extensions };
  const { image } = await runCommand<{ image: string }>(["service", "image"], request);
  return { ...inputs, image, imported: there };
}
