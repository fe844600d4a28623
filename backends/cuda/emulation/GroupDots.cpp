//===- cuda/emulation/GroupDots.cpp - wgmma -------------------------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
// PTX ISA 8.x, "Asynchronous Warpgroup Level Matrix Instructions". Each warp of the group computes its 16 rows. Operands are
// read from shared memory through the asynchronous proxy when the instruction is issued, and count as being read until the
// group it is committed in has been waited for.
//
// An operand's descriptor: address, leading and stride byte offsets in units of 16 bytes (14 bits each, from bits 0, 16, 32), the
// swizzle from bit 62 (0 none, 1 128, 2 64, 3 32 bytes). With W the swizzle's bytes, in elements of s bytes, at (i, k):
//
//   along k       none: (i%8) 16 + (i/8) stride + (ks/16) leading + ks%16       W: (i%8) W + (i/8) stride + ks
//   across k      none: (k%8) 16 + (k/8) leading + (is/16) stride + is%16       W: (k%8) W + (k/8) stride + (is/W) leading + is%W
//
// and the swizzle exchanges 16-byte units of the sum as TMA does.
//
//===----------------------------------------------------------------------===//

#include "backends/cuda/emulation/Families.h"
#include "backends/cuda/emulation/Fragments.h"

#include <cstring>
#include <fmt/format.h>

namespace pantile::cuda::emulation {

namespace {

/// An instruction's form in Call::data.
struct Form {
  uint16_t n;
  uint8_t k;
  Element a, b, d;
  uint8_t registersA;     ///< words of a in registers; 0: a descriptor
  uint8_t transposes : 7; ///< operands that say so: 0, 1 (b), 2
  uint8_t late : 1;       ///< kLate
};
static_assert(sizeof(Form) == 8);

struct Descriptor {
  uint32_t address, leading, stride, swizzleBytes;
  explicit Descriptor(uint64_t bits)
      : address(uint32_t(bits & 0x3fff) << 4), leading(uint32_t(bits >> 16 & 0x3fff) << 4), stride(uint32_t(bits >> 32 & 0x3fff) << 4),
        swizzleBytes(bits >> 62 == 0   ? 0
                     : bits >> 62 == 1 ? 128
                     : bits >> 62 == 2 ? 64
                                       : 32) {}

  /// Address of the unit of 16 bytes that has (i, byte `kb` along k) or, across, (byte `ib` along i, k).
  uint32_t alongK(uint32_t i, uint32_t kb) const {
    if (!swizzleBytes) return address + i % 8 * 16 + i / 8 * stride + kb / 16 * leading + kb % 16;
    return swizzled(address + i % 8 * swizzleBytes + i / 8 * stride + kb);
  }
  uint32_t acrossK(uint32_t ib, uint32_t k) const {
    if (!swizzleBytes) return address + k % 8 * 16 + k / 8 * leading + ib / 16 * stride + ib % 16;
    return swizzled(address + k % 8 * swizzleBytes + k / 8 * stride + ib / swizzleBytes * leading + ib % swizzleBytes);
  }
  uint32_t swizzled(uint32_t at) const {
    const uint32_t mask = swizzleBytes == 128 ? 0x70 : swizzleBytes == 64 ? 0x30 : 0x10;
    return at ^ (at >> 3 & mask);
  }
};

/// Reads rows [first, first + rows) of an operand: out[k * rows + i], or out[i * k + x] with `kFastest`.
void readOperand(Lane &lane, const Accessor &who, const Descriptor &d, bool across, Element element, unsigned first, unsigned rows,
                 unsigned k, bool kFastest, float *out) {
  const unsigned bytes = bitsOf(element) / 8, per = 16 / bytes, rank = lane.block().rank;
  auto place = [&](unsigned i, unsigned x, const char *from) {
    uint32_t bits = 0;
    std::memcpy(&bits, from, bytes);
    out[kFastest ? i * k + x : x * rows + i] = toFloat(element, bits);
  };
  auto unit = [&](uint32_t address) { return lane.sharedAs(who, Cluster::sharedAddress(rank, address), 16, Site::Kind::Load); };
  if (!across) {
    for (unsigned i = 0; i < rows; ++i)
      for (unsigned x = 0; x < k; x += per) {
        const char *from = unit(d.alongK(first + i, x * bytes));
        for (unsigned j = 0; j < per; ++j) place(i, x + j, from + j * bytes);
      }
  } else {
    for (unsigned x = 0; x < k; ++x)
      for (unsigned i = 0; i < rows; i += per) {
        const char *from = unit(d.acrossK((first + i) * bytes, x));
        for (unsigned j = 0; j < per; ++j) place(i + j, x, from + j * bytes);
      }
  }
}

Form unpack(uint64_t data) { return std::bit_cast<Form>(data); }

constexpr uint32_t kGroupWarps = 4;

/// What a group's dots and its waits count on: one actor for all its warps, which compute together.
uint32_t actorOf(Warp &warp) { return warp.block->warps[warp.index / kGroupWarps * kGroupWarps].engine(kDotEngine); }

//--- Accumulators on the way: a NaN that says which result of which instruction will be there

constexpr uint32_t kTag = 0xffc00000u, kTagRegisters = 8, kTags = 1u << (22 - kTagRegisters);

uint32_t tagOf(uint32_t number, unsigned value) { return kTag | number << kTagRegisters | value; }

/// What a register holds or will hold.
uint32_t accumulator(const Lane &lane, uint32_t word) {
  if ((word & kTag) != kTag) return word;
  auto found = lane.inFlight.find((word & ~kTag) >> kTagRegisters);
  const uint32_t value = word & ((1u << kTagRegisters) - 1);
  return found == lane.inFlight.end() || value >= found->second.words.size() ? word : found->second.words[value];
}

const Call &callOf(const Lane &lane) { return *static_cast<const Call *>(lane.operand); }

/// Operands after the accumulators.
struct Operands {
  const uint64_t *a;
  uint64_t b;
  bool keeps, negative, acrossA, acrossB;
  Operands(const Form &form, const uint64_t *in) : a(in + (form.d == Element::F16 ? form.n / 4 : form.n / 2)) {
    const uint64_t *rest = a + (form.registersA ? form.registersA : 1);
    b = rest[0];
    keeps = rest[1] & 1;
    negative = (int32_t(rest[2]) < 0) != (int32_t(rest[3]) < 0);
    acrossA = form.transposes == 2 && rest[4] & 1;
    acrossB = form.transposes && rest[form.transposes == 2 ? 5 : 4] & 1;
  }
};

/// One warp's rows: `a` (16 x k) and accumulators from its lanes, results to them.
void computeRows(Warp &warp, const Form &form, const Operands &operands, const Accessor &who, const std::vector<float> &b) {
  const unsigned n = form.n, k = form.k, values = n / 2;
  const bool integers = form.d == Element::S32, halves = form.d == Element::F16;
  static thread_local std::vector<float> a, c;
  static thread_local std::vector<int32_t> whole;
  a.resize(16 * k);
  if (form.registersA) {
    const unsigned bits = bitsOf(form.a), per = 32 / bits;
    for (Lane &lane : warp.lanes) {
      const Operands own(form, callOf(lane).in);
      for (unsigned r = 0; r < form.registersA; ++r)
        for (unsigned j = 0; j < per; ++j) {
          const Place p = placeOfA(lane.index, r, j, per);
          const uint32_t word = uint32_t(own.a[r]);
          a[p.row * k + p.column] = toFloat(form.a, bits == 32 ? word : word >> (j * bits) & ((1u << bits) - 1));
        }
    }
  } else {
    readOperand(warp.lanes[0], who, Descriptor(operands.a[0]), operands.acrossA, form.a, warp.index % kGroupWarps * 16, 16, k, true,
                a.data());
  }
  if (operands.negative)
    for (float &value : a) value = -value;
  c.assign(16 * n, 0.0f);
  if (integers) whole.assign(16 * n, 0);
  for (Lane &lane : warp.lanes) {
    const uint64_t *in = callOf(lane).in;
    for (unsigned i = 0; operands.keeps && i < values; ++i) {
      const Place p = placeOfC(lane.index, i);
      if (integers)
        whole[p.row * n + p.column] = int32_t(uint32_t(in[i]));
      else
        c[p.row * n + p.column] = halves ? toFloat(Element::F16, uint16_t(in[i / 2] >> (16 * (i & 1))))
                                         : std::bit_cast<float>(accumulator(lane, uint32_t(in[i])));
    }
  }
  if (integers)
    multiplyIntegers(whole.data(), a.data(), b.data(), n, k);
  else
    multiply(c.data(), a.data(), b.data(), n, k);
  for (Lane &lane : warp.lanes) {
    uint64_t *out = callOf(lane).out;
    if (form.late && !integers && !halves) {
      const uint32_t number = lane.nextInFlight = lane.nextInFlight % (kTags - 1) + 1;
      auto &result = lane.inFlight[number];
      result.group = lane.queues[kDotEngine].committed() + 1;
      result.words.resize(values);
      for (unsigned i = 0; i < values; ++i) {
        const Place p = placeOfC(lane.index, i);
        result.words[i] = std::bit_cast<uint32_t>(c[p.row * n + p.column]);
        out[i] = tagOf(number, i);
      }
      continue;
    }
    for (unsigned i = 0; i < values; ++i) {
      const Place p = placeOfC(lane.index, i);
      if (integers)
        out[i] = uint32_t(whole[p.row * n + p.column]);
      else if (halves)
        out[i / 2] = i & 1 ? out[i / 2] | uint32_t(toHalf(c[p.row * n + p.column])) << 16 : toHalf(c[p.row * n + p.column]);
      else
        out[i] = std::bit_cast<uint32_t>(c[p.row * n + p.column]);
    }
  }
}

/// in: accumulators, a (descriptor or registers), b, scale-d, sign of a, sign of b [, transpose a] [, transpose b].
void act(std::span<Warp> group) {
  Lane &leader = group[0].lanes[0];
  const Form form = unpack(callOf(leader).data);
  const Operands operands(form, callOf(leader).in);
  for (Warp &warp : group)
    for (Lane &lane : warp.lanes) {
      const Operands own(form, callOf(lane).in);
      if (callOf(lane).data != callOf(leader).data || own.b != operands.b || own.keeps != operands.keeps ||
          (!form.registersA && own.a[0] != operands.a[0]))
        lane.fail(PANTILE_DATA_ERROR, "wgmma's descriptors and scale differ between the threads of a warp group");
    }
  const uint32_t actor = actorOf(group[0]), time = leader.queues[kDotEngine].committed() + 1;
  static thread_local std::vector<float> b;
  b.resize(size_t(form.n) * form.k);
  for (Warp &warp : group) {
    const Accessor who{actor, time, &warp.knowledge, true, warp.lanes[0].site};
    // Every warp must have waited for what it multiplies; the values are the same.
    if (&warp == &group[0])
      readOperand(warp.lanes[0], who, Descriptor(operands.b), operands.acrossB, form.b, 0, form.n, form.k, false, b.data());
    computeRows(warp, form, operands, who, b);
  }
}

void run(Lane &lane, const Call &call) { lane.convergeWarps(kGroupWarps, const_cast<Call *>(&call), act); }

void nothing(Lane &, const Call &) {}
void commit(Lane &lane, const Call &) { lane.queues[kDotEngine].commit(); }

void waitGroup(Lane &lane, const Call &call) {
  auto &queue = lane.queues[kDotEngine];
  queue.wait(uint32_t(call.in[0]));
  const uint32_t actor = actorOf(*lane.warp);
  lane.warp->knowledge.seen.advance(actor, queue.completed());
  lane.warp->knowledge.fenced.advance(actor, queue.completed());
}

/// wgmma.mma_async.sync.aligned.m64n128k16.d.a.b
std::optional<uint64_t> decode(const Opcode &opcode, const OperandCounts &counts) {
  int m, n, k;
  opcode.shape(m, n, k);
  const size_t last = opcode.parts.size();
  if (last < 8 || m != 64 || n < 8 || n > 256 || n % 8 || opcode.has("sp") || counts.words.size() < 6) return std::nullopt;
  Form form{uint16_t(n),
            uint8_t(k),
            elementNamed(opcode.parts[last - 2]),
            elementNamed(opcode.parts[last - 1]),
            elementNamed(opcode.parts[last - 3]),
            0,
            0,
            0};
  // "satfinite" ends integer forms.
  if (opcode.parts[last - 1] == "satfinite" || form.a == Element::Unknown || form.b == Element::Unknown || form.d == Element::Unknown)
    return std::nullopt;
  if (bitsOf(form.a) * unsigned(k) != 256) return std::nullopt;
  // d, a, b, scale-d, then signs (not of integers), then transposes
  form.registersA = counts.words[1] > 1 ? uint8_t(counts.words[1]) : 0;
  const size_t more = counts.words.size() - 4;
  form.transposes = more > 2 ? uint8_t(more - 2) : 0;
  if (counts.words[0] != unsigned(n) / (form.d == Element::F16 ? 4 : 2)) return std::nullopt;
  return std::bit_cast<uint64_t>(form);
}
std::optional<uint64_t> decodeInteger(const Opcode &opcode, const OperandCounts &counts) {
  OperandCounts padded = counts; // integer forms have no signs: zeros are positive
  if (padded.words.size() == 4 && opcode.has("s32")) padded.words.insert(padded.words.end(), {1, 1});
  return decode(opcode, padded);
}
void runInteger(Lane &lane, const Call &call) {
  const Form form = unpack(call.data);
  const unsigned words = form.n / 2, own = words + (form.registersA ? form.registersA : 1) + 2;
  uint64_t in[160] = {};
  std::copy(call.in, call.in + own, in);
  in[own] = in[own + 1] = 1;
  run(lane, {call.site, in, call.out, call.data});
}

const Row kRows[] = {
    {"llvm.nvvm.wgmma.fence.sync.aligned", nothing},
    {"llvm.nvvm.wgmma.commit_group.sync.aligned", commit},
    {"llvm.nvvm.wgmma.wait_group.sync.aligned", waitGroup},
};
const PtxRow kPtx[] = {
    {"wgmma.fence", nothing, 0, false, nullptr},
    {"wgmma.commit_group", commit, 0, false, nullptr},
    {"wgmma.wait_group", waitGroup, 0, false, nullptr},
    {"wgmma.mma_async", run, 1, true, decode},
    {"wgmma.mma_async", runInteger, 1, true, decodeInteger},
};

} // namespace

bool deliversAccumulators(std::string_view text) {
  // A wait that lets groups be pending may name nothing: it only keeps the queue short. The last one, for all, must.
  constexpr std::string_view intrinsic = "@llvm.nvvm.wgmma.wait_group.sync.aligned(i64 ", assembly = "wgmma.wait_group.sync.aligned ";
  for (size_t at = text.find(intrinsic); at != text.npos; at = text.find(intrinsic, at + 1))
    if (text[std::min(at + intrinsic.size(), text.size() - 1)] == '0') return false;
  bool any = false;
  for (size_t at = text.find(assembly); at != text.npos; at = text.find(assembly, at + 1)) {
    const size_t constraints = text.find("\", \"", at);
    if (constraints == text.npos) return false;
    const bool names = text.compare(constraints + 4, 2, "=f") == 0;
    if (!names && text[at + assembly.size()] == '0') return false;
    any |= names;
  }
  return any;
}

void deliver(Lane &lane, uint64_t *registers, unsigned count) {
  const uint32_t over = lane.queues[kDotEngine].completed();
  for (unsigned i = 0; i < count; ++i) {
    const uint32_t word = uint32_t(registers[i]);
    auto found = (word & kTag) == kTag ? lane.inFlight.find((word & ~kTag) >> kTagRegisters) : lane.inFlight.end();
    if (found != lane.inFlight.end() && found->second.group <= over) registers[i] = accumulator(lane, word);
  }
  // What came is in registers now; what was overwritten on the way nobody asks for.
  std::erase_if(lane.inFlight, [&](const auto &one) { return one.second.group <= over; });
}

std::span<const Row> groupDotIntrinsics() { return kRows; }
std::span<const PtxRow> groupDotRows() { return kPtx; }

} // namespace pantile::cuda::emulation
