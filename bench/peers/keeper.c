/*
 * keeper: keeps free memory from going back to the host of a virtual machine.
 *
 *   keeper SPARE_BYTES
 *
 * What a guest frees, it may report to its host, which takes it away. The next use of such a page then costs some
 * milliseconds for every 2 MiB, ten times what copying 2 MiB costs; who is measured next pays for it or not, by chance.
 * So this takes all free memory but SPARE_BYTES, touches it, and gives it back bit by bit while the others need it: at no
 * time is there much free memory to report, and all of it is warm.
 *
 * A line on standard input asks it to take what is free now; it answers with the bytes that it holds. It ends with its
 * input, or at once with its parent.
 */
#define _GNU_SOURCE
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/sysinfo.h>
#include <unistd.h>

enum { MOST_PIECES = 1 << 16, INTERVAL_MS = 2 };
static const size_t PIECE = 64u << 20;
static char *pieces[MOST_PIECES];
static size_t held;

static size_t free_bytes(void) {
  struct sysinfo info;
  sysinfo(&info);
  return (size_t)info.freeram * info.mem_unit;
}

static void take(size_t spare) {
  while (held < MOST_PIECES && free_bytes() > spare + PIECE) {
    char *piece = mmap(NULL, PIECE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (piece == MAP_FAILED) return;
    madvise(piece, PIECE, MADV_HUGEPAGE);
    for (size_t i = 0; i < PIECE; i += 4096) piece[i] = 1;
    pieces[held++] = piece;
  }
}

int main(int argc, char **argv) {
  if (argc != 2) return 2;
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  size_t spare = strtoull(argv[1], NULL, 10);
  struct pollfd input = {.fd = 0, .events = POLLIN};
  for (;;) {
    if (poll(&input, 1, held > 0 ? INTERVAL_MS : -1) > 0) {
      char request;
      if (read(0, &request, 1) <= 0) return 0;
      take(spare);
      printf("%zu\n", held * PIECE);
      fflush(stdout);
    }
    while (held > 0 && free_bytes() < spare) munmap(pieces[--held], PIECE);
  }
}
