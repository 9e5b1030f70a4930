/**
 * @file sin and cos to full float64: angles of any size, reduced in revolutions.
 *
 * 1 / (2 pi) to 1200 bits would be a long product. But limbs whose product with x is a whole number of revolutions do not
 * count, nor do those far behind the point; ten in between are chosen, by the size of x, and x is scaled to match:
 *
 * ```text
 *   limbs      n0 n1 n2 n3 n4 n5 n6 n7 n8 n9 n10 n11 n12 ...
 *   x * limbs  whole ------> [ counts                  ]  too small to count
 * ```
 */
import { abs, add, constant, eq, floor, ge, head, mul, type Num, neg, round, sub, where } from "../expr.ts";
import { polynomial } from "./polynomial.ts";
import { limbsOfRevolution } from "./revolution.ts";

/** Half of x has 26 digits and a sign, and a limb too: the sum of two products has 53. */
const WIDTH = 27;
/** How many limbs are multiplied. */
const WINDOW = 10;
/**
 * By how many limbs the window can move, one after the other. A step by s is taken where x is at least 2^(27 s + 52):
 * then its last digit times the last limb left out is whole. After the last step x is below 2^133.
 */
const STEPS = [18, 9, 5, 3];
/** How many of them are multiplied exactly; what the others add is beyond the last digit that counts. */
const EXACT = 8;
/** Products with this limb and those before it can be more than half a revolution. */
const LAST_WHOLE = 4;
const LIMBS = limbsOfRevolution(WIDTH, WINDOW + STEPS.reduce((a, b) => a + b));

/** A number as a sum of two, the second far below the first. */
interface Parts {
  readonly high: Num;
  readonly low: Num;
}

/**
 * sin(x + quarters * pi / 2). Quarter turns are counted, and what is left, at most pi / 4, is known to 2^-118: enough for
 * the float64 nearest to a multiple of pi / 2, 6381956970095103 * 2^797, which is off it by 2^-61.
 */
export function sine(x: Num, quarters: 0 | 1): Num {
  const parts = revolutions(x);
  const n = round(mul(parts.reduce(add), 4));
  const angle = toRadians(sumOf([mul(n, -0.25), ...parts]));
  const turned = quarters === 0 ? n : add(n, 1);
  const halves = mul(turned, 0.5);
  const wave = where(eq(halves, round(halves)), sineOf(angle), cosineOf(angle));
  // turned mod 4 is 2 or 3 where half of it, rounded down, is odd.
  const whole = mul(floor(halves), 0.5);
  return where(eq(whole, round(whole)), wave, neg(wave));
}

/** x / (2 pi) as a sum, coarse to fine, without some whole revolutions. */
function revolutions(x: Num): Num[] {
  let scaled = x;
  let window: readonly Num[] = LIMBS.map(constant);
  for (const step of STEPS) {
    const far = ge(abs(scaled), 2 ** (WIDTH * step + 52));
    scaled = where(far, mul(scaled, 2 ** (-WIDTH * step)), scaled);
    window = window.slice(step).map((limb, i) => where(far, limb, window[i]!));
  }
  const factors = window.map((limb, i) => mul(limb, 2 ** (-WIDTH * (i + 1))));
  const { high, low } = halve(scaled);
  // The high half times one limb and the low half times the one before have the same unit: their sum is exact.
  const products = factors
    .slice(0, EXACT)
    .map((factor, i) => (i === 0 ? mul(high, factor) : add(mul(high, factor), mul(low, factors[i - 1]!))));
  const fractions = products.map((product, i) => (i <= LAST_WHOLE ? sub(product, round(product)) : product));
  const rest = factors.slice(EXACT).reduce(add);
  return [...fractions, add(mul(low, factors[EXACT - 1]!), mul(scaled, rest))];
}

/** Veltkamp's splitting: 26 digits each, the low half with a sign of its own. */
function halve(x: Num): Parts {
  const c = mul(x, 2 ** 27 + 1);
  const high = sub(c, sub(c, x));
  return { high, low: sub(x, high) };
}

/**
 * Exact but for a last rounding at 100 digits, if each term is a whole multiple of the last digit of the next (Dekker's
 * fast two-sum). Where terms cancel, their sum is exact.
 */
function sumOf([first, ...others]: readonly Num[]): Parts {
  let high = first!;
  const lost: Num[] = [];
  for (const term of others) {
    const sum = add(high, term);
    lost.push(sub(term, sub(sum, high)));
    high = sum;
  }
  const low = lost.reduce(add);
  const sum = add(high, low);
  return { high: sum, low: sub(low, sub(sum, high)) };
}

/** 2 pi in three parts, of 21, 32 and 53 digits. */
const TWO_PI = [6.283184051513672, 1.255665914356996e-6, 2.4492935982947064e-16] as const;

function toRadians({ high, low }: Parts): Parts {
  const [first, second, third] = TWO_PI;
  const product = mul(high, first + second);
  // Dekker's product: each of these is exact but the last, which is far behind.
  const top = head(high);
  const rest = sub(high, top);
  const left = [mul(top, first), mul(top, second), mul(rest, first), mul(rest, second)].reduce(
    (sum: Num, part) => add(sum, part),
    neg(product),
  );
  return { high: product, low: add(left, add(mul(high, third), mul(low, first))) };
}

/**
 * Minimax polynomials for |x| <= pi / 4, with errors of 2^-58, and the order of their operations: fdlibm, k_sin.c and
 * k_cos.c (Sun Microsystems 1993).
 */
const SINE = [
  0.00833333333332249, -0.0001984126982985795, 2.7557313707070068e-6, -2.5050760253406863e-8,
  1.58969099521155e-10,
];
const SINE_CUBE = -0.16666666666666632;
const COSINE = [
  0.0416666666666666, -0.001388888888887411, 2.480158728947673e-5, -2.7557314351390663e-7,
  2.087572321298175e-9, -1.1359647557788195e-11,
];

function sineOf({ high, low }: Parts): Num {
  const square = mul(high, high);
  const cube = mul(square, high);
  const inner = sub(mul(0.5, low), mul(cube, polynomial(square, SINE)));
  return sub(high, sub(sub(mul(square, inner), low), mul(cube, SINE_CUBE)));
}

function cosineOf({ high, low }: Parts): Num {
  const square = mul(high, high);
  const half = mul(square, 0.5);
  const near = sub(1, half);
  const rest = sub(mul(square, mul(square, polynomial(square, COSINE))), mul(high, low));
  return add(near, add(sub(sub(1, near), half), rest));
}
