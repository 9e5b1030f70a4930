/*
 * kernel: the loop that anyone would write in C, as the measure for the WebAssembly kernel.
 *
 *   kernel MOST_BYTES, then one line "BYTES REPEATS" on standard input for each measurement
 *
 * Answers each line with the milliseconds that one pass over BYTES took. Compile with -O3 -march=native.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

__attribute__((noinline)) static void leaky_relu(float *x, size_t count, float alpha) {
  for (size_t i = 0; i < count; i++) x[i] = x[i] > 0 ? x[i] : alpha * x[i];
}

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1e3 + t.tv_nsec / 1e6;
}

int main(int argc, char **argv) {
  size_t most = argc > 1 ? strtoull(argv[1], NULL, 10) : 0;
  float *x = aligned_alloc(4096, most);
  if (!x) return 1;
  for (size_t i = 0; i < most / 4; i++) x[i] = (float)(i * 2654435761u % 65536) / 32768 - 1;

  size_t bytes;
  int repeats;
  while (scanf("%zu %d", &bytes, &repeats) == 2 && bytes <= most) {
    double start = now();
    /* A slope just above 1 keeps the values away from 0, where subnormal numbers would slow the loop down. */
    for (int i = 0; i < repeats; i++) leaky_relu(x, bytes / 4, 1.0001f);
    printf("%.6f\n", (now() - start) / repeats);
    fflush(stdout);
  }
  return 0;
}
