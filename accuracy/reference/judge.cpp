// Judges results against the reference. Reads jobs from stdin, each a header of 128 bytes and its data, and prints the
// verdict on each as a line of JSON.
//
//   header    text, ended by zeros: "forward float32 FIRST STEP BLOCKS NAME": an op's results for the numbers whose bits
//             are BLOCK consecutive ones from FIRST * BLOCK on, then from (FIRST + STEP) * BLOCK on, and so forth
//             "gradient float16 0 1 65536 NAME": its results for every float16
//             "forward float64 0 1 COUNT NAME": COUNT inputs, then COUNT results
//
// `judge --list` prints the names it knows. `judge --check` compares the two kinds of number with each other.

#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <vector>

#include "catalog.h"
#include "float16.h"
#include "ulp.h"

static const uint32_t BLOCK = 1 << 16;
static const int HEADER = 128;
static const double HOPELESS = 64;
/** Units in the last place by which a verdict may fall short of the worst error. */
static const double SLACK = 0.0005;
/** Zeros whose signs are compared in a job. */
static const uint64_t MOST_ZEROS = 10000;

static void readAll(void *target, size_t bytes) {
  for (size_t done = 0; done < bytes;) {
    ssize_t got = read(0, (char *)target + done, bytes - done);
    if (got <= 0) {
      fprintf(stderr, "judge: the results end too early\n");
      exit(1);
    }
    done += got;
  }
}

static float floatOf(uint32_t bits) {
  float value;
  memcpy(&value, &bits, 4);
  return value;
}

/** What was found of one op, side and type. */
struct Verdict {
  double error = 0, input = NAN, result = NAN;
  uint64_t misrounded = 0, zeros = 0, zeroSigns = 0;
  double misroundedAt = NAN, zeroSignAt = NAN;
  uint64_t strays = 0;
  double strayAt = NAN, stray = NAN;

  void judge(double x, double y, Quad exact, const Format &format) {
    double found = errorOf(y, exact, format);
    if (found > error || isnan(input)) error = found, input = x, result = y;
    zeros += y == 0;
    if (y == 0 && !isnanq(exact) && (signbit(y) != 0) != (signbitq(exact) != 0) && zeroSigns++ == 0) zeroSignAt = x;
  }

  /** A result at an infinity or at NaN that is not the limit. */
  void addStray(double x, double y) {
    if (strays++ == 0) strayAt = x, stray = y;
  }

  /** As a line of JSON, which has no infinities: numbers go as text, in hexadecimal. */
  void print(const char *header) const {
    printf("{\"job\":\"%s\",\"error\":\"%.4f\",\"input\":\"%a\",\"result\":\"%a\"", header, error, input, result);
    printf(",\"misrounded\":%lu,\"misroundedAt\":\"%a\"", misrounded, misroundedAt);
    printf(",\"zeroSigns\":%lu,\"zeroSignAt\":\"%a\"", zeroSigns, zeroSignAt);
    printf(",\"strays\":%lu,\"strayAt\":\"%a\",\"stray\":\"%a\"}\n", strays, strayAt, stray);
  }
};

/** The results at the numbers that are no numbers: NaN, and where the limits are known, the infinities. */
static void special(Verdict &verdict, const Reference &reference, Side side, double x, double y, const Format &format) {
  if (isnan(x)) {
    // A derivative that is constant elsewhere may be that at NaN, too; PyTorch's is.
    // The sign of NaN is 0, as in PyTorch.
    bool zero = strcmp(reference.name, "sign") == 0 && y == 0;
    if (side == FORWARD && !isnan(y) && !zero) verdict.addStray(x, y);
    return;
  }
  // Limits are known as float32.
  const Format &known = format.digits > FLOAT32.digits ? FLOAT32 : format;
  Quad limit = roundTo(reference.limits[side][x > 0], known);
  if (isnan(y) ? !isnanq(limit) : limit != roundTo(y, known)) verdict.addStray(x, y);
}

typedef uint32_t Patterns __attribute__((vector_size(4 * LANES)));
#if LANES == 8
static const Patterns LANE = {0, 1, 2, 3, 4, 5, 6, 7};
#else
static const Patterns LANE = {0, 1, 2, 3};
#endif

static void judgeBlock(Verdict &verdict, const Reference &reference, Side side, uint32_t first, const float *results) {
  const double root = side == GRADIENT ? reference.root : 0;
  for (uint32_t i = 0; i < BLOCK; i += LANES) {
    Vector x = __builtin_convertvector((Floats)(LANE + first + i), Vector);
    Vector y = __builtin_convertvector(*(const Floats *)(results + i), Vector);
    Vector exact = reference.fast(side, x);
    Vector error = errorsOf(y, exact);
    // What is worse than the worst so far, by enough to be worth the time: errors grow with x in many places, and each
    // would be the next record. Where the worst is beyond all limits, only what is far worse.
    Bits suspicious = error > (verdict.error > HOPELESS ? 2 * verdict.error : verdict.error + SLACK);
    // The signs of zeros are compared where the result is one, but not for billions: far out double has a zero of its own.
    if (verdict.zeros < MOST_ZEROS) suspicious |= (y == 0) & (((Bits)y ^ (Bits)exact) < 0);
    if (root != 0) suspicious |= abs(x - root) < -0.001 * root;
    if (!any(suspicious)) continue;
    for (int lane = 0; lane < LANES; lane++)
      if (suspicious[lane]) verdict.judge(x[lane], y[lane], reference.exact(side, (Quad)x[lane]), FLOAT32);
  }
}

static void judgeFloat32(Verdict &verdict, const Reference &reference, Side side, uint32_t first, uint32_t step, uint32_t blocks) {
  static float results[BLOCK] __attribute__((aligned(64)));
  for (uint32_t k = 0; k < blocks; k++) {
    readAll(results, sizeof results);
    uint32_t bits = (first + k * step) * BLOCK;
    if ((bits & 0x7f800000) != 0x7f800000) {
      judgeBlock(verdict, reference, side, bits, results);
    } else {
      for (uint32_t i = 0; i < BLOCK; i++) special(verdict, reference, side, floatOf(bits + i), results[i], FLOAT32);
    }
  }
}

static void judgeFloat16(Verdict &verdict, const Reference &reference, Side side) {
  static uint16_t results[1 << 16];
  readAll(results, sizeof results);
  for (uint32_t bits = 0; bits < 1 << 16; bits++) {
    double x = float16Of(bits), y = float16Of(results[bits]);
    if (!isfinite(x)) {
      special(verdict, reference, side, x, y, FLOAT16);
      continue;
    }
    Quad exact = reference.exact(side, x);
    Quad expected = roundTo(exact, FLOAT16);
    bool same = isnan(y) ? isnanq(expected) : y == expected;
    if (!same && verdict.misrounded++ == 0) verdict.misroundedAt = x;
    verdict.judge(x, y, exact, FLOAT16);
  }
}

static void judgeFloat64(Verdict &verdict, const Reference &reference, Side side, uint32_t count) {
  std::vector<double> inputs(count), results(count);
  readAll(inputs.data(), 8 * count);
  readAll(results.data(), 8 * count);
  for (uint32_t i = 0; i < count; i++) {
    double x = inputs[i];
    // Next to its root a derivative is a difference, whose error is measured against its terms elsewhere.
    if (side == GRADIENT && reference.root != 0 && fabs(x - reference.root) < -0.125 * reference.root) continue;
    if (isfinite(x)) verdict.judge(x, results[i], reference.exact(side, x), FLOAT64);
    else special(verdict, reference, side, x, results[i], FLOAT64);
  }
}

/** Whether a header follows. */
static bool readHeader(char *header) {
  ssize_t got = read(0, header, HEADER);
  if (got <= 0) return false;
  if (got < HEADER) readAll(header + got, HEADER - got);
  return true;
}

static int judgeAll() {
  fcntl(0, F_SETPIPE_SZ, 1 << 20);
  char header[HEADER], side[16], type[16], name[64];
  while (readHeader(header)) {
    unsigned first, step, blocks;
    if (sscanf(header, "%15s %15s %u %u %u %63[^\n]", side, type, &first, &step, &blocks, name) != 6) return 1;
    const Reference *reference = referenceOf(name);
    if (!reference) {
      fprintf(stderr, "judge: no reference for %s\n", name);
      return 1;
    }
    Side which = strcmp(side, "forward") == 0 ? FORWARD : GRADIENT;
    Verdict verdict;
    narrow = strcmp(type, "float64") != 0;
    if (strcmp(type, "float32") == 0) judgeFloat32(verdict, *reference, which, first, step, blocks);
    else if (strcmp(type, "float16") == 0) judgeFloat16(verdict, *reference, which);
    else judgeFloat64(verdict, *reference, which, blocks);
    verdict.print(header);
    fflush(stdout);
  }
  return 0;
}

/** The largest relative difference of the two kinds of number, in units of float32, over 2^20 inputs of every size. */
static int check() {
  int bad = 0;
  for (const Reference *reference : CATALOG) {
    for (Side side : {FORWARD, GRADIENT}) {
      double worst = 0, at = 0;
      for (uint64_t k = 0; k < 1 << 15; k++) {
        float x = floatOf((uint32_t)(k * 131071) + (uint32_t)(k & 0xffff));
        if (!isfinite(x) || (side == GRADIENT && reference->root != 0 && fabs(x - reference->root) < -0.001 * reference->root)) continue;
        double fast = reference->fast(side, Vector{} + x)[0];
        Quad exact = reference->exact(side, x);
        if (isnan(fast) && isnanq(exact)) continue;
        double error = fabsq(exact) >= 0x1p128Q && fabs(fast) >= 0x1p128 ? 0 : (double)(fabsq(fast - exact) / stepAt(exact, FLOAT32));
        if (!(error <= worst)) worst = error, at = x;
      }
      bool good = worst < 1e-6;
      if (!good) bad++;
      if (!good) printf("%s %s: off by %g at %g (%a): double %g, quad %g\n", reference->name, side == FORWARD ? "forward" : "gradient", worst, at, at, reference->fast(side, Vector{} + at)[0], (double)reference->exact(side, at));
    }
  }
  return bad > 0;
}

int main(int argc, char **argv) {
  if (argc == 1) return judgeAll();
  if (strcmp(argv[1], "--check") == 0) return check();
  for (const Reference *each : CATALOG) printf("%s\n", each->name);
  return 0;
}
