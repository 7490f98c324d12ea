import { z } from "zod";
import { serviceNames } from "./services/service.ts";

const reference = z.string().min(1, "an image's reference, such as redis:8.2.1");
const address = z.union([z.ipv4(), z.ipv6()], { error: "an IP address of the engine's machine" });

const each = <Value extends z.ZodType>(value: Value) =>
  Object.fromEntries(serviceNames.map((name) => [name, value.optional()])) as Record<
    (typeof serviceNames)[number],
    z.ZodOptional<Value>
  >;

/** `timelift:images`: service -> reference in place of the default image, or `sysroot` for the Debian tree. */
export const images = z
  .union([z.literal("sysroot"), z.strictObject(each(reference))], {
    error: (issue) =>
      issue.code === "invalid_union"
        ? `neither sysroot nor an object of references, by service: ${serviceNames.join(", ")}`
        : undefined,
  })
  .default({});

/**
 * `timelift:publish`: service -> address at which its port is published. The database's always is, for migrations,
 * load and validation come in there.
 */
export const publish = z
  .strictObject({ ...each(address), timescaledb: address.default("127.0.0.1") })
  .prefault({});
