/*
 * copy: the floor under a file-to-file run: read(2) and write(2) of every window by several threads, and nothing else.
 *
 *   copy INPUT OUTPUT THREADS WINDOW_BYTES
 *
 * What sluice needs beyond this is what computing and JavaScript cost. OUTPUT may be "-": then the windows are only read.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int input, output = -1;
static size_t size, window;
static atomic_size_t next;

static void *work(void *unused) {
  (void)unused;
  char *buffer = aligned_alloc(4096, window);
  if (!buffer) exit(1);
  for (;;) {
    size_t start = atomic_fetch_add(&next, 1) * window;
    if (start >= size) return NULL;
    size_t length = size - start < window ? size - start : window;
    for (size_t done = 0; done < length;) {
      ssize_t moved = pread(input, buffer + done, length - done, start + done);
      if (moved <= 0) perror("read"), exit(1);
      done += moved;
    }
    for (size_t done = 0; output >= 0 && done < length;) {
      ssize_t moved = pwrite(output, buffer + done, length - done, start + done);
      if (moved <= 0) perror("write"), exit(1);
      done += moved;
    }
  }
}

int main(int argc, char **argv) {
  if (argc != 5) return fprintf(stderr, "usage: copy INPUT OUTPUT THREADS WINDOW_BYTES\n"), 2;
  int threads = atoi(argv[3]);
  window = strtoull(argv[4], NULL, 10);
  struct stat stats;
  input = open(argv[1], O_RDONLY);
  if (input < 0 || fstat(input, &stats) < 0) return perror(argv[1]), 1;
  size = stats.st_size;
  if (strcmp(argv[2], "-") != 0 && (output = open(argv[2], O_WRONLY | O_CREAT | O_TRUNC, 0644)) < 0) {
    return perror(argv[2]), 1;
  }
  pthread_t ids[256];
  for (int i = 0; i < threads && i < 256; i++) pthread_create(&ids[i], NULL, work, NULL);
  for (int i = 0; i < threads && i < 256; i++) pthread_join(ids[i], NULL);
  return 0;
}
