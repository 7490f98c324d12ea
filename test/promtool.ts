import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { onPath, treeLinker } from "../stacks/platforms/native/sandbox.ts";
import { ensureSysroot } from "../stacks/platforms/native/sysroot.ts";

const tree = onPath("promtool") === undefined ? await ensureSysroot(() => {}) : undefined;

/** Program and arguments of a promtool command: the machine's, else the Debian tree's. */
export function promtool(...args: string[]): [string, string[]] {
  if (tree === undefined) return ["promtool", args];
  const [linker, ...rest] = treeLinker(tree);
  return [linker as string, [...rest, join(tree, "usr/bin/promtool"), ...args]];
}

/** Whether Prometheus can parse an expression; throws what promtool says. */
export function requirePromQl(expression: string): void {
  execFileSync(...promtool("--experimental", "promql", "format", expression), { stdio: "pipe" });
}
