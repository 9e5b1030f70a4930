import { readdirSync, readFileSync } from "node:fs";
import { afterEach, expect, it, vi } from "vitest";
import { toPng } from "../../../src/cli/plot/png.ts";
import { writePicture } from "../../../src/cli/plot/write.ts";
import { temporaryDirectory } from "../../support/directory.ts";

const directory = temporaryDirectory();

afterEach(() => {
  vi.doUnmock("@resvg/resvg-js");
});

it("without its package PNG is refused, with what to install, and nothing is left", async () => {
  vi.doMock("@resvg/resvg-js", () => {
    throw new Error("Cannot find package");
  });
  const writing = writePicture(directory.path("a.png"), false, () => toPng("<svg/>"));
  await expect(writing).rejects.toMatchObject({
    code: "ERR_UNSUPPORTED",
    message: "PNG needs the package @resvg/resvg-js, which cannot be loaded",
    remedy: expect.stringContaining("npm install @resvg/resvg-js"),
  });
  expect(readdirSync(directory.path("."))).toEqual([]);
});

it("a picture is not drawn where it may not be written", async () => {
  directory.write("taken.svg", "mine");
  const draw = vi.fn(async () => Buffer.from("new"));
  await expect(writePicture(directory.path("taken.svg"), false, draw)).rejects.toThrow("exists already");
  expect(draw).not.toHaveBeenCalled();
  await writePicture(directory.path("taken.svg"), true, draw);
  expect(readFileSync(directory.path("taken.svg"), "utf8")).toBe("new");
});
