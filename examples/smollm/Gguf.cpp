//===- examples/smollm/Gguf.cpp -------------------------------------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "Gguf.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace smollm {

namespace {

enum ValueType : uint32_t { U8, I8, U16, I16, U32, I32, F32Value, Bool, String, Array, U64, I64, F64 };

class Reader {
public:
  Reader(const uint8_t *data, size_t size) : data(data), size(size) {}

  template <typename T> T read() {
    T value;
    std::memcpy(&value, take(sizeof(T)), sizeof(T));
    return value;
  }
  std::string string() {
    uint64_t length = read<uint64_t>();
    return {reinterpret_cast<const char *>(take(length)), size_t(length)};
  }
  /// A count of things that take at least `least` bytes each.
  uint64_t count(uint64_t least) {
    uint64_t n = read<uint64_t>();
    if (n > (size - at) / least)
      throw FileError("a count of " + std::to_string(n) + " at byte " + std::to_string(at) + " is past the file's end");
    return n;
  }
  size_t position() const { return at; }

private:
  const uint8_t *take(uint64_t bytes) {
    if (bytes > size - at) throw FileError("truncated at byte " + std::to_string(at) + ": " + std::to_string(bytes) + " more expected");
    const uint8_t *from = data + at;
    at += bytes;
    return from;
  }
  const uint8_t *data;
  size_t size, at = 0;
};

Value readScalar(Reader &reader, uint32_t type) {
  switch (type) {
  case U8:
    return uint64_t(reader.read<uint8_t>());
  case I8:
    return int64_t(reader.read<int8_t>());
  case U16:
    return uint64_t(reader.read<uint16_t>());
  case I16:
    return int64_t(reader.read<int16_t>());
  case U32:
    return uint64_t(reader.read<uint32_t>());
  case I32:
    return int64_t(reader.read<int32_t>());
  case F32Value:
    return double(reader.read<float>());
  case Bool:
    return reader.read<uint8_t>() != 0;
  case String:
    return reader.string();
  case U64:
    return reader.read<uint64_t>();
  case I64:
    return reader.read<int64_t>();
  case F64:
    return reader.read<double>();
  default:
    throw FileError("unknown value type " + std::to_string(type) + " at byte " + std::to_string(reader.position()));
  }
}

double asNumber(const Value &value) {
  if (auto *u = std::get_if<uint64_t>(&value)) return double(*u);
  if (auto *i = std::get_if<int64_t>(&value)) return double(*i);
  if (auto *d = std::get_if<double>(&value)) return *d;
  if (auto *b = std::get_if<bool>(&value)) return *b;
  throw FileError("an array of values that are neither numbers nor texts");
}

Value readValue(Reader &reader) {
  uint32_t type = reader.read<uint32_t>();
  if (type != Array) return readScalar(reader, type);
  uint32_t element = reader.read<uint32_t>();
  if (element == Array) throw FileError("arrays of arrays are not supported");
  if (element == String) {
    std::vector<std::string> texts(reader.count(8));
    for (std::string &text : texts) text = reader.string();
    return texts;
  }
  std::vector<double> numbers(reader.count(1));
  for (double &number : numbers) number = asNumber(readScalar(reader, element));
  return numbers;
}

uint64_t multiply(uint64_t a, uint64_t b) {
  uint64_t product;
  if (__builtin_mul_overflow(a, b, &product)) throw FileError("a tensor's size overflows 64 bits");
  return product;
}

} // namespace

BlockFormat formatOf(TensorType type) {
  switch (type) {
  case TensorType::F32:
    return {1, 4};
  case TensorType::F16:
    return {1, 2};
  case TensorType::BF16:
    return {1, 2};
  case TensorType::Q4_1:
    return {32, 20};
  case TensorType::Q8_0:
    return {32, 34};
  }
  throw FileError("tensor type " + std::to_string(uint32_t(type)) + " is not supported: this program reads F32, F16, BF16, Q4_1 and Q8_0");
}

void GgufFile::read() {
  int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) throw FileError(std::strerror(errno));
  struct stat information;
  if (fstat(file, &information) == 0 && S_ISREG(information.st_mode)) size = size_t(information.st_size);
  void *mapped = size >= 24 ? mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file, 0) : MAP_FAILED;
  close(file);
  if (mapped == MAP_FAILED) throw FileError("not a GGUF file");
  mapping = {mapped, [size = size](void *address) { munmap(address, size); }};
  auto *bytes = static_cast<const uint8_t *>(mapped);
  if (std::memcmp(bytes, "GGUF", 4) != 0) throw FileError("not a GGUF file");
  Reader reader(bytes + 4, size - 4);
  uint32_t version = reader.read<uint32_t>();
  if (version != 2 && version != 3) throw FileError("GGUF version " + std::to_string(version) + ", expected 2 or 3 (little endian)");
  // A tensor's record takes at least 24 bytes, a value's at least 13.
  uint64_t tensorCount = reader.count(24), valueCount = reader.count(13);
  for (uint64_t i = 0; i < valueCount; ++i) {
    std::string key = reader.string();
    values[key] = readValue(reader);
  }
  struct Record {
    std::string name;
    TensorInfo info;
    uint64_t offset;
  };
  std::vector<Record> records(tensorCount);
  for (Record &record : records) {
    record.name = reader.string();
    uint32_t rank = reader.read<uint32_t>();
    if (rank < 1 || rank > 4) throw FileError("tensor '" + record.name + "' has rank " + std::to_string(rank) + ", expected 1 to 4");
    record.info.shape.resize(rank);
    for (uint32_t d = rank; d-- > 0;) record.info.shape[d] = reader.read<uint64_t>();
    record.info.type = TensorType(reader.read<uint32_t>());
    record.offset = reader.read<uint64_t>();
  }
  uint64_t alignment = has("general.alignment") ? integer("general.alignment") : 32;
  if (alignment == 0 || alignment > (1 << 20) || (alignment & (alignment - 1)))
    throw FileError("general.alignment is " + std::to_string(alignment) + ", expected a power of two");
  uint64_t base = (reader.position() + 4 + alignment - 1) / alignment * alignment;
  for (Record &record : records) {
    BlockFormat format = formatOf(record.info.type);
    uint64_t elements = 1;
    for (uint64_t extent : record.info.shape) elements = multiply(elements, extent);
    if (record.info.shape.back() % format.weights)
      throw FileError("tensor '" + record.name + "' has rows of " + std::to_string(record.info.shape.back()) +
                      ", no multiple of its blocks of " + std::to_string(format.weights));
    uint64_t bytesNeeded = multiply(elements / format.weights, format.bytes);
    if (base > size || record.offset > size - base || bytesNeeded > size - base - record.offset)
      throw FileError("tensor '" + record.name + "' reaches past the file's end: the file is truncated");
    record.info.data = {bytes + base + record.offset, size_t(bytesNeeded)};
    tensors[record.name] = record.info;
  }
}

GgufFile::GgufFile(const std::string &path) : path(path) {
  try {
    read();
  } catch (const FileError &error) { throw FileError("'" + path + "': " + error.what()); } catch (const std::bad_alloc &) {
    throw FileError("'" + path + "': no memory to read it");
  }
}

const Value &GgufFile::value(const std::string &key) const {
  auto found = values.find(key);
  if (found == values.end()) throw FileError("no value '" + key + "' (is it a llama-architecture model?)");
  return found->second;
}

uint64_t GgufFile::integer(const std::string &key) const {
  const Value &v = value(key);
  if (auto *u = std::get_if<uint64_t>(&v)) return *u;
  if (auto *i = std::get_if<int64_t>(&v); i && *i >= 0) return uint64_t(*i);
  throw FileError("value '" + key + "' is not a count");
}

double GgufFile::number(const std::string &key) const {
  const Value &v = value(key);
  if (auto *d = std::get_if<double>(&v)) return *d;
  throw FileError("value '" + key + "' is not a number");
}

const std::string &GgufFile::text(const std::string &key) const {
  if (auto *s = std::get_if<std::string>(&value(key))) return *s;
  throw FileError("value '" + key + "' is not a text");
}

const std::vector<std::string> &GgufFile::texts(const std::string &key) const {
  if (auto *s = std::get_if<std::vector<std::string>>(&value(key))) return *s;
  throw FileError("value '" + key + "' is not a list of texts");
}

const TensorInfo &GgufFile::tensor(const std::string &name) const {
  auto found = tensors.find(name);
  if (found == tensors.end()) throw FileError("no tensor '" + name + "' (is it a llama-architecture model?)");
  return found->second;
}

} // namespace smollm
