/** Inputs that cannot be opened or read. */
import { chmodSync, mkdirSync, symlinkSync } from "node:fs";
import { createServer } from "node:net";
import { describe, expect, it } from "vitest";
import { fixture } from "../support/fixtures.ts";
import { expectError, sluice, withoutRights } from "../support/process.ts";
import { type Scene, scene } from "../support/scene.ts";

const whole = fixture("small.arrow");

const unreadable: Record<string, readonly [make: (scene: Scene) => string, says: RegExp]> = {
  "a name that does not exist": [({ path }) => path("nowhere.arrow"), /ENOENT .*nowhere\.arrow/],
  "a directory that does not exist": [({ path }) => path("no/such/in.arrow"), /ENOENT/],
  "a path through a file": [({ write }) => `${write("file.arrow", whole)}/in.arrow`, /ENOTDIR/],
  "a link to nothing": [
    ({ path }) => {
      symlinkSync("gone", path("dangling.arrow"));
      return path("dangling.arrow");
    },
    /ENOENT/,
  ],
  "a link to itself": [
    ({ path }) => {
      symlinkSync("loop.arrow", path("loop.arrow"));
      return path("loop.arrow");
    },
    /ELOOP/,
  ],
  "a name that is too long": [({ path }) => path(`${"x".repeat(300)}.arrow`), /ENAMETOOLONG/],
  "an empty name": [() => "", /ENOENT/],
};

describe.each(Object.entries(unreadable))("the input is %s", (_name, [make, says]) => {
  it.each(["apply", "inspect"])("%s says so", async (command) => {
    const here = scene();
    const input = make(here);
    here.write("out.arrow", "what was here before");
    const operands = command === "apply" ? ["--overwrite", "relu", input, here.path("out.arrow")] : [input];
    const result = await here.untouched(() => sluice([command, ...operands]));
    expectError(result, 1, /Could not open the input: E/);
    expect(result.stderr).toMatch(says);
  });
});

it("the input is a socket", async () => {
  const { path, untouched } = scene();
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(path("in.arrow"), resolve));
  const result = await untouched(() => sluice(["apply", "relu", path("in.arrow"), path("out.arrow")]));
  await new Promise((resolve) => server.close(resolve));
  expectError(result, 1, /ENXIO/);
});

it("the input may not be read", async () => {
  const here = scene();
  const input = here.write("secret.arrow", whole);
  chmodSync(input, 0);
  const options = withoutRights(here);
  const result = await here.untouched(() =>
    sluice(["apply", "relu", input, here.path("out.arrow")], options),
  );
  expectError(result, 1, /Could not open the input: EACCES .*\n {2}Check the permissions/);
});

it("the directory of the input may not be entered", async () => {
  const here = scene();
  mkdirSync(here.path("closed"));
  here.write("closed/in.arrow", whole);
  chmodSync(here.path("closed"), 0);
  const options = withoutRights(here);
  const result = await sluice(
    ["apply", "relu", here.path("closed/in.arrow"), here.path("out.arrow")],
    options,
  );
  chmodSync(here.path("closed"), 0o777);
  expectError(result, 1, /EACCES/);
  expect(here.names()).toEqual(["closed"]);
});

it("stdin is closed, or a directory, or not open for reading", async () => {
  const here = scene();
  for (const [shell, says] of [
    ['"$@" <&-', /empty|EBADF/],
    [`"$@" < ${here.root}`, /EISDIR/],
    [`"$@" 0> ${here.path("written")}`, /EBADF/],
  ] as const) {
    const result = await sluice(["apply", "relu", "-", here.path("out.arrow")], { shell });
    expectError(result, 1, says);
    expect(here.names()).not.toContain("out.arrow");
  }
});
