import type { ExclusiveWork } from "./advisory-lock.ts";

/** "time" and "lift": one load at a time in a database. */
export const loading: ExclusiveWork = {
  key: [0x74696d65, 0x6c696674],
  code: "load-locked",
  subject: "load lock of the target",
  doing: "is loading into this database",
};
