/** Where a panel turns amber and red; the same numbers decide when an alert fires. */
export interface Limits {
  /** 95th percentile of the queries' run time, in seconds. */
  queryP95Seconds: number;
  /** How far a table may be behind what its workload expects, in seconds. */
  stalenessSeconds: number;
  /** Share of a pool's server connections that may be active. */
  poolUsedRatio: number;
  /** Age of the oldest captured change that is not applied, and lag of a replica, in seconds. */
  lagSeconds: number;
}

export const standardLimits: Limits = {
  queryP95Seconds: 1,
  stalenessSeconds: 86_400,
  poolUsedRatio: 0.9,
  lagSeconds: 300,
};
