/* Calls one kernel with the arguments that lie in a file; the outputs are written back into it.
   Linked with the AArch64 kernels and run under user-mode emulation by tests/test_arm.py. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct { int32_t min, extent, stride; uint32_t flags; } dim_t;
typedef struct { uint8_t code, bits; uint16_t lanes; } type_t;
typedef struct {
  uint64_t device; void *interface; void *host; uint64_t flags; type_t type; int32_t rank; dim_t *dim; void *padding;
} buffer_t;

int KERNEL(void **);

/* Halide's runtime asks for glibc's name; musl has only the plain one. */
FILE *fopen64(const char *path, const char *mode) { return fopen(path, mode); }

static void take(void *to, size_t n, FILE *f) { if (fread(to, 1, n, f) != n) exit(3); }

int main(int argc, char **argv) {
  FILE *f = fopen(argv[argc - 1], "r+b");
  int32_t count, head[5]; /* bytes, rank (-1: scalar), type, bytes before the first element, argument with its memory */
  void *args[64], *memory[64];
  long where[64]; int32_t bytes[64];
  take(&count, 4, f);
  for (int i = 0; i < count; i++) {
    take(head, sizeof head, f);
    buffer_t *b = calloc(1, sizeof *b);
    if (head[1] >= 0) {
      b->rank = head[1]; b->type = (type_t){head[2] & 255, head[2] >> 8, 1};
      b->dim = calloc(head[1] + 1, sizeof(dim_t));
      take(b->dim, head[1] * sizeof(dim_t), f);
    }
    where[i] = ftell(f); bytes[i] = head[4] == i ? head[0] : 0;
    memory[i] = head[4] == i ? aligned_alloc(64, (head[0] + 127) & ~63) : memory[head[4]];
    take(memory[i], bytes[i], f);
    b->host = (char *)memory[i] + head[3];
    args[i] = head[1] >= 0 ? (void *)b : memory[i];
    if (head[1] < 0) bytes[i] = 0;
  }
  int code = KERNEL(args);
  for (int i = 0; i < count; i++)
    if (bytes[i]) { fseek(f, where[i], SEEK_SET); fwrite(memory[i], 1, bytes[i], f); }
  fclose(f);
  return code ? 4 : 0;
}
