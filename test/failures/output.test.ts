/** Outputs that cannot be written, must not be, or are the input themselves. */
import { execFileSync } from "node:child_process";
import {
  chmodSync,
  closeSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readlinkSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
} from "node:fs";
import { describe, expect, it } from "vitest";
import { OutputExistsError, UsageError } from "../../src/errors.ts";
import { transform } from "../../src/pipeline/transform.ts";
import { fixture } from "../support/fixtures.ts";
import { npyOfZeros } from "../support/inputs.ts";
import { expectError, sluice, withoutRights } from "../support/process.ts";
import { scene } from "../support/scene.ts";

const whole = fixture("small.arrow");

describe("an output that exists", () => {
  it("needs --overwrite", async () => {
    const { write, untouched } = scene();
    const [input, output] = [write("in.arrow", whole), write("out.arrow", "precious")];
    const result = await untouched(() => sluice(["apply", "relu", input, output]));
    expectError(result, 1, /exists already .*out\.arrow\)\n {2}.*--overwrite/);
    await expect(untouched(() => transform(input, output, { ops: "relu" }))).rejects.toThrow(
      OutputExistsError,
    );
  });

  it("is replaced with --overwrite, and keeps its mode", async () => {
    const { write, read, names } = scene();
    const [input, output] = [write("in.arrow", whole), write("out.arrow", "old")];
    // More than a usual umask leaves to a new file.
    chmodSync(output, 0o666);
    expect(await sluice(["apply", "--overwrite", "relu", input, output])).toMatchObject({
      code: 0,
      stderr: "",
    });
    expect(read("out.arrow").length).toBe(whole.length);
    expect(statSync(output).mode & 0o777).toBe(0o666);
    expect(names()).toEqual(["in.arrow", "out.arrow"]);
  });

  it("is replaced through a link, which stays", async () => {
    const { write, read, path } = scene();
    const input = write("in.arrow", whole);
    write("there/real.arrow", "old");
    symlinkSync("there/real.arrow", path("out.arrow"));
    expect((await sluice(["apply", "--overwrite", "relu", input, path("out.arrow")])).code).toBe(0);
    expect(readlinkSync(path("out.arrow"))).toBe("there/real.arrow");
    expect(read("there/real.arrow").length).toBe(whole.length);
  });

  it("is a link to nothing: that is told before the work, and the link stays", async () => {
    const { write, path, untouched } = scene();
    const input = write("in.arrow", "not even a tensor");
    symlinkSync("gone.arrow", path("out.arrow"));
    const result = await untouched(() => sluice(["apply", "relu", input, path("out.arrow")]));
    expectError(result, 1, /exists already .*out\.arrow/);
  });

  it("is told before the input is looked at", async () => {
    const { write, untouched } = scene();
    const output = write("out.arrow", "precious");
    const result = await untouched(() => sluice(["apply", "relu", "-", output], { stdin: "open" }));
    expectError(result, 1, /exists already/);
  });
});

describe("an output that cannot be", () => {
  it.each([
    ["no/such/directory/out.arrow", /ENOENT .*\n {2}Check the path and that its directory exists/],
    ["in.arrow/out.arrow", /ENOTDIR .*\n {2}Check the path: a part of it is a file/],
    [`${"x".repeat(300)}.arrow`, /ENAMETOOLONG .*\n {2}Choose a shorter name/],
    ["", /ENOENT/],
    ["there", /EISDIR .*\n {2}Name a file, not a directory/],
    ["there/", /EISDIR/],
    ["new/", /EISDIR/],
    [".", /EISDIR/],
  ])("%j is an error that says why, before the work", async (name, says) => {
    const { write, path, root, untouched } = scene();
    const input = write("in.arrow", "not even a tensor");
    mkdirSync(path("there"));
    for (const overwrite of [[], ["--overwrite"]]) {
      const result = await untouched(() =>
        sluice(["apply", ...overwrite, "relu", input, name], { cwd: root }),
      );
      expectError(result, 1, says);
    }
  });

  it("a directory that may not be written is an error that says so", async () => {
    const here = scene();
    const input = here.write("in.arrow", whole);
    here.write("closed/old.arrow", "precious");
    const options = withoutRights(here);
    chmodSync(here.path("closed"), 0o555);
    for (const name of ["closed/out.arrow", "closed/old.arrow"]) {
      const result = await here.untouched(() =>
        sluice(["apply", "--overwrite", "relu", input, here.path(name)], options),
      );
      expectError(result, 1, /Could not create the output: EACCES .*\n {2}Check the permissions/);
    }
  });

  it("a file system that is read-only is an error that says so", async () => {
    const { write, untouched } = scene();
    const input = write("in.arrow", whole);
    // /proc takes no new files, whoever asks.
    const result = await untouched(() => sluice(["apply", "relu", input, "/proc/out.arrow"]));
    expectError(result, 1, /Could not create the output: E/);
  });

  it("a stdout that is not open for writing is an error", async () => {
    const { write, untouched } = scene();
    const input = write("in.arrow", whole);
    for (const file of ["/dev/null", input.replace("in.arrow", "other.arrow")]) {
      write("other.arrow", "precious");
      const result = await untouched(() =>
        sluice(["apply", "relu", input, "-"], { shell: `"$@" 1< ${file}` }),
      );
      expectError(result, 1, /Could not write: EBADF/);
    }
  });
});

describe("an output that is the input is refused, with --overwrite too", () => {
  const says = /^sluice: The output is the input .*\n {2}Write to another name/;

  it.each<[string, (path: (name: string) => string) => string]>([
    ["by the same name", (path) => path("in.arrow")],
    ["by another path", (path) => `${path("there")}/../in.arrow`],
    [
      "through a symbolic link",
      (path) => {
        symlinkSync("in.arrow", path("link.arrow"));
        return path("link.arrow");
      },
    ],
    [
      "through a hard link",
      (path) => {
        linkSync(path("in.arrow"), path("twin.arrow"));
        return path("twin.arrow");
      },
    ],
    [
      "through a link to its directory",
      (path) => {
        symlinkSync(".", path("here"));
        return path("here/in.arrow");
      },
    ],
  ])("%s", async (_name, make) => {
    const { write, path, untouched } = scene();
    const input = write("in.arrow", whole);
    mkdirSync(path("there"));
    const output = make(path);
    for (const overwrite of [[], ["--overwrite"]]) {
      expectError(await untouched(() => sluice(["apply", ...overwrite, "relu", input, output])), 2, says);
    }
    await expect(untouched(() => transform(input, output, { ops: "relu", overwrite: true }))).rejects.toThrow(
      UsageError,
    );
  });

  it("stdin is the file that is the output", async () => {
    const { write, path, untouched } = scene();
    const input = write("in.arrow", whole);
    const stdin = openSync(input, "r");
    const result = await untouched(() =>
      sluice(["apply", "--overwrite", "relu", "-", path("in.arrow")], { stdin }),
    );
    closeSync(stdin);
    expectError(result, 2, says);
  });

  it("stdout is the file that is the input", async () => {
    const { write, untouched } = scene();
    const input = write("in.arrow", whole);
    for (const flags of ["a", "r+"]) {
      const stdout = openSync(input, flags);
      const result = await untouched(() => sluice(["apply", "relu", input, "-"], { stdout }));
      closeSync(stdout);
      expectError(result, 2, says);
    }
  });

  it("stdin and stdout are the same file", async () => {
    const { write, untouched } = scene();
    const input = write("in.arrow", whole);
    const result = await untouched(() =>
      sluice(["apply", "relu", "-", "-"], { shell: `"$@" < ${input} 1<> ${input}` }),
    );
    expectError(result, 2, says);
  });

  it("a named pipe", async () => {
    const { path, untouched } = scene();
    execFileSync("mkfifo", [path("pipe")]);
    const result = await untouched(() => sluice(["apply", "relu", path("pipe"), path("pipe")]));
    expectError(result, 2, says);
  });
});

describe("while the work goes on", () => {
  it("someone else makes the output: theirs stays", async () => {
    const { write, path, read, names } = scene();
    const input = write("in.arrow", whole);
    const onProgress = () => void write("out.arrow", "theirs");
    const failing = transform(input, path("out.arrow"), { ops: "relu", onProgress });
    await expect(failing).rejects.toThrow(OutputExistsError);
    expect(read("out.arrow").toString()).toBe("theirs");
    expect(names()).toEqual(["in.arrow", "out.arrow"]);
  });

  it("someone takes the directory of the output away", async () => {
    const { write, path, names } = scene();
    const input = write("in.arrow", whole);
    for (const overwrite of [false, true]) {
      mkdirSync(path("there"));
      const onProgress = () => rmSync(path("there"), { recursive: true, force: true });
      const failing = transform(input, path("there/out.arrow"), { ops: "relu", overwrite, onProgress });
      await expect(failing).rejects.toThrow(/Could not finish the output: ENOENT/);
      expect(names()).toEqual(["in.arrow"]);
    }
  });
});

it("a run that was killed leaves the old output, and the next one is not disturbed", async () => {
  const { path, write, names, read } = scene();
  const input = npyOfZeros(path("in.npy"), 2 ** 34);
  write("out.npy", "what was here before");
  const partial = () => names().find((name) => name.endsWith(".partial"));
  const result = await sluice(["apply", "--overwrite", "relu", input, path("out.npy")], {
    async started(child) {
      while (child.exitCode === null && !partial()) await new Promise((resolve) => setTimeout(resolve, 5));
      child.kill("SIGKILL");
    },
  });
  expect(result.signal).toBe("SIGKILL");
  expect(read("out.npy").toString()).toBe("what was here before");
  const small = write("small.arrow", whole);
  expect(
    (await sluice(["apply", "--overwrite", "relu", small, path("out.npy"), "--format", "arrow"])).code,
  ).toBe(0);
  expect(read("out.npy").length).toBe(whole.length);
});

it("an output in a directory that is a link is written where the link leads", async () => {
  const { write, path } = scene();
  const input = write("in.arrow", whole);
  mkdirSync(path("there"));
  symlinkSync("there", path("here"));
  expect((await sluice(["apply", "relu", input, path("here/out.arrow")])).code).toBe(0);
  expect(lstatSync(realpathSync(path("here/out.arrow"))).size).toBe(whole.length);
});
