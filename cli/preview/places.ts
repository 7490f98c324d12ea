import { homedir } from "node:os";
import { projectDir } from "../backend.ts";

/** A text without the folders of this machine, which say nothing to a reader elsewhere. */
export const withoutPlaces = (text: string) =>
  text.replaceAll(`${projectDir}/`, "").replaceAll(projectDir, ".").replaceAll(homedir(), "~");
