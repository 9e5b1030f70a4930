/** @file Sizes as people write them: `256MiB`. */
import { UsageError } from "../errors.ts";

const SIZE = /^(\d+(?:\.\d+)?|\.\d+)\s*(?:([KMGT])(iB|B)?|B)?$/i;
const POWER: Readonly<Record<string, number>> = { K: 1, M: 2, G: 3, T: 4 };

/**
 * Bytes from a number, or from text: `256MiB` and `256M` are binary (as in `head -c`, `dd`, `ulimit`), `1.5GB` is
 * decimal, `4096` is bytes.
 * @throws UsageError where it is no size, or not above 0
 */
export function parseSize(size: string | number, option = "--memory"): number {
  const match = SIZE.exec(String(size).trim());
  const bytes = match ? Math.floor(Number(match[1]) * scaleOf(match[2], match[3])) : Number.NaN;
  if (!(bytes > 0 && Number.isSafeInteger(bytes))) {
    throw new UsageError(`${option} is no size: ${JSON.stringify(size)}`, {
      remedy: "Write a number and a unit, such as 256MiB, 1.5GB or 64M.",
    });
  }
  return bytes;
}

function scaleOf(prefix: string | undefined, suffix: string | undefined): number {
  if (prefix === undefined) return 1;
  const decimal = suffix !== undefined && suffix.length === 1;
  return (decimal ? 1000 : 1024) ** POWER[prefix.toUpperCase()]!;
}
