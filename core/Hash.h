//===- core/Hash.h - names of content and checksums -----------------------===//

#ifndef PANTILE_CORE_HASH_H
#define PANTILE_CORE_HASH_H

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace pantile {

/// A 256-bit BLAKE2b digest (libsodium): names kernels and artifacts.
struct Digest {
  std::array<uint8_t, 32> bytes{};
  bool operator==(const Digest &) const = default;
  std::string hex() const;
};

/// Hashes fields unambiguously: every field is preceded by its length.
class Hasher {
public:
  Hasher();
  Hasher &field(std::string_view bytes);
  Hasher &field(uint64_t value);
  Digest finish();

private:
  alignas(64) std::array<unsigned char, 384> state;
};

Digest digestOf(std::string_view bytes);
/// 64-bit XXH3, for checksums and hash tables, never for trust.
uint64_t checksum(std::string_view bytes);

} // namespace pantile

#endif // PANTILE_CORE_HASH_H
