//===- tests/fuzz/Fuzz.h - one target a file ------------------------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
// A target is a file that defines LLVMFuzzerTestOneInput. With -DPANTILE_FUZZ=ON libFuzzer drives it, with AddressSanitizer and
// UndefinedBehaviorSanitizer; else Replay.cpp does: the checked-in corpus, then seeded mutations of it, as a test.
//
//===----------------------------------------------------------------------===//

#ifndef PANTILE_TESTS_FUZZ_FUZZ_H
#define PANTILE_TESTS_FUZZ_FUZZ_H

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

namespace fuzz {

inline std::string_view view(const uint8_t *data, size_t size) { return {reinterpret_cast<const char *>(data), size}; }

/// What must hold for every input: says what does not, and ends the process so that the fuzzer keeps the input.
inline void require(bool holds, const char *what) {
  if (holds) return;
  std::fprintf(stderr, "does not hold: %s\n", what);
  std::abort();
}

/// Takes numbers and texts off an input's front; zeros and empty texts when there is no more.
class Bytes {
public:
  Bytes(const uint8_t *data, size_t size) : data(data), left(size) {}
  bool empty() const { return left == 0; }
  uint8_t byte() { return left ? (--left, *data++) : 0; }
  uint32_t below(uint32_t limit) { return limit ? byte() % limit : 0; }
  int64_t number() {
    // Mostly small, sometimes anything at all.
    static constexpr int64_t kOdd[] = {0, -1, INT64_MAX, INT64_MIN, INT32_MAX, int64_t(1) << 31, int64_t(1) << 32, int64_t(1) << 60};
    uint8_t kind = byte();
    if (kind < 200) return kind % 70;
    if (kind < 240) return kOdd[kind % 8];
    int64_t value = 0;
    for (int i = 0; i < 8; ++i) value = int64_t(uint64_t(value) << 8 | byte());
    return value;
  }
  std::string text(size_t most) {
    size_t size = below(uint32_t(most < 256 ? most : 256));
    if (size > left) size = left;
    std::string taken(reinterpret_cast<const char *>(data), size);
    data += size, left -= size;
    return taken;
  }
  std::string_view rest() { return view(data, left); }

private:
  const uint8_t *data;
  size_t left;
};

} // namespace fuzz

#endif // PANTILE_TESTS_FUZZ_FUZZ_H
