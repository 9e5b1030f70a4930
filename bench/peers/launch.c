/*
 * launch: runs one command and accounts for it.
 *
 *   launch COMMAND ARGUMENT...
 *
 * Writes one line to descriptor 3: wall seconds, user seconds, system seconds, peak resident KiB, exit status.
 *
 * Node cannot see what a child has used, so this asks wait4(2). It is a program of its own, and tiny, because Linux
 * carries the peak resident size across fork and exec: a child of a large process starts with its parent's peak.
 * The numbers cover the command and all descendants that it waited for: CPU time as a sum, the peak as the largest one.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
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

int main(int argc, char **argv) {
  if (argc < 2) return 2;

  double start = now();
  pid_t child = fork();
  if (child == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    close(3);
    execvp(argv[1], argv + 1);
    fprintf(stderr, "%s: %s\n", argv[1], strerror(errno));
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
