/**
 * @file A function as lines to draw: from kink to kink, never across a jump or a pole, with points as close together as
 * its curvature asks for.
 *
 * A kink is found by where the expression takes another branch, so it is hit exactly, and not by luck of the grid.
 */
import type { PlotFunction } from "./function.ts";
import type { Range } from "./range.ts";

export interface Point {
  readonly x: number;
  readonly y: number;
}

/** A place where a curve is torn: its limits from both sides and its value, each where it is finite. */
export interface Jump {
  readonly x: number;
  readonly left: number | undefined;
  readonly value: number | undefined;
  readonly right: number | undefined;
}

export interface Curve {
  /** Smooth pieces from left to right, not clipped to the view; one that begins where another ends belongs to it. */
  readonly pieces: readonly (readonly Point[])[];
  readonly jumps: readonly Jump[];
}

export interface View {
  readonly x: Range;
  readonly y: Range;
}

interface Sample extends Point {
  readonly branch: number;
}

/** Intervals of the first, even grid. */
const GRID = 256;
/** Beyond these, a curve is too wild to be seen, as `mul(1e9) | round` and `mul(1e9) | sin`. */
const MOST_SAMPLES = 10_000;
/** Halvings of an interval for curvature. */
const DEEPEST = 24;
/** Of the picture's height: what a line may be off, and how far apart the two ends of a jump are at least. */
const PRECISION = 1 / 4000;
const LEAST_JUMP = 1e-4;
/** Of the picture's width: how closely a change of branch is located. */
const CLOSE = 1e-12;
/** Of the picture's height: how well the limits at such a place are known. */
const LIMIT = 100 * CLOSE;

export function sampleCurve(fn: PlotFunction, view: View): Curve {
  const height = view.y.to - view.y.from;
  const pieces: Point[][] = [];
  const jumps: Jump[] = [];
  let before: { readonly run: readonly Sample[]; readonly piece: Point[] | undefined } | undefined;
  for (const run of splitAtBranches(fn, view.x)) {
    const own = Number.isFinite(run[0]!.y) ? refine(run, fn, view) : [];
    if (before !== undefined) {
      const meeting = meet(fn, before.run.at(-1)!, run[0]!, height);
      const { x, left, right } = meeting;
      // The sides end at the place itself, not a hair's breadth beside it.
      if (before.piece && left !== undefined) before.piece[before.piece.length - 1] = { x, y: left };
      if (own[0] && right !== undefined) own[0][0] = { x, y: right };
      if (left !== right && (isInside(left, view.y) || isInside(right, view.y))) jumps.push(meeting);
    }
    pieces.push(...own);
    before = { run, piece: own.at(-1) };
  }
  return { pieces, jumps };
}

const isInside = (value: number | undefined, y: Range): boolean =>
  value !== undefined && value >= y.from && value <= y.to;

/** What happens in the gap between two runs; where the curve is not torn, all that is finite is equal. */
function meet(fn: PlotFunction, l: Sample, r: Sample, height: number): Jump {
  const x = roundest(l.x, r.x);
  const at = fn.valuesAt(Float64Array.of(x))[0]!;
  const rounded = (y: number): number => roundest(y - LIMIT * height, y + LIMIT * height);
  const value = Number.isFinite(at) ? rounded(at) : undefined;
  const limit = ({ y }: Sample): number | undefined => {
    if (!Number.isFinite(y)) return undefined;
    if (value !== undefined && Math.abs(value - y) <= LEAST_JUMP * height) return value;
    return rounded(y);
  };
  const [left, right] = [limit(l), limit(r)];
  const joined = left !== undefined && right !== undefined && Math.abs(left - right) <= LEAST_JUMP * height;
  return joined ? { x, left, value, right: left } : { x, left, value, right };
}

/**
 * Samples from left to right, in runs: within one, the branch is the same and the value finite or not. Between two runs
 * there is a gap too narrow to see, in which one thing or another happens.
 */
function splitAtBranches(fn: PlotFunction, { from, to }: Range): Sample[][] {
  const at = (xs: readonly number[]): Sample[] => {
    const places = Float64Array.from(xs);
    const [ys, branches] = [fn.valuesAt(places), fn.branchesAt(places)];
    return xs.map((x, i) => ({ x, y: ys[i]!, branch: branches[i]! }));
  };
  const close = CLOSE * (to - from);
  const grid = at(Array.from({ length: GRID + 1 }, (_, i) => (from * (GRID - i) + to * i) / GRID));
  let samples = grid;
  for (let round = 0; round < 20; round++) {
    const wide = samples
      .slice(1)
      .map((right, i) => [samples[i]!, right] as const)
      .filter(([l, r]) => !isSame(l, r) && r.x - l.x > close);
    if (wide.length === 0) break;
    // They run together: as if there were none.
    if (samples.length > MOST_SAMPLES) return runsOf(grid.map((sample) => ({ ...sample, branch: 0 })));
    const between = wide.flatMap(([l, r]) =>
      Array.from({ length: 15 }, (_, k) => l.x + ((r.x - l.x) * (k + 1)) / 16),
    );
    samples = [...samples, ...at(between)].sort((a, b) => a.x - b.x);
  }
  return runsOf(samples);
}

function runsOf(samples: readonly Sample[]): Sample[][] {
  const runs: Sample[][] = [];
  for (const sample of samples) {
    const last = runs.at(-1);
    if (last && isSame(last.at(-1)!, sample)) last.push(sample);
    else runs.push([sample]);
  }
  // A place of its own, like 0 for abs, is no run: it lies in the gap between its neighbours.
  return runs.filter((run) => run.length > 1);
}

const isSame = (a: Sample, b: Sample): boolean =>
  Object.is(a.branch, b.branch) && Number.isFinite(a.y) === Number.isFinite(b.y);

/** What is known of the line from a point to the next: the curve itself, not yet, or that a pole lies between them. */
type Verdict = "good" | "doubtful" | "torn";

/**
 * Points added to a smooth run until straight lines between them are as good as the curve, where it can be seen. Mostly
 * one piece; two where the run has a pole that no branch tells of, as that of 1 / x^2.
 */
function refine(run: readonly Point[], fn: PlotFunction, { y }: View): Point[][] {
  const tolerance = PRECISION * (y.to - y.from);
  const isHidden = (a: Point, b: Point): boolean =>
    (a.y > y.to && b.y > y.to) || (a.y < y.from && b.y < y.from);
  let points = run;
  let verdicts: Verdict[] = points.map(() => "doubtful");
  for (let depth = 0; depth < DEEPEST; depth++) {
    const places = points.flatMap((a, i) => {
      const b = points[i + 1];
      return b && verdicts[i] === "doubtful" && !isHidden(a, b) ? [i] : [];
    });
    if (places.length === 0) break;
    if (points.length > MOST_SAMPLES) return [points.slice()];
    const middles = Float64Array.from(places, (i) => middleOf(points[i]!.x, points[i + 1]!.x));
    const ys = fn.valuesAt(middles);
    const added = new Map(places.map((place, i) => [place, { x: middles[i]!, y: ys[i]! }]));
    const next: Point[] = [];
    const now: Verdict[] = [];
    points.forEach((a, i) => {
      const middle = added.get(i);
      next.push(a);
      if (middle === undefined) {
        now.push(verdicts[i] === "torn" ? "torn" : "good");
      } else if (!Number.isFinite(middle.y)) {
        now.push("torn");
      } else {
        const off = Math.abs(middle.y - (a.y / 2 + points[i + 1]!.y / 2));
        const verdict = off > tolerance ? "doubtful" : "good";
        next.push(middle);
        now.push(verdict, verdict);
      }
    });
    [points, verdicts] = [next, now];
  }
  const pieces: Point[][] = [[]];
  points.forEach((point, i) => {
    pieces.at(-1)!.push(point);
    if (i < points.length - 1 && verdicts[i] !== "good") pieces.push([]);
  });
  return pieces.filter((piece) => piece.length > 1);
}

const middleOf = (left: number, right: number): number => left + (right - left) / 2;

/** The number within [left, right] that has the fewest decimals: a kink at 0.1 is not at 0.09999999999. */
function roundest(left: number, right: number): number {
  const middle = middleOf(left, right);
  for (let decimals = 0; decimals <= 15; decimals++) {
    const round = Number(middle.toFixed(decimals));
    if (round >= left && round <= right) return round === 0 ? 0 : round;
  }
  return middle;
}
