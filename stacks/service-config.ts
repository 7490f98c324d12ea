import { z } from "zod";
import { type ServiceName, serviceNames } from "./services/service.ts";

/** The services that can run beside a database. */
export const besideNames: ServiceName[] = serviceNames.filter((name) => name !== "timescaledb");

const allowed = `standard, or a list of ${besideNames.join(", ")}`;

/** `timelift:services`: undefined stands for what the platform runs by default. */
export const services = z
  .union([z.literal("standard"), z.array(z.enum(besideNames))], { error: allowed })
  .default("standard")
  .transform((chosen) =>
    chosen === "standard" ? undefined : besideNames.filter((name) => chosen.includes(name)),
  );
