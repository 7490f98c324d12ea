import type { ExclusiveWork } from "./advisory-lock.ts";

/** "time" and "lift", and "lane" for its lanes: one load at a time in a database. */
export const loading: ExclusiveWork = {
  key: [0x74696d65, 0x6c696674],
  shared: [0x74696d65, 0x6c616e65],
  code: "load-locked",
  subject: "load lock of the target",
  doing: "is loading into this database",
};
