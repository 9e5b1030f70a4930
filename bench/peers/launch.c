/*
 * launch: runs one command and accounts for it.
 *
 *   launch [--prime BYTES] COMMAND ARGUMENT...
 *
 * Writes one line to descriptor 3: wall seconds, user seconds, system seconds, peak resident KiB, exit status.
 *
 * Node cannot see what a child has used, so this asks wait4(2). It is a program of its own, and tiny, because Linux
 * carries the peak resident size across fork and exec: a child of a large process starts with its parent's peak.
 * The numbers cover the command and all descendants that it waited for: CPU time as a sum, the peak as the largest one.
 *
 * --prime touches that much memory and gives it back just before the clock starts. In a virtual machine, memory that was
 * free for a while belongs to the host, and its first use costs ten times what a page costs otherwise; without this, whoever
 * comes first pays.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec + t.tv_nsec / 1e9;
}

static double seconds(struct timeval t) { return t.tv_sec + t.tv_usec / 1e6; }

static void prime(size_t bytes) {
  char *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return;
  madvise(memory, bytes, MADV_HUGEPAGE);
  for (size_t i = 0; i < bytes; i += 4096) memory[i] = 1;
  munmap(memory, bytes);
}

int main(int argc, char **argv) {
  int first = 1;
  if (argc > 3 && strcmp(argv[1], "--prime") == 0) {
    size_t bytes = strtoull(argv[2], NULL, 10);
    first = 3;
    /* In a child, so that the touched memory is in nobody's account. */
    pid_t toucher = fork();
    if (toucher == 0) {
      prime(bytes);
      _exit(0);
    }
    waitpid(toucher, NULL, 0);
  }
  if (first >= argc) return 2;

  double start = now();
  pid_t child = fork();
  if (child == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    close(3);
    execvp(argv[first], argv + first);
    fprintf(stderr, "%s: %s\n", argv[first], strerror(errno));
    _exit(127);
  }
  int status = 0;
  struct rusage used;
  memset(&used, 0, sizeof used);
  while (wait4(child, &status, 0, &used) < 0 && errno == EINTR) continue;
  double wall = now() - start;

  int code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  dprintf(3, "%.6f %.6f %.6f %ld %d\n", wall, seconds(used.ru_utime), seconds(used.ru_stime), used.ru_maxrss, code);
  return 0;
}
