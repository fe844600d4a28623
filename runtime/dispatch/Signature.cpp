//===- runtime/dispatch/Signature.cpp -------------------------------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "runtime/dispatch/Signature.h"

#include "runtime/dispatch/Overlap.h"

#include <algorithm>
#include <bit>
#include <charconv>
#include <cstring>
#include <fmt/format.h>

namespace pantile {

namespace {

/// The dimensions of arguments that a static symbol is the full extent of: "%2[%7, %8, full @d]" in canonical text.
void markStatics(const KernelText &kernel, std::vector<std::vector<bool>> &isStatic) {
  const auto &statics = kernel.header.statics;
  if (statics.empty()) return;
  std::string_view text = kernel.canonical;
  auto listed = [&](std::string_view symbol) { return std::find(statics.begin(), statics.end(), symbol) != statics.end(); };
  std::vector<std::string> names; // of sizes that are static: other views' sizes of that name are static too
  for (size_t at = text.find('%'); at != text.npos; at = text.find('%', at + 1)) {
    size_t value = 0, end = at + 1;
    auto [stop, problem] = std::from_chars(text.data() + end, text.data() + text.size(), value);
    end = size_t(stop - text.data());
    if (problem != std::errc() || value >= isStatic.size() || end >= text.size() || text[end] != '[') continue;
    size_t close = text.find(']', end);
    if (close == text.npos) continue;
    std::string_view subscripts = text.substr(end + 1, close - end - 1);
    for (size_t d = 0; d < isStatic[value].size() && !subscripts.empty(); ++d) {
      size_t comma = subscripts.find(',');
      std::string_view one = subscripts.substr(0, comma);
      if (size_t symbol = one.find('@'); one.find("full") != one.npos && symbol != one.npos) {
        std::string_view name = one.substr(symbol + 1);
        name = name.substr(0, name.find_first_of(" ,]"));
        if (listed(name)) {
          isStatic[value][d] = true;
          const auto &sizes = kernel.header.arguments[value].sizes;
          if (d < sizes.size()) names.push_back(sizes[d]);
        }
      }
      subscripts = comma == subscripts.npos ? std::string_view() : subscripts.substr(comma + 1);
    }
  }
  for (size_t a = 0; a < isStatic.size(); ++a)
    for (size_t d = 0; d < kernel.header.arguments[a].sizes.size(); ++d)
      if (std::find(names.begin(), names.end(), kernel.header.arguments[a].sizes[d]) != names.end()) isStatic[a][d] = true;
}

bool isInteger(std::string_view text, int64_t &value) {
  auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
  return problem == std::errc() && end == text.data() + text.size();
}

std::string shapeText(const DLTensor &tensor) {
  std::string text = "[";
  for (int d = 0; d < tensor.ndim; ++d) text += fmt::format("{}{}", d ? ", " : "", tensor.shape[d]);
  return text + "]";
}

/// The largest of `levels` (descending) that divides `value`.
uint32_t divisor(uint64_t value, std::initializer_list<uint32_t> levels) {
  for (uint32_t level : levels)
    if (value % level == 0) return level;
  return 1;
}

} // namespace

Expected<Signature> Signature::read(std::string_view text) {
  Signature signature;
  PANTILE_ASSIGN(signature.kernel, readKernelText(text));
  signature.textDigest = digestOf(signature.kernel.canonical);
  const auto &arguments = signature.kernel.header.arguments;
  if (arguments.size() > kMaxArguments)
    return Status(PANTILE_UNSUPPORTED,
                  fmt::format("kernel '{}' has {} arguments, at most {} are possible", signature.name(), arguments.size(), kMaxArguments));
  for (const auto &argument : arguments) {
    if (argument.rank > PANTILE_MAX_RANK)
      return Status(PANTILE_UNSUPPORTED,
                    fmt::format("argument '{}' has rank {}, at most {} is possible", argument.name, argument.rank, PANTILE_MAX_RANK));
    std::vector<bool> statics;
    for (int d = 0; d < argument.rank; ++d) statics.push_back(size_t(d) < argument.shape.size() && argument.shape[size_t(d)] >= 0);
    signature.isStatic.push_back(std::move(statics));
  }
  markStatics(signature.kernel, signature.isStatic);
  return signature;
}

Status Signature::inSource(Status status) const {
  if (status.isOk()) return status;
  return Status(status.code(), name() + ": " + kernel.source.translate(status.text()))
      .withCause(kernel.source.translate(status.cause()))
      .withFix(status.fix());
}

bool readScalar(const DLTensor &tensor, int32_t declared, uint64_t &value) noexcept {
  const char *data = static_cast<const char *>(tensor.data) + tensor.byte_offset;
  const unsigned bits = tensor.dtype.bits;
  const bool wantsFloat = info(DType(declared)).kind == DTypeClass::Float && declared != PANTILE_INDEX;
  if (tensor.dtype.code == kDLFloat) {
    if (!wantsFloat) return false;
    double number;
    if (bits == 32) {
      float single;
      std::memcpy(&single, data, 4);
      if (declared == PANTILE_F32) return value = std::bit_cast<uint32_t>(single), true;
      number = double(single);
    } else if (bits == 64) {
      std::memcpy(&number, data, 8);
    } else if (bits == 16) {
      uint16_t half;
      std::memcpy(&half, data, 2);
      number = double(f16ToF32(half));
    } else {
      return false;
    }
    switch (declared) {
    case PANTILE_F64:
      value = std::bit_cast<uint64_t>(number);
      return true;
    case PANTILE_F32:
      value = std::bit_cast<uint32_t>(float(number));
      return true;
    case PANTILE_F16:
      value = f32ToF16(float(number));
      return true;
    case PANTILE_BF16:
      value = f32ToBF16(float(number));
      return true;
    default:
      return false;
    }
  }
  if (tensor.dtype.code == kDLBfloat) {
    uint16_t half;
    std::memcpy(&half, data, 2);
    if (declared == PANTILE_BF16) return value = half, true;
    if (declared == PANTILE_F32) return value = uint32_t(half) << 16, true;
    return false;
  }
  if (wantsFloat) return false;
  int64_t number = 0;
  const bool isUnsigned = tensor.dtype.code != kDLInt;
  switch (bits) {
  case 8:
    number = isUnsigned ? int64_t(*reinterpret_cast<const uint8_t *>(data)) : int64_t(*reinterpret_cast<const int8_t *>(data));
    break;
  case 16: {
    int16_t v;
    std::memcpy(&v, data, 2);
    number = isUnsigned ? int64_t(uint16_t(v)) : int64_t(v);
    break;
  }
  case 32: {
    int32_t v;
    std::memcpy(&v, data, 4);
    number = isUnsigned ? int64_t(uint32_t(v)) : int64_t(v);
    break;
  }
  case 64:
    std::memcpy(&number, data, 8);
    break;
  default:
    return false;
  }
  const unsigned wanted = declared == PANTILE_INDEX ? 64 : info(DType(declared)).bits;
  value = uint64_t(number);
  if (wanted >= 64) return true;
  // Either reading of the declared bits is welcome: IR integers have no sign.
  const int64_t low = -(int64_t(1) << (wanted - 1)), high = (int64_t(1) << wanted) - 1;
  return number >= low && number <= high;
}

Expected<BoundArguments> Signature::bind(DLTensor *const *tensors, size_t count, DLDevice device, bool needData) const {
  auto wrong = [&](size_t i, std::string text) {
    return Status(PANTILE_INVALID_ARGUMENT, fmt::format("{}: argument {} ('{}') {}", name(), i, arguments()[i].name, text));
  };
  if (count != arguments().size()) {
    std::string names;
    for (const auto &argument : arguments()) names += (names.empty() ? "" : ", ") + argument.name;
    return Status(PANTILE_INVALID_ARGUMENT,
                  fmt::format("{}: {} arguments given, {} expected ({})", name(), count, arguments().size(), names));
  }
  BoundArguments bound(count);
  struct Known {
    std::string_view name;
    int64_t size;
    size_t argument;
  };
  std::vector<Known> known;
  for (size_t i = 0; i < count; ++i) {
    const KernelArgument &declared = arguments()[i];
    BoundArgument &b = bound[i];
    if (!tensors || !tensors[i]) return wrong(i, "is NULL");
    const DLTensor &t = *tensors[i];
    if (t.ndim < 0 || t.ndim > PANTILE_MAX_RANK || (t.ndim && !t.shape))
      return wrong(i, fmt::format("has rank {} or no shape", t.ndim)).withFix(fmt::format("ranks 0 to {} are possible", PANTILE_MAX_RANK));
    auto given = dtypeFromDLPack(t.dtype.code, t.dtype.bits, t.dtype.lanes);
    if (!given) return std::move(given).status().in(fmt::format("{}: argument {} ('{}')", name(), i, declared.name));
    b.dtype = int32_t(declared.dtype);
    if (!declared.isView()) {
      if (t.ndim != 0)
        return wrong(i, fmt::format("is a tensor of rank {}, a scalar is expected", t.ndim))
            .withFix("pass a 0-dimensional tensor on the CPU");
      if (t.device.device_type != kDLCPU)
        return wrong(i, "is a scalar on a device").withFix("pass scalars as 0-dimensional tensors on the CPU");
      if (!t.data) return wrong(i, "is a scalar without data");
      if (!readScalar(t, b.dtype, b.scalar))
        return wrong(i, fmt::format("is a {} that cannot be passed as {}", info(*given).name, info(declared.dtype).name))
            .withFix("pass that dtype, with a value in its range");
      continue;
    }
    if (!compatible(declared.dtype, *given))
      return wrong(i, fmt::format("has dtype {}, {} is expected", info(*given).name, info(declared.dtype).name));
    if (t.ndim != declared.rank)
      return wrong(i, fmt::format("has rank {} (shape {}), rank {} is expected", t.ndim, shapeText(t), declared.rank));
    if (t.device.device_type != device.device_type || (device.device_type != kDLCPU && t.device.device_id != device.device_id))
      return wrong(i, fmt::format("is {}, this context's device is {} (DLPack's numbers)",
                                  t.device.device_type == kDLCPU
                                      ? std::string("in host memory")
                                      : fmt::format("on device {}:{}", int(t.device.device_type), t.device.device_id),
                                  fmt::format("{}:{}", int(device.device_type), device.device_id)))
          .withFix("copy it there, or make a context of its device");
    b.rank = t.ndim;
    for (int d = 0; d < t.ndim; ++d) {
      b.sizes[d] = t.shape[d];
      if (t.shape[d] < 0) return wrong(i, fmt::format("has the negative size {} in dimension {}", t.shape[d], d));
      if (size_t(d) < declared.shape.size() && declared.shape[size_t(d)] >= 0 && declared.shape[size_t(d)] != t.shape[d])
        return wrong(i, fmt::format("has size {} in dimension {}, {} is expected", t.shape[d], d, declared.shape[size_t(d)]));
      if (size_t(d) < declared.sizes.size()) {
        std::string_view size = declared.sizes[size_t(d)];
        int64_t literal;
        if (isInteger(size, literal)) {
          if (literal != t.shape[d]) return wrong(i, fmt::format("has size {} in dimension {}, {} is expected", t.shape[d], d, literal));
        } else if (auto at = std::find_if(known.begin(), known.end(), [&](const Known &k) { return k.name == size; }); at == known.end()) {
          known.push_back({size, t.shape[d], i});
        } else if (at->size != t.shape[d]) {
          return wrong(i, fmt::format("has size {} in dimension {} ('{}'), but '{}' is {} in argument {} ('{}')", t.shape[d], d, size, size,
                                      at->size, at->argument, arguments()[at->argument].name));
        }
      }
    }
    for (int d = 0; d < t.ndim; ++d)
      if (b.sizes[d] == 0) b.elements = 0;
    // Dense strides from the last dimension on; a dimension of size 1 takes what a dense one would have there.
    int64_t dense = 1;
    const uint64_t bits = info(declared.dtype).bits;
    uint64_t last = 0; // element offset of the last element
    for (int d = t.ndim - 1; d >= 0; --d) {
      int64_t stride = t.strides ? t.strides[d] : dense;
      if (stride < 0) return wrong(i, fmt::format("has the negative stride {} in dimension {}", stride, d)).withFix("copy it first");
      if (b.sizes[d] == 1) stride = dense;
      b.strides[d] = stride;
      uint64_t reach;
      if (b.elements && (__builtin_mul_overflow(uint64_t(stride), uint64_t(b.sizes[d] - 1), &reach) ||
                         __builtin_add_overflow(last, reach, &last) || last >> 55))
        return wrong(i, fmt::format("has strides that overflow (stride {} times size {} in dimension {})", stride, b.sizes[d], d));
      if (__builtin_mul_overflow(stride, std::max<int64_t>(b.sizes[d], 1), &dense)) {
        if (b.elements) return wrong(i, fmt::format("has sizes that overflow (shape {})", shapeText(t)));
        dense = 1;
      }
      if (b.elements && __builtin_mul_overflow(b.elements, b.sizes[d], &b.elements))
        return wrong(i, fmt::format("has more elements than can be counted (shape {})", shapeText(t)));
    }
    b.span = b.elements ? ((last + 1) * bits + 7) / 8 : 0;
    if (t.data && t.byte_offset > UINTPTR_MAX - reinterpret_cast<uintptr_t>(t.data))
      return wrong(i, "has a byte offset past the end of the address space");
    b.address = static_cast<char *>(t.data) + t.byte_offset;
    if (!t.data) {
      if (needData && b.elements) return wrong(i, fmt::format("has no data, but {} elements", b.elements));
      b.address = nullptr;
    } else if (reinterpret_cast<uintptr_t>(b.address) + b.span < b.span) {
      return wrong(i, "reaches past the end of the address space");
    }
    if (writes(i) && b.elements > 1) {
      for (int d = 0; d < t.ndim; ++d)
        if (b.sizes[d] > 1 && b.strides[d] == 0)
          return wrong(i, fmt::format("is an output whose stride in dimension {} is 0: its elements overlap", d))
              .withFix("pass an output of its own memory");
      if (overlapsItself(b))
        return wrong(i, "is an output whose strides let its elements overlap").withFix("pass an output of its own memory");
    }
  }
  return bound;
}

Status Signature::checkOverlap(std::span<const BoundArgument> bound) const {
  for (size_t i = 0; i < bound.size(); ++i) {
    if (!writes(i) || !bound[i].span) continue;
    for (size_t j = 0; j < bound.size(); ++j) {
      if (j == i || bound[j].rank < 0 || !bound[j].span || (j < i && writes(j))) continue;
      if (overlap(bound[i], bound[j], info(DType(bound[i].dtype)).bits, info(DType(bound[j].dtype)).bits))
        return Status(PANTILE_INVALID_ARGUMENT, fmt::format("{}: argument {} ('{}') is an output and shares memory with argument {} ('{}')",
                                                            name(), i, arguments()[i].name, j, arguments()[j].name))
            .withFix("give the output memory of its own");
    }
  }
  return {};
}

bool Signature::nothingToDo(std::span<const BoundArgument> bound) const {
  bool anyOutput = false;
  for (size_t i = 0; i < bound.size(); ++i)
    if (writes(i)) {
      anyOutput = true;
      if (bound[i].elements) return false;
    }
  return anyOutput;
}

Facts Signature::facts(std::span<const BoundArgument> bound) const {
  // Coarser than the list allows: every distinct value may cost a compilation. What runs for 4 runs for 8 as well.
  Facts facts;
  facts.arguments.resize(bound.size());
  for (size_t i = 0; i < bound.size(); ++i) {
    auto &f = facts.arguments[i];
    const auto &b = bound[i];
    f = {};
    f.struct_size = sizeof(f);
    f.dtype = b.dtype;
    f.rank = b.rank;
    f.unit_dim = -1;
    f.alignment = 1;
    for (int d = 0; d < PANTILE_MAX_RANK; ++d) f.size_divisor[d] = f.stride_divisor[d] = 1, f.static_size[d] = -1;
    if (b.rank < 0) continue;
    const auto address = reinterpret_cast<uintptr_t>(b.address);
    f.alignment = !b.address ? 64 : divisor(address, {64, 16, 8, 4, 2, 1});
    for (int d = 0; d < b.rank; ++d) {
      if (b.strides[d] == 1) f.unit_dim = d;
      if (b.strides[d] == 0 && b.sizes[d] != 1) f.zero_stride_mask |= 1u << d;
      f.size_divisor[d] = divisor(uint64_t(b.sizes[d]), {64, 16, 4, 1});
      f.stride_divisor[d] = divisor(uint64_t(b.strides[d]), {64, 16, 8, 4, 2, 1});
      if (isStatic[i][size_t(d)]) f.static_size[d] = b.sizes[d];
    }
  }
  return facts;
}

Digest Signature::tuningKey(const Facts &facts) const {
  Hasher hasher;
  hasher.field("tuning key 1").field(kernel.canonical);
  for (const auto &f : facts.arguments) {
    hasher.field(uint64_t(f.dtype)).field(uint64_t(f.rank)).field(uint64_t(f.unit_dim)).field(f.zero_stride_mask);
    for (int d = 0; d < f.rank; ++d) hasher.field(uint64_t(f.static_size[d]));
  }
  return hasher.finish();
}

std::map<std::string, int64_t> Signature::shape(std::span<const BoundArgument> bound) const {
  std::map<std::string, int64_t> shape;
  for (size_t i = 0; i < bound.size(); ++i)
    for (int d = 0; d < bound[i].rank; ++d) {
      const auto &sizes = arguments()[i].sizes;
      int64_t literal;
      if (size_t(d) >= sizes.size())
        shape[fmt::format("s{}.{}", i, d)] = bound[i].sizes[d];
      else if (!isInteger(sizes[size_t(d)], literal))
        shape[sizes[size_t(d)]] = bound[i].sizes[d];
    }
  return shape;
}

std::map<std::string, int64_t, std::less<>> Signature::values(std::span<const BoundArgument> bound) const {
  std::map<std::string, int64_t, std::less<>> values;
  for (size_t i = 0; i < bound.size(); ++i) {
    const auto &b = bound[i];
    if (b.rank < 0) values[fmt::format("a{}", i)] = int64_t(b.scalar);
    for (int d = 0; d < b.rank; ++d) {
      values[fmt::format("s{}.{}", i, d)] = b.sizes[d];
      values[fmt::format("t{}.{}", i, d)] = b.strides[d];
      if (size_t(d) < arguments()[i].sizes.size()) values["k" + arguments()[i].sizes[size_t(d)]] = b.sizes[d];
    }
  }
  return values;
}

bool serves(const Facts &weak, const Facts &strong) {
  if (weak.arguments.size() != strong.arguments.size()) return false;
  for (size_t i = 0; i < weak.arguments.size(); ++i) {
    const auto &w = weak.arguments[i], &s = strong.arguments[i];
    if (w.dtype != s.dtype || w.rank != s.rank || w.unit_dim != s.unit_dim || w.zero_stride_mask != s.zero_stride_mask ||
        s.alignment % w.alignment)
      return false;
    for (int d = 0; d < w.rank; ++d)
      if (s.size_divisor[d] % w.size_divisor[d] || s.stride_divisor[d] % w.stride_divisor[d] || w.static_size[d] != s.static_size[d])
        return false;
  }
  return true;
}

std::string bytesOf(const Facts &facts) {
  ByteWriter writer;
  facts.write(writer);
  return writer.take();
}

} // namespace pantile
