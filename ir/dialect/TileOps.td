//===- TileOps.td - the operations of the tile dialect --------------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#ifndef PANTILE_TILE_OPS_TD
#define PANTILE_TILE_OPS_TD

include "TileDialect.td"
include "mlir/IR/OpBase.td"
include "mlir/IR/SymbolInterfaces.td"
include "mlir/Interfaces/ControlFlowInterfaces.td"
include "mlir/Interfaces/FunctionInterfaces.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

class Tile_Op<string mnemonic, list<Trait> traits = []> : Op<Tile_Dialect, mnemonic, traits>;

def Tile_Tile : Type<CPred<"::pantile::tile::isTile($_self)">, "tile (a tensor with #tile.dims)", "::mlir::RankedTensorType">;
def Tile_Scalar : AnyTypeOf<[AnySignlessInteger, AnyFloat, Index]>;
def Tile_Value : AnyTypeOf<[Tile_Tile, Tile_Scalar]>;
/// One subscript of a view: a position, a range, or (gather, scatter) a tile of positions.
def Tile_Subscript : AnyTypeOf<[Index, Tile_RangeType, Tile_Tile]>;

//===----------------------------------------------------------------------===//
// Structure
//===----------------------------------------------------------------------===//

def Tile_KernelOp : Tile_Op<"kernel", [IsolatedFromAbove, FunctionOpInterface]> {
  let summary = "a kernel: views and scalars in, one or more phases of `tile.parallel`";
  let description = [{
    Argument attributes: `tile.sizes = ["M", "64"]` names each size of a view (equal names must be equal at run time),
    `tile.access = "read" | "write" | "update"` (default update), `tile.range = ["0", "V"]` bounds the values of an
    integer view, half open. Kernel attributes: `static = [@d]` (full extents that are compile-time constants),
    `scheduled` (unit; set by specialize).
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, TypeAttrOf<FunctionType>:$function_type,
                       OptionalAttr<DictArrayAttr>:$arg_attrs, OptionalAttr<DictArrayAttr>:$res_attrs);
  let regions = (region SizedRegion<1>:$body);
  let hasCustomAssemblyFormat = 1;
  let hasVerifier = 1;
  let hasRegionVerifier = 1;
  let extraClassDeclaration = [{
    ::mlir::ArrayRef<::mlir::Type> getArgumentTypes() { return getFunctionType().getInputs(); }
    ::mlir::ArrayRef<::mlir::Type> getResultTypes() { return getFunctionType().getResults(); }
    ::mlir::Region *getCallableRegion() { return &getBody(); }
    bool isScheduled() { return (*this)->hasAttr("scheduled"); }
  }];
}

def Tile_ReturnOp : Tile_Op<"return", [Pure, HasParent<"KernelOp">, Terminator]> {
  let summary = "ends a kernel (implied in the text)";
  let assemblyFormat = "attr-dict";
}

def Tile_YieldOp : Tile_Op<"yield", [Pure, Terminator, ParentOneOf<["ParallelOp", "LoopOp", "GridOp", "ReduceOp", "ScanOp"]>]> {
  let summary = "ends a loop body (its next carries) or a combine region (its results); implied where it has no operands";
  let arguments = (ins Variadic<AnyType>:$operands);
  let builders = [OpBuilder<(ins), [{ /* no operands */ }]>];
  let assemblyFormat = "attr-dict ($operands^ `:` type($operands))?";
}

def Tile_ParallelOp : Tile_Op<"parallel", [AttrSizedOperandSegments, SingleBlockImplicitTerminator<"YieldOp">, RecursiveMemoryEffects]> {
  let summary = "a grid loop over blocks; several in a row are phases";
  let description = [{
    ```mlir
    tile.parallel (%i, %j) in (%M, %N) by (@bm, @bn) { ... }
    tile.parallel %i from %a to %b by @bm { ... }
    tile.parallel (%b, %q) in (%B, %S) by (1, @bq) { ... }   // %b : index
    ```
    A block of literal 1 gives a plain `index`, any other a range. `lowers` is empty (all zero) or one for each upper.
  }];
  let arguments = (ins Variadic<Index>:$lowers, Variadic<Index>:$uppers, Tile_DimsAttr:$blocks);
  let regions = (region SizedRegion<1>:$body);
  let hasCustomAssemblyFormat = 1;
  let hasVerifier = 1;
}

def Tile_LoopOp : Tile_Op<"loop", [AttrSizedOperandSegments, SingleBlockImplicitTerminator<"YieldOp">, RecursiveMemoryEffects]> {
  let summary = "a sequential loop over blocks that carries tiles and scalars";
  let description = [{
    ```mlir
    %sum = tile.loop %p in %K by @bk carry(%s = %init : !acc) associative { ... tile.yield %d : !acc }
    %a, %b = tile.loop %k from %lo to %hi by 1 carry(%x = %x0 : !t, %y = %y0 : f32) { ... }
    ```
    `associative`: iterations may be regrouped (split-K, stream-K): every carry is a sum of what iterations add.
    Block arguments: the range (or index, by literal 1), then the carries. Zero trips give the initial carries.
  }];
  let arguments = (ins Optional<Index>:$lower, Index:$upper, Variadic<Tile_Value>:$inits, Tile_DimsAttr:$blocks,
                       UnitAttr:$associative);
  let results = (outs Variadic<Tile_Value>:$results);
  let regions = (region SizedRegion<1>:$body);
  let hasCustomAssemblyFormat = 1;
  let hasVerifier = 1;
}

//===----------------------------------------------------------------------===//
// Views and memory
//===----------------------------------------------------------------------===//

def Tile_DimOp : Tile_Op<"dim", [Pure]> {
  let summary = "a size of a view: `%M = tile.dim %C, 0`";
  let arguments = (ins Tile_ViewType:$view, I64Attr:$dim);
  let results = (outs Index:$result);
  let hasCustomAssemblyFormat = 1;
  let hasVerifier = 1;
  let hasFolder = 1;
}

def Tile_WorkspaceOp : Tile_Op<"workspace", [MemoryEffects<[MemAlloc]>]> {
  let summary = "scratch device memory that lives through all phases of one call: `%w = tile.workspace(%M, %N) : !tile.view<?x?xf32>`";
  let arguments = (ins Variadic<Index>:$sizes);
  let results = (outs Tile_ViewType:$result);
  let hasCustomAssemblyFormat = 1;
  let hasVerifier = 1;
}

class Tile_MemoryOp<string mnemonic, list<Trait> traits = []> : Tile_Op<mnemonic, traits>;

def Tile_LoadOp : Tile_MemoryOp<"load", [AttrSizedOperandSegments, DeclareOpInterfaceMethods<MemoryEffectsOpInterface>]> {
  let summary = "reads a tile: `tile.load %A[%i, full @d] : !a`, `... pad %zero : !a`; all-index subscripts give a scalar";
  let description = [{
    `kinds` has one entry a dimension of the view: unit = the next operand of `subscripts`; a symbol = `full @d`;
    an integer = `full 64`. An `index` subscript drops the dimension, a range or full extent keeps it.
    Elements of a range beyond its clipped end are not logical elements. Elements inside the range but outside the view
    read as `pad` where given, and are an error (reported by the interpreter, zero elsewhere) where not.
  }];
  let arguments = (ins Tile_ViewType:$view, Variadic<Tile_Subscript>:$subscripts, Optional<Tile_Scalar>:$pad, ArrayAttr:$kinds);
  let results = (outs Tile_Value:$result);
  let hasCustomAssemblyFormat = 1;
  let hasVerifier = 1;
}

def Tile_StoreOp : Tile_MemoryOp<"store", [DeclareOpInterfaceMethods<MemoryEffectsOpInterface>]> {
  let summary = "writes a tile's logical elements: `tile.store %out, %C[%i, %j] : !t`; elements outside the view are dropped";
  let arguments = (ins Tile_Value:$value, Tile_ViewType:$view, Variadic<Tile_Subscript>:$subscripts, ArrayAttr:$kinds);
  let hasCustomAssemblyFormat = 1;
  let hasVerifier = 1;
}

def Tile_GatherOp : Tile_MemoryOp<"gather", [AttrSizedOperandSegments, DeclareOpInterfaceMethods<MemoryEffectsOpInterface>]> {
  let summary = "reads by tiles of positions: `tile.gather %T[%ids, full @d] mask %m pad %zero : !t`";
  let description = [{
    One or more subscripts are tiles of integers or index, all of one shape S. The result's dimensions are those of the
    subscripts in order, S standing where the first tile subscript stands. Positions outside the view, and positions
    whose mask (shape S, i1) is false, read as `pad` (zero where absent): a gather never faults.
  }];
  let arguments = (ins Tile_ViewType:$view, Variadic<Tile_Subscript>:$subscripts, Optional<Tile_Tile>:$mask, Optional<Tile_Scalar>:$pad,
                       ArrayAttr:$kinds);
  let results = (outs Tile_Tile:$result);
  let hasCustomAssemblyFormat = 1;
  let hasVerifier = 1;
}

def Tile_ScatterOp : Tile_MemoryOp<"scatter", [AttrSizedOperandSegments, DeclareOpInterfaceMethods<MemoryEffectsOpInterface>]> {
  let summary = "writes by tiles of positions: `tile.scatter %v, %T[%ids, full @d] mask %m : !t`; outside or masked positions are dropped";
  let description = "Two logical elements of one scatter that name one position leave either value.";
  let arguments = (ins Tile_Tile:$value, Tile_ViewType:$view, Variadic<Tile_Subscript>:$subscripts, Optional<Tile_Tile>:$mask,
                       ArrayAttr:$kinds);
  let hasCustomAssemblyFormat = 1;
  let hasVerifier = 1;
}

def Tile_AtomicRMWOp : Tile_MemoryOp<"atomic_rmw", [AttrSizedOperandSegments, DeclareOpInterfaceMethods<MemoryEffectsOpInterface>]> {
  let summary = "combines into memory: `tile.atomic_rmw addf %v, %S[%i, %j] : !t`, `%old = tile.atomic_rmw addi %one, %C[%b] : i32`";
  let description = [{
    Each logical element of the value that lies inside the view is combined with what is there, indivisibly and in any
    order; elements of one position all count. Subscripts as of `tile.store`, or, where one is a tile of positions, as of
    `tile.scatter` (with its mask). Kinds: addf maximumf minimumf maxnumf minnumf addi maxsi minsi maxui minui andi ori
    xori, and `exchange`. A result has the value's type: what was there before, zero where nothing was combined.
  }];
  let arguments = (ins Tile_Value:$value, Tile_ViewType:$view, Variadic<Tile_Subscript>:$subscripts, Optional<Tile_Tile>:$mask,
                       ArrayAttr:$kinds, StrAttr:$kind);
  let results = (outs Optional<Tile_Value>:$old);
  let hasCustomAssemblyFormat = 1;
  let hasVerifier = 1;
}

//===----------------------------------------------------------------------===//
// Ranges
//===----------------------------------------------------------------------===//

def Tile_BeginOp : Tile_Op<"begin", [Pure]> {
  let summary = "first position of a range";
  let arguments = (ins Tile_RangeType:$range);
  let results = (outs Index:$result);
  let assemblyFormat = "$range attr-dict `:` qualified(type($range))";
  let hasFolder = 1;
}
def Tile_EndOp : Tile_Op<"end", [Pure]> {
  let summary = "one past the last logical position of a range (clipped by the loop's upper bound)";
  let arguments = (ins Tile_RangeType:$range);
  let results = (outs Index:$result);
  let assemblyFormat = "$range attr-dict `:` qualified(type($range))";
}
def Tile_IdOp : Tile_Op<"id", [Pure]> {
  let summary = "ordinal of a range in its loop: (begin - lower) / block";
  let arguments = (ins Tile_RangeType:$range);
  let results = (outs Index:$result);
  let assemblyFormat = "$range attr-dict `:` qualified(type($range))";
  let hasFolder = 1;
}
def Tile_IndexOp : Tile_Op<"index", [Pure]> {
  let summary = "the positions of a range as a rank-1 tile: `tile.index %i : !tile.range<@bm> -> tensor<?xi32, #tile.dims<@bm>>`";
  let arguments = (ins Tile_RangeType:$range);
  let results = (outs Tile_Tile:$result);
  let assemblyFormat = "$range attr-dict `:` qualified(type($range)) `->` type($result)";
  let hasVerifier = 1;
}
def Tile_ShiftOp : Tile_Op<"shift", [Pure, AllTypesMatch<["range", "result"]>]> {
  let summary = "a range moved by an offset, begin and end alike: `tile.shift %i by %off : !tile.range<@bm>`";
  let arguments = (ins Tile_RangeType:$range, Index:$offset);
  let results = (outs Tile_RangeType:$result);
  let assemblyFormat = "$range `by` $offset attr-dict `:` qualified(type($range))";
  let hasFolder = 1;
}
def Tile_ScaleOp : Tile_Op<"scale", [Pure]> {
  let summary = "a range times a constant, begin and end alike: `tile.scale %kb by 32 : !tile.range<@kb> -> !tile.range<@kb * 32>`";
  let arguments = (ins Tile_RangeType:$range, I64Attr:$factor);
  let results = (outs Tile_RangeType:$result);
  let assemblyFormat = "$range `by` $factor attr-dict `:` qualified(type($range)) `->` qualified(type($result))";
  let hasVerifier = 1;
  let hasFolder = 1;
}

//===----------------------------------------------------------------------===//
// Tiles
//===----------------------------------------------------------------------===//

def Tile_SplatOp : Tile_Op<"splat", [Pure, TypesMatchWith<"the scalar has the tile's element type", "result", "scalar",
                                                               "::pantile::tile::elementOf($_self)">]> {
  let summary = "a tile of one scalar: `tile.splat %zero : !acc`";
  let arguments = (ins Tile_Scalar:$scalar);
  let results = (outs Tile_Tile:$result);
  let assemblyFormat = "$scalar attr-dict `:` type($result)";
}
def Tile_IotaOp : Tile_Op<"iota", [Pure]> {
  let summary = "0, 1, 2, ... as a rank-1 tile: `tile.iota : tensor<?xi32, #tile.dims<@cols>>`";
  let results = (outs Tile_Tile:$result);
  let assemblyFormat = "attr-dict `:` type($result)";
  let hasVerifier = 1;
}
def Tile_RandomOp : Tile_Op<"random", [Pure]> {
  let summary = "random bits by counter: `tile.random %seed, %position : !i -> !bits`, `... word 1 : !i -> !bits`";
  let description = [{
    Philox 4x32-10 (Salmon et al., 2011) with the key `seed` (i64) and the counter `position` (i32 or i64, unsigned, its low
    and high half): one of its four 32-bit words for each position. The same everywhere; every position is its own stream.
  }];
  let arguments = (ins I64:$seed, Tile_Value:$position, DefaultValuedAttr<I64Attr, "0">:$word);
  let results = (outs Tile_Value:$result);
  let hasCustomAssemblyFormat = 1;
  let hasVerifier = 1;
}
def Tile_BroadcastOp : Tile_Op<"broadcast", [Pure]> {
  let summary = "repeats a tile along new dimensions: `tile.broadcast %max along 1 : !col -> !row`, `along [0, 2]`";
  let description = "`along` lists, ascending, the positions in the result that are new.";
  let arguments = (ins Tile_Tile:$source, DenseI64ArrayAttr:$along);
  let results = (outs Tile_Tile:$result);
  let hasCustomAssemblyFormat = 1;
  let hasVerifier = 1;
  let hasCanonicalizer = 1;
}
def Tile_TransposeOp : Tile_Op<"transpose", [Pure]> {
  let summary = "permutes dimensions: `tile.transpose %x by [1, 0] : !a -> !b`; result dimension i is source dimension permutation[i]";
  let arguments = (ins Tile_Tile:$source, DenseI64ArrayAttr:$permutation);
  let results = (outs Tile_Tile:$result);
  let hasCustomAssemblyFormat = 1;
  let hasVerifier = 1;
  let hasFolder = 1;
  let hasCanonicalizer = 1;
}
def Tile_ReshapeOp : Tile_Op<"reshape", [Pure]> {
  let summary = "row-major reinterpretation: merges or splits neighbouring dimensions: `tile.reshape %x : !a -> !b`";
  let description = "Legal: constants among themselves; `@s * c` <-> `@s` x `c`; dropping or adding extents of 1.";
  let arguments = (ins Tile_Tile:$source);
  let results = (outs Tile_Tile:$result);
  let assemblyFormat = "$source attr-dict `:` type($source) `->` type($result)";
  let hasVerifier = 1;
  let hasFolder = 1;
  let hasCanonicalizer = 1;
}
def Tile_CatOp : Tile_Op<"cat", [Pure]> {
  let summary = "joins tiles along an existing dimension of constant extent: `tile.cat %x, %y along 1 : !a, !b -> !c`";
  let arguments = (ins Variadic<Tile_Tile>:$sources, I64Attr:$dim);
  let results = (outs Tile_Tile:$result);
  let assemblyFormat = "$sources `along` $dim attr-dict `:` type($sources) `->` type($result)";
  let hasVerifier = 1;
}
def Tile_JoinOp : Tile_Op<"join", [Pure, SameTypeOperands]> {
  let summary = "stacks two tiles along a new last dimension of 2: `tile.join %x, %y : !a -> !b`";
  let arguments = (ins Tile_Tile:$lhs, Tile_Tile:$rhs);
  let results = (outs Tile_Tile:$result);
  let assemblyFormat = "$lhs `,` $rhs attr-dict `:` type($lhs) `->` type($result)";
  let hasVerifier = 1;
}
def Tile_SplitOp : Tile_Op<"split", [Pure]> {
  let summary = "undoes join: `%x, %y = tile.split %b : !b -> !a`";
  let arguments = (ins Tile_Tile:$source);
  let results = (outs Tile_Tile:$first, Tile_Tile:$second);
  let hasCustomAssemblyFormat = 1;
  let hasVerifier = 1;
  let hasCanonicalizer = 1;
}
def Tile_CastOp : Tile_Op<"cast", [Pure]> {
  let summary = "numeric conversion between any two dtypes, of a tile or a scalar: `tile.cast %x : !a -> !b`";
  let description = [{
    Float to float rounds to nearest even (to f8 saturates unless the value is inf or nan), float to integer truncates
    and saturates (nan gives 0), integer to float rounds to nearest even, integers wrap or extend by sign (i1 by zero;
    `unsigned` extends and converts as unsigned). Upstream arith casts are accepted as well.
  }];
  let arguments = (ins Tile_Value:$source, UnitAttr:$is_unsigned);
  let results = (outs Tile_Value:$result);
  let assemblyFormat = "$source (`unsigned` $is_unsigned^)? attr-dict `:` type($source) `->` type($result)";
  let hasVerifier = 1;
  let hasFolder = 1;
  let hasCanonicalizer = 1;
}

//===----------------------------------------------------------------------===//
// Contractions, reductions, scans
//===----------------------------------------------------------------------===//

def Tile_DotOp : Tile_Op<"dot", [Pure, AllTypesMatch<["acc", "result"]>]> {
  let summary = "acc + lhs x rhs: `tile.dot %x, transpose(%y), %s : !a, !b -> !acc`";
  let description = [{
    lhs [..., m, k], rhs [..., k, n] (each the other way round under `transpose`), acc [..., m, n]; leading dimensions,
    equal in all, are batches. Accumulates in acc's dtype: floats into f32 (or f64), i8 into i32 (exact). `precision`:
    "ieee" (default) or "tf32" for f32 operands.
  }];
  let arguments = (ins Tile_Tile:$lhs, Tile_Tile:$rhs, Tile_Tile:$acc, UnitAttr:$transpose_lhs, UnitAttr:$transpose_rhs,
                       OptionalAttr<StrAttr>:$precision);
  let results = (outs Tile_Tile:$result);
  let hasCustomAssemblyFormat = 1;
  let hasVerifier = 1;
  let hasCanonicalizer = 1;
}

def Tile_ReduceOp : Tile_Op<"reduce", [RecursivelySpeculatable, RecursiveMemoryEffects, AttrSizedOperandSegments]> {
  let summary = "combines the logical elements along one dimension";
  let description = [{
    ```mlir
    %max = tile.reduce maximumf %x over 1 : !row -> !col
    %m, %s = tile.reduce (%x, %y) over 1 init(%a, %b) : !row, !row -> !col, !col {
      ^bb0(%l0: f32, %l1: f32, %r0: f32, %r1: f32): ... tile.yield %p, %q : f32, f32 }
    ```
    Kinds: addf mulf maximumf minimumf maxnumf minnumf addi muli maxsi minsi maxui minui andi ori xori; they have no
    region and no init. A general reduction has a region over scalars (left elements, then right elements), `init` scalars
    that are its identity, and must be associative and commutative. Reducing to rank 0 gives scalars. Empty: identity.
  }];
  let arguments = (ins Variadic<Tile_Tile>:$sources, Variadic<Tile_Scalar>:$inits, I64Attr:$dim, OptionalAttr<StrAttr>:$kind);
  let results = (outs Variadic<Tile_Value>:$results);
  let regions = (region MaxSizedRegion<1>:$combine);
  let hasCustomAssemblyFormat = 1;
  let hasVerifier = 1;
}

def Tile_ScanOp : Tile_Op<"scan", [RecursivelySpeculatable, RecursiveMemoryEffects, AttrSizedOperandSegments]> {
  let summary = "running combination along one dimension: `tile.scan addf %x over 1 [reverse] [exclusive] : !row`";
  let description = "Kinds and general form as `tile.reduce`; results have the sources' types. Combination in order.";
  let arguments = (ins Variadic<Tile_Tile>:$sources, Variadic<Tile_Scalar>:$inits, I64Attr:$dim, OptionalAttr<StrAttr>:$kind,
                       UnitAttr:$reverse, UnitAttr:$exclusive);
  let results = (outs Variadic<Tile_Tile>:$results);
  let regions = (region MaxSizedRegion<1>:$combine);
  let hasCustomAssemblyFormat = 1;
  let hasVerifier = 1;
}

def Tile_TopKOp : Tile_Op<"topk", [Pure]> {
  let summary = "the greatest elements along a dimension, and where they stood: `%v, %n = tile.topk %x over 1 : !row -> !top, !places`";
  let description = [{
    The results have the source's dimensions, but in place of `dim` a constant k, or `dim` itself: then all are sorted.
    The first has the greatest elements in descending order, the second (i32) their positions in the source tile. Equal
    elements keep their order, a NaN is greater than any number. A constant k is at most the number of logical elements.
  }];
  let arguments = (ins Tile_Tile:$source, I64Attr:$dim);
  let results = (outs Tile_Tile:$values, Tile_Tile:$positions);
  let assemblyFormat = "$source `over` $dim attr-dict `:` type($source) `->` type($values) `,` type($positions)";
  let hasVerifier = 1;
}

//===----------------------------------------------------------------------===//
// Facts and checks
//===----------------------------------------------------------------------===//

def Tile_AssumeOp : Tile_Op<"assume", [MemoryEffects<[MemWrite]>]> {
  let summary = "the author promises an i1: the interpreter checks it, lowerings may use it";
  let arguments = (ins I1:$condition, StrAttr:$message);
  let assemblyFormat = "$condition `,` $message attr-dict";
}

def Tile_AssertOp : Tile_Op<"assert", [MemoryEffects<[MemWrite]>]> {
  let summary = "an error of the interpreter where an i1, or a logical element of a tile of i1, is false";
  let description = [{
    `tile.assert %sorted, "ids ascend" : !mask`. For debugging: compiled code has none (specialize drops it unless asked).
  }];
  let arguments = (ins Tile_Value:$condition, StrAttr:$message);
  let assemblyFormat = "$condition `,` $message attr-dict `:` type($condition)";
  let hasVerifier = 1;
}

def Tile_PrintOp : Tile_Op<"print", [MemoryEffects<[MemWrite]>]> {
  let summary = "the interpreter prints a text and values: `tile.print \"row\", %x, %n : !row, index`; compiled code does not";
  let arguments = (ins StrAttr:$text, Variadic<Tile_Value>:$values);
  let assemblyFormat = "$text (`,` $values^ `:` type($values))? attr-dict";
}

//===----------------------------------------------------------------------===//
// Scheduled level
//===----------------------------------------------------------------------===//

def Tile_GridOp : Tile_Op<"grid", [SingleBlockImplicitTerminator<"YieldOp">, RecursiveMemoryEffects]> {
  let summary = "scheduled: one phase's programs: `tile.grid %pid in %count { ... }`";
  let description = [{
    ```mlir
    tile.grid %pid in %count schedule {pid_type = "flat"} { ... }
    tile.grid (%x, %y) in (%columns, %rows) schedule {pid_type = "xyz"} { ... }   // up to three, x fastest
    ```
    Replaces `tile.parallel`: the body decodes the program ids with arith into block begins and makes ranges. Attributes
    carry the schedule as data (`pid_type`, and what the configuration says of loops and loads, by name).
  }];
  let arguments = (ins Variadic<Index>:$counts, DictionaryAttr:$schedule);
  let regions = (region SizedRegion<1>:$body);
  let hasCustomAssemblyFormat = 1;
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    /// Of a grid of one dimension: what lowerings have that never ask for `xyz`.
    ::mlir::Value getCount() { assert(getCounts().size() == 1 && "a grid of several dimensions"); return getCounts().front(); }
  }];
}

def Tile_MakeRangeOp : Tile_Op<"make_range", [Pure]> {
  let summary = "scheduled: a range from numbers: `tile.make_range %id at %begin to %end : !tile.range<@bm, 64>`";
  let description = "`end` is the loop's upper bound; the range's end is min(begin + extent, end).";
  let arguments = (ins Index:$id, Index:$begin, Index:$end);
  let results = (outs Tile_RangeType:$result);
  let assemblyFormat = "$id `at` $begin `to` $end attr-dict `:` qualified(type($result))";
  let hasVerifier = 1;
}

def Tile_PackOp : Tile_Op<"pack", [Pure, AllTypesMatch<["view", "result"]>]> {
  let summary = "scheduled, CPU: the view %v again, its block `%range` of dimension `dim` copied into panels of `panel` columns";
  let description = [{
    `%p = tile.pack %B over 1 at %j {panel = 32} : !tile.view<?x?xf32>, !tile.range<@bn, 64>`: equal to %B inside the
    range and undefined outside. `k_group` (default 1) interleaves that many consecutive rows (bf16 pairs, int8 quads).
    A program whose range equals the previous program's on the same worker reuses the copy. Identity for the interpreter.
  }];
  let arguments = (ins Tile_ViewType:$view, Tile_RangeType:$range, I64Attr:$dim, I64Attr:$panel, DefaultValuedAttr<I64Attr, "1">:$k_group);
  let results = (outs Tile_ViewType:$result);
  let assemblyFormat = "$view `over` $dim `at` $range attr-dict `:` qualified(type($view)) `,` qualified(type($range))";
  let hasVerifier = 1;
}

#endif // PANTILE_TILE_OPS_TD
