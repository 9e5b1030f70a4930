import { configDefaults, defineConfig } from "vitest/config";
import { testsWithoutGpu } from "./test/support/gpu.ts";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    exclude: [...configDefaults.exclude, ...testsWithoutGpu()],
    testTimeout: 30_000,
  },
});
