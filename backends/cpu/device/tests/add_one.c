/* A kernel as the compiler half would emit it: program i adds 1 to element i. */
#include <stdint.h>

__attribute__((visibility("default"))) void add_one(const uint64_t *slots, int64_t begin, int64_t end, void *scratch) {
  int32_t *values = (int32_t *)slots[0];
  (void)scratch;
  for (int64_t i = begin; i < end; ++i) values[i] += 1;
}
