import { NativeService } from "../resources/native-service.ts";
import type { Platform } from "./platform.ts";

/** How the native platform keeps its services. */
export interface NativePlatformArgs {
  /** The stack's folder, relative to the project. */
  stateDir: string;
  /** Delete the data with a service. */
  dropData: boolean;
  /**
   * Whether Pulumi refuses to delete the service that holds the rows.
   * @default false
   */
  protect?: boolean;
}

/** Services as ordinary processes of this machine, on loopback. */
export function nativePlatform({ protect = false, ...args }: NativePlatformArgs): Platform {
  return {
    service(declaration, secrets, after = []) {
      const resource = new NativeService(
        declaration.name,
        { declaration, secrets, ...args },
        {
          dependsOn: after.map((service) => service.resource),
          protect: protect && declaration.name === "timescaledb",
        },
      );
      return { resource, host: "127.0.0.1", port: declaration.port, version: resource.version };
    },
  };
}
