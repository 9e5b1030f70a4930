/** @file Writes a picture to its file: whole or not at all, and over an existing one only where that is allowed. */
import { writeFileSync } from "node:fs";
import { ioError } from "../../errors.ts";
import { openSink } from "../../pipeline/sink.ts";

/**
 * @param render is called once it is known that the output may be written
 * @throws OutputExistsError, IoError
 */
export async function writePicture(
  path: string,
  overwrite: boolean,
  render: () => Promise<Uint8Array>,
): Promise<void> {
  const sink = await openSink(path, { overwrite, signal: undefined });
  try {
    const bytes = await render();
    if (sink.kind === "stream") await sink.write(bytes);
    else save(sink.fd, bytes, path);
  } catch (error) {
    await sink.discard(error as Error);
    throw error;
  }
  await sink.commit();
}

function save(fd: number, bytes: Uint8Array, path: string): void {
  try {
    writeFileSync(fd, bytes);
  } catch (cause) {
    throw ioError(cause as NodeJS.ErrnoException, "write the output", { path });
  }
}
