/** @file Whether a file is safetensors; apart from what reads them, so that asking loads nothing. */
import { open, stat } from "node:fs/promises";

/** A length of eight bytes, and the first character of the JSON behind it. */
export const HEAD_BYTES = 9;

/** Whether the first bytes of a file are those of safetensors: the upper half of a length is 0, and `{` follows it. */
export function beginsAsSafetensors(head: Uint8Array): boolean {
  return head.subarray(4, 8).every((byte) => byte === 0) && head[8] === 0x7b;
}

/** Whether a path is a file that begins as safetensors do. */
export async function isSafetensors(path: string): Promise<boolean> {
  const stats = await stat(path).catch(() => undefined);
  if (!stats?.isFile()) return false;
  const file = await open(path).catch(() => undefined);
  try {
    const head = new Uint8Array(HEAD_BYTES);
    const { bytesRead = 0 } = (await file?.read(head, 0, head.length, 0)) ?? {};
    return bytesRead === head.length && beginsAsSafetensors(head);
  } finally {
    await file?.close();
  }
}
