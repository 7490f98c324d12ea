import { join } from "node:path";

/** The folder of a stack in which what is known of the source lies. */
export const sourceFolder = (stateDir: string) => join(stateDir, "source");

/** The private copy of the source. */
export const copyPathIn = (stateDir: string) => join(sourceFolder(stateDir), "copy.db");
