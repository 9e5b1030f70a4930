import { configDefaults, defineConfig } from "vitest/config";
import { testsWithoutGpu } from "./test/support/gpu.ts";
import { testsWithoutGl } from "./test/support/headless-gl.ts";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    exclude: [...configDefaults.exclude, ...testsWithoutGpu(), ...testsWithoutGl()],
    testTimeout: 30_000,
  },
});
