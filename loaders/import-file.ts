import { pathToFileURL } from "node:url";
import { TimeliftError } from "./timelift-error.ts";

/**
 * Loads a file of a workload by Node's own import.
 * @param version another one loads the file anew
 * @throws TimeliftError `workload-import` where Node cannot: an import that leads nowhere, a mistake in the text
 */
export async function importFile<Exports>(path: string, version = ""): Promise<Partial<Exports>> {
  try {
    return (await import(`${pathToFileURL(path).href}${version && `?${version}`}`)) as Partial<Exports>;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new TimeliftError({
      code: "workload-import",
      subject: path,
      problem: `Node cannot load it: ${message?.split("\n")[0] ?? String(error)}`,
      remedy:
        code === "ERR_MODULE_NOT_FOUND"
          ? "mend the import: a path starts at the file itself and ends in .ts; a package (zod) is found in the node_modules of the workload's folder or of one above it, so outside of the project run npm install there"
          : "mend the file; Node only strips its types, so enum, namespace and the like cannot be written",
      cause: error,
    });
  }
}
