//===- ir/simt/Dots.cpp - contractions -------------------------------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
// By atoms: the accumulator is in the atom's layout. Operands come fragment by fragment, one k-step at a time: from
// registers where the thread holds them already (the probabilities of attention), else from shared memory, where their tile is
// put in the order it came in, rows padded by 16 bytes. Loads of whole matrices (MatrixLoadAtom) are used where a
// fragment's map is theirs, transposed or not; which follows from comparing maps.
//
// By multiply-adds, where no atom has the types: both operands in shared memory, a loop over k, each thread its accumulators.
//
// Elements that are not logical along k are zero in both operands.
//
//===----------------------------------------------------------------------===//

#include "ir/simt/PhaseLowering.h"

#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace pantile::tile;

namespace pantile::simt {

namespace {

SmallVector<int64_t, 4> inverse(llvm::ArrayRef<int64_t> permutation) {
  SmallVector<int64_t, 4> result(permutation.size());
  for (auto [i, d] : llvm::enumerate(permutation)) result[size_t(d)] = int64_t(i);
  return result;
}

/// A layout over (row, k), with batches in front and in the source's order of dimensions.
Layout inSource(Layout layout, llvm::ArrayRef<int64_t> dims) {
  while (layout.rank() < dims.size()) layout = layout.expanded(0);
  return layout.permuted(inverse(dims));
}

/// Whether what lies outside is zero already.
bool isZeroOutside(Value value) {
  Operation *op = value.getDefiningOp();
  if (auto load = dyn_cast_or_null<LoadOp>(op)) return !load.getPad();
  if (auto gather = dyn_cast_or_null<GatherOp>(op)) return !gather.getPad();
  return false;
}

} // namespace

PhaseLowering::Operand PhaseLowering::operandOf(DotOp dot, bool lhs) {
  Operand operand{lhs ? dot.getLhs() : dot.getRhs(), {}};
  unsigned rank = unsigned(cast<RankedTensorType>(operand.source.getType()).getRank());
  for (unsigned d = 0; d < rank; ++d) operand.dims.push_back(d);
  // (.., m, k) as it is; (.., k, n) wants n before k.
  if (lhs == dot.getTransposeLhs() && lhs) std::swap(operand.dims[rank - 2], operand.dims[rank - 1]);
  if (!lhs && !dot.getTransposeRhs()) std::swap(operand.dims[rank - 2], operand.dims[rank - 1]);
  while (auto transpose = operand.source.getDefiningOp<TransposeOp>()) {
    for (int64_t &dim : operand.dims) dim = transpose.getPermutation()[size_t(dim)];
    operand.source = transpose.getSource();
  }
  return operand;
}

/// Registers with zeros where k is beyond what is logical.
Registers PhaseLowering::operandRegisters(const Operand &operand, const PlacedLayout *layout) {
  Registers registers = registersOf(operand.source, layout);
  auto type = cast<RankedTensorType>(operand.source.getType());
  unsigned k = unsigned(operand.dims.back());
  const Extent &extent = extents.of(operand.source)[k];
  if (isZeroOutside(operand.source) || bounds.isWhole(extent, type.getDimSize(k))) return registers;
  llvm::Value *limit = countOf(extent, type.getDimSize(k)), *zero = llvm::Constant::getNullValue(registerType(type));
  llvm::DenseMap<int64_t, llvm::Value *> known;
  for (unsigned r = 0; r < registers.size(); ++r) {
    llvm::Value *&inside = known[layout->offsets[r][k]];
    if (!inside) inside = b.CreateICmpSLT(coordinate(layout, r, k), limit);
    registers[r] = b.CreateSelect(inside, registers[r], zero);
  }
  return registers;
}

SharedTile PhaseLowering::operandTile(const Operand &operand, int64_t rows, const PlacedLayout *writer, bool swizzled) {
  auto type = cast<RankedTensorType>(operand.source.getType());
  unsigned rank = unsigned(type.getRank()), bytes = bytesOf(type.getElementType());
  unsigned fastest = unsigned(operand.dims.back());
  for (unsigned d = 0; d < rank; ++d)
    if (writer->layout.contiguous(d) > writer->layout.contiguous(fastest)) fastest = d;
  if (swizzled) return swizzledTile(type.getElementType(), type.getShape(), fastest);
  SmallVector<unsigned, 4> order{fastest};
  for (unsigned d = rank; d-- > 0;)
    if (d != fastest) order.push_back(d);
  SmallVector<int64_t, 4> shape(type.getShape());
  int64_t &covered = shape[size_t(operand.dims[rank - 2])];
  covered = std::max(covered, rows);
  int64_t unit = std::max<int64_t>(1, 16 / bytes);
  return makeShared(type.getElementType(), shape, order,
                    int64_t(llvm::alignTo(uint64_t(shape[fastest]), uint64_t(unit))) - shape[fastest] + unit);
}

SharedTile PhaseLowering::shareOperand(const Operand &operand, int64_t rows, bool swizzled) {
  if (auto kept = inShared.find(operand.source); kept != inShared.end()) return kept->second;
  auto type = cast<RankedTensorType>(operand.source.getType());
  const PlacedLayout *base = baseOf(operand.source);
  Registers registers = operandRegisters(operand, base);
  SharedTile tile = operandTile(operand, rows, base, swizzled);
  if (swizzled) {
    storeSwizzled(tile, registers, base);
    return tile;
  }
  // Rows that only the atoms cover must be numbers.
  if (tile.layout.shape != llvm::ArrayRef<int64_t>(type.getShape())) zeroShared(tile);
  SharedTile window = tile;
  window.layout.shape.assign(type.getShape().begin(), type.getShape().end());
  storeShared(window, registers, base);
  return tile;
}

PhaseLowering::Values PhaseLowering::pack(llvm::ArrayRef<llvm::Value *> elements, mlir::Type element) {
  unsigned bits = element.getIntOrFloatBitWidth();
  Values packed;
  if (bits >= 32) {
    for (llvm::Value *value : elements) packed.push_back(b.CreateBitCast(value, b.getIntNTy(bits)));
    return packed;
  }
  unsigned each = 32 / bits;
  for (size_t i = 0; i < elements.size(); i += each) {
    llvm::Value *vector = llvm::PoisonValue::get(llvm::FixedVectorType::get(b.getIntNTy(bits), each));
    for (unsigned j = 0; j < each; ++j) vector = b.CreateInsertElement(vector, elements[i + j], uint64_t(j));
    packed.push_back(b.CreateBitCast(vector, b.getInt32Ty()));
  }
  return packed;
}

bool PhaseLowering::loadByMatrix(const SharedTile &tile, const PlacedLayout *layout, llvm::ArrayRef<int64_t> dims,
                                 llvm::ArrayRef<int64_t> at, Values &packed) {
  unsigned row = unsigned(dims[dims.size() - 2]), k = unsigned(dims.back()), fastest = tile.layout.order[0],
           bytes = tile.layout.elementBytes;
  if (fastest != row && fastest != k) return false;
  bool transposed = fastest == row;
  unsigned other = transposed ? k : row; // what the rows of a matrix in memory count
  unsigned each = 4 / bytes;             // elements of an i32
  const Atom &atom = layout->layout.atomOf();
  // The fragment's first register bits and its lanes must be one matrix: which matrices one load takes is up to addresses.
  const MatrixLoadAtom *widest = nullptr;
  unsigned pieces = layout->layout.registers() / each;
  for (const MatrixLoadAtom &candidate : target.matrixLoads()) {
    if (candidate.elementBytes != bytes || candidate.transposed != transposed || pieces % candidate.registers) continue;
    Atom matrix = Atom::of(candidate.result);
    auto mapped = [&](const Coordinates &basis) {
      Coordinates result(layout->layout.rank(), 0);
      result[other] = basis[0];
      result[fastest] = basis[1];
      return result;
    };
    unsigned within = llvm::Log2_32(each);
    if (atom.registers.size() < within || matrix.registers.size() < within || atom.lanes.size() != matrix.lanes.size()) continue;
    bool same = true;
    for (unsigned i = 0; i < within; ++i) same &= atom.registers[i] == mapped(matrix.registers[i]);
    for (auto [i, basis] : llvm::enumerate(matrix.lanes)) same &= atom.lanes[i] == mapped(basis);
    if (same && (!widest || candidate.registers > widest->registers)) widest = &candidate;
  }
  if (!widest) return false;
  // Lane i of the j-th eight gives the address of row i of matrix j.
  unsigned matrices = widest->registers;
  // A row of a matrix is 16 contiguous, aligned bytes.
  int64_t unit = 16 / bytes;
  if (tile.layout.pitch % unit) return false;
  for (unsigned d = 0; d < tile.strides.size(); ++d)
    if (d != fastest && tile.strides[d] % 16) return false;
  beforeSharedRead();
  mayRead = true;
  llvm::Value *start = sharedPointer(tile, layout, at, /*warpOnly=*/true);
  llvm::Value *inRow = b.CreateNSWMul(b.CreateAnd(lane, b.getInt32(7)), b.getInt32(uint32_t(tile.strides[other])));
  auto offsetOf = [&](unsigned piece) {
    int64_t offset = 0;
    for (unsigned d = 0; d < tile.strides.size(); ++d) offset += layout->offsets[piece * each][d] * tile.strides[d];
    return offset;
  };
  std::map<std::pair<int64_t, int64_t>, llvm::Value *> starts;
  for (unsigned piece = 0; piece < pieces; piece += matrices) {
    int64_t first = offsetOf(piece), second = matrices > 1 ? offsetOf(piece + 1) - first : 0,
            third = matrices > 2 ? offsetOf(piece + 2) - first : 0;
    if (matrices > 2 && offsetOf(piece + 3) - first != second + third) return false;
    llvm::Value *&base = starts[{second, third}];
    if (!base) {
      llvm::Value *offset = inRow;
      auto addBit = [&](unsigned bit, int64_t step) {
        if (step)
          offset = b.CreateNSWAdd(offset, b.CreateNSWMul(b.CreateAnd(b.CreateLShr(lane, bit), b.getInt32(1)), b.getInt32(uint32_t(step))));
      };
      addBit(3, second);
      addBit(4, third);
      base = b.CreateGEP(b.getInt8Ty(), start, offset);
    }
    for (llvm::Value *value : target.emitMatrixLoad(b, *widest, b.CreateConstGEP1_64(b.getInt8Ty(), base, uint64_t(first))))
      packed.push_back(value);
  }
  return true;
}

PhaseLowering::Values PhaseLowering::loadFragments(const SharedTile &tile, const Layout &fragment, llvm::ArrayRef<int64_t> dims,
                                                   llvm::ArrayRef<int64_t> at) {
  const PlacedLayout *layout = placed(inSource(fragment, dims));
  Values packed;
  if (loadByMatrix(tile, layout, dims, at, packed)) return packed;
  return pack(loadShared(tile, layout, at), tile.element);
}

Registers PhaseLowering::dotByAtoms(DotOp dot, const DotPlan &plan, Registers acc) {
  const DotAtom &atom = *plan.atom;
  Operand lhs = operandOf(dot, true), rhs = operandOf(dot, false);
  auto lhsType = cast<RankedTensorType>(lhs.source.getType());
  unsigned rank = unsigned(lhs.dims.size());
  int64_t steps = lhsType.getDimSize(unsigned(lhs.dims.back())) / atom.k, batches = 1;
  SmallVector<int64_t, 4> batchShape;
  for (unsigned d = 0; d + 2 < rank; ++d) {
    batchShape.push_back(cast<RankedTensorType>(dot.getAcc().getType()).getDimSize(d));
    batches *= batchShape.back();
  }
  // An operand that every thread holds already, all steps at once; else its tile in shared memory.
  struct Source {
    Values packed; ///< [step][piece] flat
    SharedTile tile;
    const Layout *fragment;
    Operand *operand;
  };
  auto prepare = [&](Operand &operand, const Layout &fragment) {
    Source source{{}, {}, &fragment, &operand};
    if (batches == 1 && !inShared.contains(operand.source)) {
      SmallVector<Repeat, 6> repeats(fragment.repeatsOf());
      repeats.push_back({Repeat::Register, 1, steps, int64_t(atom.k)});
      const PlacedLayout *whole = placed(inSource(Layout(fragment.atomOf(), repeats), operand.dims)), *base = baseOf(operand.source);
      if (registerMap(base->layout, whole->layout, cast<RankedTensorType>(operand.source.getType()).getShape())) {
        source.packed = pack(operandRegisters(operand, whole), elementOf(operand.source.getType()));
        return source;
      }
    }
    source.tile = shareOperand(operand, fragment.covered()[0], false);
    return source;
  };
  Source left = prepare(lhs, plan.lhs), right = prepare(rhs, plan.rhs);
  auto stepOf = [&](Source &source, int64_t step, llvm::ArrayRef<int64_t> batch) {
    if (!source.packed.empty()) {
      size_t count = source.packed.size() / size_t(steps);
      return Values(llvm::ArrayRef<llvm::Value *>(source.packed).slice(size_t(step) * count, count));
    }
    SmallVector<int64_t, 4> at(rank, 0);
    for (auto [d, index] : llvm::enumerate(batch)) at[size_t(source.operand->dims[d])] = index;
    at[size_t(source.operand->dims.back())] = step * atom.k;
    return loadFragments(source.tile, *source.fragment, source.operand->dims, at);
  };
  // Accumulators: atom registers, then pieces of n, pieces of m, batches.
  unsigned each = 1u << plan.acc.atomOf().registers.size();
  auto piecesOf = [](const Layout &layout) { return layout.registers() >> layout.atomOf().registers.size(); };
  unsigned rows = piecesOf(plan.lhs), columns = piecesOf(plan.rhs);
  SmallVector<int64_t, 4> batch(batchShape.size(), 0);
  for (int64_t number = 0; number < batches; ++number) {
    int64_t rest = number;
    for (unsigned d = unsigned(batchShape.size()); d-- > 0;) {
      batch[d] = rest % batchShape[d];
      rest /= batchShape[d];
    }
    for (int64_t step = 0; step < steps; ++step) {
      Values a = stepOf(left, step, batch), c = stepOf(right, step, batch);
      size_t aEach = a.size() / rows, cEach = c.size() / columns;
      for (unsigned i = 0; i < rows; ++i)
        for (unsigned j = 0; j < columns; ++j) {
          size_t at = size_t(each) * (j + size_t(columns) * (i + size_t(rows) * size_t(number)));
          auto sums =
              target.emitDot(b, atom, llvm::ArrayRef<llvm::Value *>(a).slice(i * aEach, aEach),
                             llvm::ArrayRef<llvm::Value *>(c).slice(j * cEach, cEach), llvm::ArrayRef<llvm::Value *>(acc).slice(at, each));
          for (unsigned r = 0; r < each; ++r) acc[at + r] = sums[r];
        }
    }
  }
  return acc;
}

Registers PhaseLowering::dotByLoop(DotOp dot, const DotPlan &plan, Registers acc) {
  Operand lhs = operandOf(dot, true), rhs = operandOf(dot, false);
  unsigned rank = unsigned(lhs.dims.size());
  int64_t k = cast<RankedTensorType>(lhs.source.getType()).getDimSize(unsigned(lhs.dims.back()));
  SharedTile left = shareOperand(lhs, 0, false), right = shareOperand(rhs, 0, false);
  beforeSharedRead();
  // This thread's rows of one operand at one k: the accumulator's layout without the other's dimension.
  auto side = [&](const Operand &operand, unsigned drop) {
    Layout layout = plan.acc.sliced({int64_t(drop)}).expanded(rank - 1);
    return placed(layout.permuted(inverse(operand.dims)));
  };
  const PlacedLayout *leftLayout = side(lhs, rank - 1), *rightLayout = side(rhs, rank - 2);
  auto places = [&](const PlacedLayout *layout, const Operand &operand) {
    std::map<std::vector<int64_t>, unsigned> result;
    for (auto [r, at] : llvm::enumerate(layout->offsets)) {
      std::vector<int64_t> key;
      for (int64_t dim : llvm::ArrayRef<int64_t>(operand.dims).drop_back()) key.push_back(at[size_t(dim)]);
      result.try_emplace(key, unsigned(r));
    }
    return result;
  };
  auto leftPlaces = places(leftLayout, lhs), rightPlaces = places(rightLayout, rhs);
  mlir::Type accElement = elementOf(dot.getAcc().getType());
  llvm::BasicBlock *before = b.GetInsertBlock(), *body = newBlock("dot"), *done = newBlock("dotted");
  b.CreateBr(body);
  b.SetInsertPoint(body);
  llvm::PHINode *index = b.CreatePHI(b.getInt32Ty(), 2, "k");
  index->addIncoming(b.getInt32(0), before);
  SmallVector<llvm::PHINode *, 16> sums;
  for (llvm::Value *value : acc) {
    sums.push_back(b.CreatePHI(value->getType(), 2));
    sums.back()->addIncoming(value, before);
  }
  auto moved = [&](SharedTile tile, const Operand &operand) {
    tile.pointer =
        b.CreateGEP(b.getInt8Ty(), tile.pointer, b.CreateNSWMul(index, b.getInt32(uint32_t(tile.strides[size_t(operand.dims.back())]))));
    // Vectors only along the other dimension.
    if (tile.layout.order[0] == unsigned(operand.dims.back())) tile.alignment = tile.layout.elementBytes;
    return tile;
  };
  auto fetch = [&](const SharedTile &tile, const Operand &operand, const PlacedLayout *layout) {
    Registers values = loadShared(moved(tile, operand), layout);
    for (llvm::Value *&value : values) value = convert(value, elementOf(operand.source.getType()), accElement, false, b);
    return values;
  };
  Registers a = fetch(left, lhs, leftLayout), c = fetch(right, rhs, rightLayout);
  Registers next;
  for (auto [r, at] : llvm::enumerate(plan.acc.registers() ? placed(plan.acc)->offsets : std::vector<Coordinates>())) {
    std::vector<int64_t> row(at.begin(), at.end() - 1), column(at.begin(), at.end() - 2);
    column.push_back(at.back());
    llvm::Value *x = a[leftPlaces.at(row)], *y = c[rightPlaces.at(column)];
    if (accElement.isIntOrIndex())
      next.push_back(b.CreateAdd(sums[r], b.CreateMul(x, y)));
    else
      next.push_back(b.CreateIntrinsic(llvm::Intrinsic::fma, {x->getType()}, {x, y, sums[r]}));
  }
  llvm::Value *following = b.CreateNUWAdd(index, b.getInt32(1));
  b.CreateCondBr(b.CreateICmpULT(following, b.getInt32(uint32_t(k))), body, done);
  index->addIncoming(following, b.GetInsertBlock());
  for (auto [phi, value] : llvm::zip(sums, next)) phi->addIncoming(value, b.GetInsertBlock());
  b.SetInsertPoint(done);
  return next;
}

int64_t PhaseLowering::rowsOf(const DotPlan &plan, bool lhs) {
  if (!plan.atom || plan.group) return 0;
  return (lhs ? plan.lhs : plan.rhs).covered()[0];
}

void PhaseLowering::lowerDot(DotOp dot) {
  const DotPlan &plan = choice->planOf(dot);
  const PlacedLayout *layout = placed(plan.acc);
  Registers acc = registersOf(dot.getAcc(), layout);
  int64_t mark = sharedTop;
  acc = plan.group  ? dotByGroups(dot, plan, std::move(acc))
        : plan.atom ? dotByAtoms(dot, plan, std::move(acc))
                    : dotByLoop(dot, plan, std::move(acc));
  sharedTop = mark;
  define(dot.getResult(), layout, std::move(acc));
}

} // namespace pantile::simt
