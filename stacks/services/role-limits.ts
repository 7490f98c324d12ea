import type { Role } from "./role.ts";

/** What a login of a role may take. Times in milliseconds; 0 stands for no limit. */
export interface RoleLimits {
  /** Longest statement. */
  statementTimeout: number;
  /** Longest pause inside a transaction, after which the connection is closed. */
  idleInTransactionTimeout: number;
  /** Longest wait for a lock. */
  lockTimeout: number;
  /** Connections at once, for each of the role's two logins. */
  connections: number;
}

const unlimited: RoleLimits = {
  statementTimeout: 0,
  idleInTransactionTimeout: 0,
  lockTimeout: 0,
  connections: 0,
};

/**
 * Limits where the config says nothing else. Migrations, loads and the validation, which reads as `timelift_readonly`,
 * take as long as they take.
 */
export const defaultLimits: Record<Role, RoleLimits> = {
  timelift_owner: unlimited,
  timelift_loader: unlimited,
  timelift_app: {
    statementTimeout: 30_000,
    idleInTransactionTimeout: 60_000,
    lockTimeout: 10_000,
    connections: 60,
  },
  timelift_readonly: { ...unlimited, connections: 30 },
  timelift_monitor: {
    statementTimeout: 30_000,
    idleInTransactionTimeout: 60_000,
    lockTimeout: 10_000,
    connections: 10,
  },
};
