//===- core/Bytes.cpp -----------------------------------------------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "core/Bytes.h"

#include <bit>
#include <cstring>
#include <fmt/core.h>

namespace pantile {

static_assert(std::endian::native == std::endian::little, "records are copied as they lie in memory");

void ByteWriter::u32(uint32_t value) { bytes.append(reinterpret_cast<const char *>(&value), sizeof(value)); }
void ByteWriter::u64(uint64_t value) { bytes.append(reinterpret_cast<const char *>(&value), sizeof(value)); }
void ByteWriter::f64(double value) { u64(std::bit_cast<uint64_t>(value)); }

void ByteWriter::text(std::string_view value) {
  u64(value.size());
  bytes.append(value);
}

void ByteWriter::texts(const std::vector<std::string> &values) {
  u64(values.size());
  for (const std::string &value : values) text(value);
}

void ByteWriter::integers(const std::vector<int64_t> &values) {
  u64(values.size());
  for (int64_t value : values) i64(value);
}

std::string_view ByteReader::take(uint64_t size) {
  if (bad || size > bytes.size()) {
    bad = true;
    return {};
  }
  std::string_view taken = bytes.substr(0, size);
  bytes.remove_prefix(size);
  return taken;
}

uint8_t ByteReader::u8() {
  std::string_view taken = take(1);
  return taken.empty() ? 0 : uint8_t(taken[0]);
}

uint32_t ByteReader::u32() {
  uint32_t value = 0;
  if (std::string_view taken = take(sizeof(value)); !bad) std::memcpy(&value, taken.data(), sizeof(value));
  return value;
}

uint64_t ByteReader::u64() {
  uint64_t value = 0;
  if (std::string_view taken = take(sizeof(value)); !bad) std::memcpy(&value, taken.data(), sizeof(value));
  return value;
}

double ByteReader::f64() { return std::bit_cast<double>(u64()); }

std::string_view ByteReader::view() { return take(u64()); }

uint64_t ByteReader::count(uint64_t minimumBytes) {
  uint64_t n = u64();
  if (bad || n > bytes.size() / (minimumBytes ? minimumBytes : 1)) {
    bad = true;
    return 0;
  }
  return n;
}

std::vector<std::string> ByteReader::texts() {
  std::vector<std::string> values(count(8));
  for (std::string &value : values) value = text();
  return values;
}

std::vector<int64_t> ByteReader::integers() {
  std::vector<int64_t> values(count(8));
  for (int64_t &value : values) value = i64();
  return values;
}

Status ByteReader::finish(std::string_view what, bool whole) const {
  if (bad) return {PANTILE_DATA_ERROR, fmt::format("{} is damaged or truncated", what)};
  if (whole && !bytes.empty()) return {PANTILE_DATA_ERROR, fmt::format("{} has {} bytes too many", what, bytes.size())};
  return {};
}

} // namespace pantile
