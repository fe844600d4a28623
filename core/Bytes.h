//===- core/Bytes.h - bounds-checked reading and writing of binary records -===//
//
// Little endian; strings, vectors and blobs are a 64-bit length and their elements. Frames between processes and cache
// entries are written with it, so a reader never trusts a length: it is checked against what is left.
//
//===----------------------------------------------------------------------===//

#ifndef PANTILE_CORE_BYTES_H
#define PANTILE_CORE_BYTES_H

#include "core/Status.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace pantile {

class ByteWriter {
public:
  void u8(uint8_t value) { bytes.push_back(char(value)); }
  void u32(uint32_t value);
  void u64(uint64_t value);
  void i64(int64_t value) { u64(uint64_t(value)); }
  void f64(double value);
  void text(std::string_view value);
  void texts(const std::vector<std::string> &values);
  void integers(const std::vector<int64_t> &values);
  std::string take() { return std::move(bytes); }
  const std::string &data() const { return bytes; }

private:
  std::string bytes;
};

/// Reads what ByteWriter wrote. The first failure sticks: later reads give zeros and empties, and `finish` reports it, so
/// a reader may read a whole record and check once. A count read by `count(n)` is at most what is left / n.
class ByteReader {
public:
  explicit ByteReader(std::string_view bytes) : bytes(bytes) {}
  uint8_t u8();
  uint32_t u32();
  uint64_t u64();
  int64_t i64() { return int64_t(u64()); }
  double f64();
  std::string_view view();
  std::string text() { return std::string(view()); }
  std::vector<std::string> texts();
  std::vector<int64_t> integers();
  /// A number of elements that take at least `minimumBytes` each.
  uint64_t count(uint64_t minimumBytes);
  bool failed() const { return bad; }
  /// OK if every read succeeded and, where `whole`, nothing is left. PANTILE_DATA_ERROR names `what`.
  Status finish(std::string_view what, bool whole = true) const;
  /// Marks the record as damaged (an enum out of range, say).
  void fail() { bad = true; }

private:
  std::string_view take(uint64_t size);
  std::string_view bytes;
  bool bad = false;
};

} // namespace pantile

#endif // PANTILE_CORE_BYTES_H
