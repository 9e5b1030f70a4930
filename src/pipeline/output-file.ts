/**
 * @file An output file that appears whole or not at all: written beside its place under a temporary name, then moved
 * there. Whatever goes wrong, an existing file stays as it was and no temporary one is left.
 */
import { randomBytes } from "node:crypto";
import { type Stats, unlinkSync } from "node:fs";
import { type FileHandle, link, lstat, open, realpath, rename, unlink } from "node:fs/promises";
import { basename, dirname, join, sep } from "node:path";
import { ioError, OutputExistsError } from "../errors.ts";
import { isDirectory, noSuchFile } from "./source.ts";

export interface OutputFileOptions {
  readonly overwrite: boolean;
  /** What is at the path already. */
  readonly existing: Stats | undefined;
}

/** Temporary files of this process. */
const unfinished = new Set<string>();
/** When the process is made to end in the middle, there is only time for this. */
function removeUnfinished(): void {
  for (const path of unfinished) {
    try {
      unlinkSync(path);
    } catch {
      // It is gone already, or never can be: the process ends either way.
    }
  }
}

const isLink = (path: string): Promise<boolean> =>
  lstat(path).then(
    (stats) => stats.isSymbolicLink(),
    () => false,
  );

/** Gives a file the owner and the mode of the one that it replaces, as far as that is allowed; `open` minds the umask. */
async function imitate(file: FileHandle, { uid, gid, mode }: Stats): Promise<void> {
  await file.chown(uid, gid).catch(() => {});
  await file.chmod(mode & 0o777).catch(() => {});
}

export class OutputFile {
  readonly kind = "file";
  readonly path: string;
  readonly #file: FileHandle;
  readonly #temporary: string;
  readonly #target: string;
  readonly #overwrite: boolean;
  readonly #replaces: boolean;

  static async create(path: string, { overwrite, existing }: OutputFileOptions): Promise<OutputFile> {
    // A name that ends like a directory's, and none at all: else it would be told when the work is done.
    const isNameOfDirectory = path.endsWith("/") || path.endsWith(sep);
    if (existing?.isDirectory() || isNameOfDirectory)
      throw ioError(isDirectory(), "create the output", { path });
    if (path === "") throw ioError(noSuchFile(), "create the output", { path });
    // A link to nothing is a name that is taken, too.
    if (!overwrite && (existing || (await isLink(path)))) throw new OutputExistsError(path);
    try {
      // Through a symbolic link: the file that it points to is replaced, not the link.
      const target = existing ? await realpath(path) : path;
      const name = `.${basename(target).slice(0, 64)}.${process.pid}.${randomBytes(4).toString("hex")}.partial`;
      const temporary = join(dirname(target), name);
      const file = await open(temporary, "wx", existing ? existing.mode & 0o777 : 0o666);
      if (existing) await imitate(file, existing);
      if (unfinished.size === 0) process.on("exit", removeUnfinished);
      unfinished.add(temporary);
      return new OutputFile(path, target, temporary, file, overwrite, existing !== undefined);
    } catch (cause) {
      throw ioError(cause as NodeJS.ErrnoException, "create the output", { path });
    }
  }

  private constructor(
    path: string,
    target: string,
    temporary: string,
    file: FileHandle,
    overwrite: boolean,
    replaces: boolean,
  ) {
    this.path = path;
    this.#target = target;
    this.#temporary = temporary;
    this.#file = file;
    this.#overwrite = overwrite;
    this.#replaces = replaces;
  }

  get fd(): number {
    return this.#file.fd;
  }

  /** The output is whole: puts it in its place. */
  async commit(): Promise<void> {
    const { path } = this;
    try {
      // The old contents must not be gone before the new ones are on the disk. A new file needs no such wait: after a
      // power cut its input is still there.
      if (this.#replaces) await this.#file.sync();
      await this.#file.close();
      if (this.#overwrite) await rename(this.#temporary, this.#target);
      else await this.#place();
      this.#forget();
    } catch (cause) {
      await this.discard();
      if (cause instanceof OutputExistsError) throw cause;
      throw ioError(cause as NodeJS.ErrnoException, "finish the output", { path });
    }
  }

  /** Leaves nothing behind. */
  async discard(): Promise<void> {
    await this.#file.close().catch(() => {});
    await unlink(this.#temporary).catch(() => {});
    this.#forget();
  }

  /** A link fails where a name exists, so of two runs that write the same output one is told; a rename would not. */
  async #place(): Promise<void> {
    try {
      await link(this.#temporary, this.#target);
    } catch (cause) {
      const { code } = cause as NodeJS.ErrnoException;
      if (code === "EEXIST") throw new OutputExistsError(this.path);
      return this.#placeWithoutLinks();
    }
    await unlink(this.#temporary);
  }

  /** Not every file system has links (FAT, some network ones): there, an empty file takes the name first. */
  async #placeWithoutLinks(): Promise<void> {
    try {
      await (await open(this.#target, "wx")).close();
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code === "EEXIST") throw new OutputExistsError(this.path);
      throw cause;
    }
    await rename(this.#temporary, this.#target).catch(async (cause) => {
      await unlink(this.#target);
      throw cause;
    });
  }

  #forget(): void {
    unfinished.delete(this.#temporary);
    if (unfinished.size === 0) process.off("exit", removeUnfinished);
  }
}
