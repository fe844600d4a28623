//===- core/Hash.cpp ------------------------------------------------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "core/Hash.h"

#include <sodium/crypto_generichash.h>
#include <xxhash.h>

namespace pantile {

static_assert(sizeof(crypto_generichash_state) <= 384, "Hasher::state holds libsodium's");

std::string Digest::hex() const {
  static const char digits[] = "0123456789abcdef";
  std::string text;
  for (uint8_t byte : bytes) {
    text += digits[byte >> 4];
    text += digits[byte & 15];
  }
  return text;
}

static crypto_generichash_state *as(std::array<unsigned char, 384> &state) {
  return reinterpret_cast<crypto_generichash_state *>(state.data());
}

Hasher::Hasher() { crypto_generichash_init(as(state), nullptr, 0, sizeof(Digest::bytes)); }

Hasher &Hasher::field(std::string_view bytes) {
  uint64_t size = bytes.size();
  crypto_generichash_update(as(state), reinterpret_cast<const unsigned char *>(&size), sizeof(size));
  crypto_generichash_update(as(state), reinterpret_cast<const unsigned char *>(bytes.data()), bytes.size());
  return *this;
}

Hasher &Hasher::field(uint64_t value) { return field(std::string_view(reinterpret_cast<const char *>(&value), sizeof(value))); }

Digest Hasher::finish() {
  Digest digest;
  crypto_generichash_final(as(state), digest.bytes.data(), digest.bytes.size());
  return digest;
}

Digest digestOf(std::string_view bytes) { return Hasher().field(bytes).finish(); }

uint64_t checksum(std::string_view bytes) { return XXH3_64bits(bytes.data(), bytes.size()); }

} // namespace pantile
