/**
 * @file 1 / (2 pi) in limbs: what angles are multiplied by to count revolutions.
 *
 * ```text
 *   1 / (2 pi) = n0 * 2^-w + n1 * 2^-2w + n2 * 2^-3w + ...     whole numbers of at most w - 1 digits and a sign
 * ```
 */

/** The first 1280 bits of the fraction of 1 / (2 pi); the 1024 of the largest float64's exponent, and 256 more. */
const BITS = 1280n;
const FRACTION = BigInt(
  "0x28BE60DB9391054A7F09D5F47D4D377036D8A5664F10E4107F9458EAF7AEF1586DC91B8E909374B8" +
    "01924BBA827464873F877AC72C4A69CFBA208D7D4BAED1213A671C09AD17DF904E64758E60D4CE7D" +
    "272117E2EF7E4A0EC7FE25FFF7816603FBCBC462D6829B47DB4D9FB3C9F2C26DD3D18FD9A797FA8B" +
    "5D49EEB1FAF97C5ECF41CE7DE294A4BA9AFED7EC47E357421580CC11BF1EDAEAFC33EF0826BD0D87",
);

/** The first `count` limbs of `width` bits, whole numbers; 1280 bits are known. */
export function limbsOfRevolution(width: number, count: number): number[] {
  let left = FRACTION;
  return Array.from({ length: count }, (_, i) => {
    const unit = BITS - BigInt((i + 1) * width);
    const limb = (left + (1n << (unit - 1n))) >> unit;
    left -= limb << unit;
    return Number(limb);
  });
}
