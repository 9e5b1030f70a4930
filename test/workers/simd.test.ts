import { afterEach, describe, expect, it, vi } from "vitest";
import { UnsupportedError } from "../../src/errors.ts";
import { checkEngine, hasRelaxedSimd, hasSimd, hasThreads } from "../../src/workers/simd.ts";

afterEach(() => {
  vi.restoreAllMocks();
});

describe("the engine's features", () => {
  it("include SIMD and threads in every Node that Sluice supports", () => {
    expect([hasSimd(), hasThreads()]).toEqual([true, true]);
    expect(checkEngine()).toBeUndefined();
  });

  it("include relaxed SIMD from Node 22 on, and before where a flag says so", () => {
    const major = Number(process.versions.node.split(".")[0]);
    const flagged = [...process.execArgv, process.env.NODE_OPTIONS ?? ""].join(" ").includes("relaxed-simd");
    expect(hasRelaxedSimd()).toBe(major >= 22 || flagged);
  });

  it("are all absent where the engine validates nothing, and the error names what is missing", () => {
    vi.spyOn(WebAssembly, "validate").mockReturnValue(false);
    expect([hasSimd(), hasRelaxedSimd(), hasThreads()]).toEqual([false, false, false]);
    expect(() => checkEngine()).toThrow(UnsupportedError);
    expect(() => checkEngine()).toThrow("no SIMD and no shared memory");
  });

  it("lack threads where there is no SharedArrayBuffer", () => {
    vi.stubGlobal("SharedArrayBuffer", undefined);
    expect(hasThreads()).toBe(false);
    vi.unstubAllGlobals();
  });
});
