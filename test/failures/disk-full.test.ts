/** No room for the output: a full disk, a limit on file size, a device that is always full. */
import { spawnSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { IoError } from "../../src/errors.ts";
import { close } from "../../src/pipeline/close.ts";
import { transform } from "../../src/pipeline/transform.ts";
import { arrowOfZeros, npyOfZeros } from "../support/inputs.ts";
import { expectError, sluice } from "../support/process.ts";
import { type Scene, scene } from "../support/scene.ts";

const MIB = 2 ** 20;
/** Small enough for the main thread; and so large that it is the workers who find no room. */
const sizes: Record<string, readonly [bytes: number, roomKib: number]> = {
  small: [256 * 1024, 100],
  large: [128 * MIB, 112 * 1024],
};
/** A mount of one's own needs rights that not every machine gives. */
const canMount = spawnSync("unshare", ["-rm", "mount", "-t", "tmpfs", "none", "/mnt"]).status === 0;

/** Shells that run the command where only so many KiB fit. Each prints the names in `full/` at its end, and exits with its code. */
function crampedShells({ path }: Scene, room: number): Record<string, string> {
  const after = `; code=$?; cd "${path("full")}" && find . -type f; exit $code`;
  const tmpfs = `mount -t tmpfs -o size=${room}k none "${path("full")}" && echo precious > "${path("full/old.npy")}"`;
  return {
    "a limit on file size": `echo precious > "${path("full/old.npy")}"; (ulimit -f ${room}; "$@")${after}`,
    ...(canMount
      ? { "a full disk": `exec unshare -rm bash -c '${tmpfs} && { "$@"${after}; }' bash "$@"` }
      : {}),
  };
}

describe.each(Object.entries(sizes))("a %s file", (_size, [bytes, room]) => {
  it("does not fit: nothing is left, and what was there is untouched", async () => {
    const here = scene();
    mkdirSync(here.path("full"));
    const input = npyOfZeros(here.path("in.npy"), bytes);
    for (const [why, shell] of Object.entries(crampedShells(here, room))) {
      const says = why === "a full disk" ? /ENOSPC .*\n {2}Free some space/ : /EFBIG .*\n {2}.*ulimit -f/;
      for (const name of ["full/new.npy", "full/old.npy"]) {
        const result = await sluice(["apply", "--overwrite", "relu", input, here.path(name)], { shell });
        expectError(result, 1, says);
        expect(result.stderr).toMatch(/Could not write: .*byte \d+\)/);
        expect(result.stdout.toString()).toBe("./old.npy\n");
      }
    }
  });

  it("does not fit behind a pipe, nor in a redirected stdout", async () => {
    const here = scene();
    mkdirSync(here.path("full"));
    const input = npyOfZeros(here.path("in.npy"), bytes);
    for (const [why, shell] of Object.entries(crampedShells(here, room))) {
      const says = why === "a full disk" ? /Could not write: ENOSPC/ : /Could not write: EFBIG/;
      const piped = shell.replace(/"\$@"(?=[); ])/, `cat "${input}" | "$@"`);
      expectError(await sluice(["apply", "relu", "-", here.path("full/new.npy")], { shell: piped }), 1, says);
      const redirected = shell.replace(/"\$@"(?=[); ])/, `"$@" > "${here.path("full/redirected.npy")}"`);
      const result = await sluice(["apply", "relu", input, "-"], { shell: redirected });
      expectError(result, 1, says);
      // What the shell opened is the shell's.
      expect(result.stdout.toString().split("\n").sort()).toEqual(["", "./old.npy", "./redirected.npy"]);
    }
  });

  it("goes to /dev/full, by name and as stdout", async () => {
    const { path, untouched } = scene();
    const input = arrowOfZeros(path("in.arrow"), "file", bytes / 16);
    const says = /Could not write: ENOSPC/;
    expectError(await untouched(() => sluice(["apply", "relu", input, "/dev/full"])), 1, says);
    const shell = '"$@" > /dev/full';
    expectError(await untouched(() => sluice(["apply", "relu", input, "-"], { shell })), 1, says);
  });
});

it("a transform that runs out of room does not disturb the one beside it", async () => {
  const { path } = scene();
  const input = npyOfZeros(path("in.npy"), 64 * MIB);
  const [full, fine] = await Promise.allSettled([
    transform(input, "/dev/full", { ops: "relu" }),
    transform(input, path("out.npy"), { ops: "relu" }),
  ]);
  expect(full).toMatchObject({ status: "rejected", reason: expect.any(IoError) });
  expect(fine).toMatchObject({ status: "fulfilled" });
  await close();
});
