import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    globalSetup: "test/test-server.ts",
    // Every worker may keep a database busy; more of them than cores only wait for each other.
    maxWorkers: 2,
    // The first integration test may have to download the services' programs.
    hookTimeout: 300_000,
    testTimeout: 120_000,
  },
});
