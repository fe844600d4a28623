// RUN: pantile-opt %s --split-input-file --verify-diagnostics
// Operations on ranges and tiles: one operation a case, on the same operands.

tile.kernel @k(%s: f32, %n: index) {
  tile.parallel %i in %n by @b {
    // expected-error @+1 {{positions are integers or index, found 'f32'}}
    %r = tile.index %i : !tile.range<@b> -> tensor<?xf32, #tile.dims<@b>>
  }
}

// -----

tile.kernel @k(%s: f32, %n: index) {
  tile.parallel %i in %n by @b {
    // expected-error @+1 {{positions need i32, i64 or index, found 'i8'}}
    %r = tile.index %i : !tile.range<@b> -> tensor<?xi8, #tile.dims<@b>>
  }
}

// -----

!ic = tensor<?xi32, #tile.dims<@c>>
tile.kernel @k(%s: f32, %n: index) {
  tile.parallel %i in %n by @b {
    // expected-error @+1 {{the result is 'tensor<?xi32, #tile.dims<@b>>', found 'tensor<?xi32, #tile.dims<@c>>'}}
    %r = tile.index %i : !tile.range<@b> -> !ic
  }
}

// -----

tile.kernel @k(%s: f32, %n: index) {
  tile.parallel %i in %n by @b {
    // expected-error @+1 {{the factor is at least 1, found 0}}
    %r = tile.scale %i by 0 : !tile.range<@b> -> !tile.range<@b>
  }
}

// -----

tile.kernel @k(%s: f32, %n: index) {
  tile.parallel %i in %n by @b {
    // expected-error @+1 {{the result is '!tile.range<@b * 2>', found '!tile.range<@b * 4>'}}
    %r = tile.scale %i by 2 : !tile.range<@b> -> !tile.range<@b * 4>
  }
}

// -----

tile.kernel @k(%s: f32, %n: index) attributes {scheduled} {
  tile.parallel %i in %n by @b {
    // expected-error @+1 {{makes ranges of the scheduled level, whose extent is bound (!tile.range<@bm, 64>), found '!tile.range<@b>'}}
    %r = tile.make_range %n at %n to %n : !tile.range<@b>
  }
}

// -----

tile.kernel @k(%s: f32, %n: index) {
  tile.parallel %i in %n by @b {
    // expected-error @+1 {{the result has rank 1, found 'tensor<?x?xi32, #tile.dims<@b, @c>>'}}
    %r = tile.iota : tensor<?x?xi32, #tile.dims<@b, @c>>
  }
}

// -----

!fb = tensor<?xf32, #tile.dims<@b>>
tile.kernel @k(%s: f32, %n: index) {
  tile.parallel %i in %n by @b {
    // expected-error @+1 {{counts in integers or index, found 'f32'}}
    %r = tile.iota : !fb
  }
}

// -----

!fb = tensor<?xf32, #tile.dims<@b>>
tile.kernel @k(%s: f32, %n: index) {
  tile.parallel %i in %n by @b {
    %x = tile.splat %s : !fb
    // expected-error @+1 {{expected integer value}}
    %r = tile.broadcast %x along [] : !fb -> !fb
  }
}

// -----

!fb = tensor<?xf32, #tile.dims<@b>>
!fbc = tensor<?x?xf32, #tile.dims<@b, @c>>
tile.kernel @k(%s: f32, %n: index) {
  tile.parallel %i in %n by @b {
    %x = tile.splat %s : !fb
    // expected-error @+1 {{dimension 2 is outside a tile of rank 2: accepted are 0 to 1}}
    %r = tile.broadcast %x along 2 : !fb -> !fbc
  }
}

// -----

!fb = tensor<?xf32, #tile.dims<@b>>
!fbc = tensor<?x?xf32, #tile.dims<@b, @c>>
tile.kernel @k(%s: f32, %n: index) {
  tile.parallel %i in %n by @b {
    %x = tile.splat %s : !fb
    // expected-error @+1 {{'along' is ascending without repeats, found [1, 0]}}
    %r = tile.broadcast %x along [1, 0] : !fb -> !fbc
  }
}

// -----

!fb = tensor<?xf32, #tile.dims<@b>>
!fbc = tensor<?x?xf32, #tile.dims<@b, @c>>
tile.kernel @k(%s: f32, %n: index) {
  tile.parallel %i in %n by @b {
    %x = tile.splat %s : !fb
    // expected-error @+1 {{a tile of rank 1 along 2 new dimension(s) has rank 3, found 'tensor<?x?xf32, #tile.dims<@b, @c>>'}}
    %r = tile.broadcast %x along [0, 1] : !fb -> !fbc
  }
}

// -----

!fb = tensor<?xf32, #tile.dims<@b>>
!fbc = tensor<?x?xf32, #tile.dims<@b, @c>>
tile.kernel @k(%s: f32, %n: index) {
  tile.parallel %i in %n by @b {
    %x = tile.splat %s : !fb
    // expected-error @+1 {{without dimensions [0] the result is 'tensor<?xf32, #tile.dims<@c>>', but the source is 'tensor<?xf32, #tile.dims<@b>>'}}
    %r = tile.broadcast %x along 0 : !fb -> !fbc
  }
}

// -----

!fbc = tensor<?x?xf32, #tile.dims<@b, @c>>
tile.kernel @k(%s: f32, %n: index) {
  tile.parallel %i in %n by @b {
    %m = tile.splat %s : !fbc
    // expected-error @+1 {{'by' is a permutation of the 2 dimensions, found [1, 1]}}
    %r = tile.transpose %m by [1, 1] : !fbc -> !fbc
  }
}

// -----

!fbc = tensor<?x?xf32, #tile.dims<@b, @c>>
tile.kernel @k(%s: f32, %n: index) {
  tile.parallel %i in %n by @b {
    %m = tile.splat %s : !fbc
    // expected-error @+1 {{the result is 'tensor<?x?xf32, #tile.dims<@c, @b>>', found 'tensor<?x?xf32, #tile.dims<@b, @c>>'}}
    %r = tile.transpose %m by [1, 0] : !fbc -> !fbc
  }
}

// -----

!fbc = tensor<?x?xf32, #tile.dims<@b, @c>>
tile.kernel @k(%s: f32, %n: index) {
  tile.parallel %i in %n by @b {
    %m = tile.splat %s : !fbc
    // expected-error @+1 {{keeps the elements' type 'f32', found 'i32'; use tile.cast}}
    %r = tile.reshape %m : !fbc -> tensor<?x?xi32, #tile.dims<@b, @c>>
  }
}

// -----

!fbc = tensor<?x?xf32, #tile.dims<@b, @c>>
tile.kernel @k(%s: f32, %n: index) {
  tile.parallel %i in %n by @b {
    %m = tile.splat %s : !fbc
    // expected-error @+1 {{merges or splits neighbouring dimensions: constants among themselves, '@s * c' and '@s' x 'c', extents of 1; found}}
    %r = tile.reshape %m : !fbc -> tensor<?x?xf32, #tile.dims<@c, @b>>
  }
}

// -----

!fbc = tensor<?x?xf32, #tile.dims<@b, @c>>
tile.kernel @k(%s: f32, %n: index) {
  tile.parallel %i in %n by @b {
    // expected-error @+1 {{needs at least one tile}}
    %r = "tile.cat"() <{dim = 0}> : () -> !fbc
  }
}

// -----

!fbc = tensor<?x?xf32, #tile.dims<@b, @c>>
tile.kernel @k(%s: f32, %n: index) {
  tile.parallel %i in %n by @b {
    %m = tile.splat %s : !fbc
    // expected-error @+1 {{dimension 2 is outside a tile of rank 2: accepted are 0 to 1}}
    %r = tile.cat %m, %m along 2 : !fbc, !fbc -> !fbc
  }
}

// -----

!fb = tensor<?xf32, #tile.dims<@b>>
!fbc = tensor<?x?xf32, #tile.dims<@b, @c>>
tile.kernel @k(%s: f32, %n: index) {
  tile.parallel %i in %n by @b {
    %x = tile.splat %s : !fb
    %m = tile.splat %s : !fbc
    // expected-error @+1 {{tiles agree in all but dimension 0, found 'tensor<?x?xf32, #tile.dims<@b, @c>>' and 'tensor<?xf32, #tile.dims<@b>>'}}
    %r = tile.cat %m, %x along 0 : !fbc, !fb -> !fbc
  }
}

// -----

!fbc = tensor<?x?xf32, #tile.dims<@b, @c>>
tile.kernel @k(%s: f32, %n: index) {
  tile.parallel %i in %n by @b {
    %m = tile.splat %s : !fbc
    // expected-error @+1 {{dimension 0 is a constant in every tile, found 'tensor<?x?xf32, #tile.dims<@b, @c>>'}}
    %r = tile.cat %m, %m along 0 : !fbc, !fbc -> !fbc
  }
}

// -----

!f4 = tensor<4xf32, #tile.dims<4>>
tile.kernel @k(%s: f32, %n: index) {
  tile.parallel %i in %n by @b {
    %k = tile.splat %s : !f4
    // expected-error @+1 {{the result is 'tensor<8xf32, #tile.dims<8>>', found 'tensor<4xf32, #tile.dims<4>>'}}
    %r = tile.cat %k, %k along 0 : !f4, !f4 -> !f4
  }
}

// -----

!fb = tensor<?xf32, #tile.dims<@b>>
!fbc = tensor<?x?xf32, #tile.dims<@b, @c>>
tile.kernel @k(%s: f32, %n: index) {
  tile.parallel %i in %n by @b {
    %x = tile.splat %s : !fb
    // expected-error @+1 {{the result is 'tensor<?x2xf32, #tile.dims<@b, 2>>', found 'tensor<?x?xf32, #tile.dims<@b, @c>>'}}
    %r = tile.join %x, %x : !fb -> !fbc
  }
}

// -----

!fb = tensor<?xf32, #tile.dims<@b>>
!fbc = tensor<?x?xf32, #tile.dims<@b, @c>>
tile.kernel @k(%s: f32, %n: index) {
  tile.parallel %i in %n by @b {
    %m = tile.splat %s : !fbc
    // expected-error @+1 {{halves a last dimension of 2: the source is 'tensor<?x2xf32, #tile.dims<@b, 2>>', found 'tensor<?x?xf32, #tile.dims<@b, @c>>'}}
    %r, %t = tile.split %m : !fbc -> !fb
  }
}

// -----

!fb = tensor<?xf32, #tile.dims<@b>>
!fbc = tensor<?x?xf32, #tile.dims<@b, @c>>
!f4 = tensor<4xf32, #tile.dims<4>>
tile.kernel @k(%s: f32, %n: index) {
  tile.parallel %i in %n by @b {
    %m = tile.splat %s : !fbc
    // expected-error @+1 {{both halves have one type}}
    %r, %t = "tile.split"(%m) : (!fbc) -> (!fb, !f4)
  }
}

// -----

!fb = tensor<?xf32, #tile.dims<@b>>
tile.kernel @k(%s: f32, %n: index) {
  tile.parallel %i in %n by @b {
    %x = tile.splat %s : !fb
    // expected-error @+1 {{keeps the shape: a tile gives a tile, a scalar a scalar; found 'tensor<?xf32, #tile.dims<@b>>' to 'f32'}}
    %r = tile.cast %x : !fb -> f32
  }
}

// -----

!fb = tensor<?xf32, #tile.dims<@b>>
tile.kernel @k(%s: f32, %n: index) {
  tile.parallel %i in %n by @b {
    %x = tile.splat %s : !fb
    // expected-error @+1 {{keeps the shape: found 'tensor<?xf32, #tile.dims<@b>>' to 'tensor<?xbf16, #tile.dims<@c>>'}}
    %r = tile.cast %x : !fb -> tensor<?xbf16, #tile.dims<@c>>
  }
}

// -----

tile.kernel @k(%s: f32, %n: index) {
  tile.parallel %i in %n by @b {
    // expected-error @+1 {{converts between i1 to i64, index, f16 to f64, bf16, f8 and f4, found 'i7'}}
    %r = tile.cast %s : f32 -> i7
  }
}

// -----

tile.kernel @k(%s: f32, %n: index) {
  tile.parallel %i in %n by @b {
    // expected-error @+1 {{'unsigned' is about integers, found 'f32' to 'f64'}}
    %r = tile.cast %s unsigned : f32 -> f64
  }
}

// -----

!ic = tensor<?xi32, #tile.dims<@c>>
// expected-note @+1 {{prior use here}}
tile.kernel @k(%s: f32, %n: index) {
  tile.parallel %i in %n by @b {
    // expected-error @+1 {{expects different type than prior uses: 'i32' vs 'f32'}}
    %r = tile.splat %s : !ic
  }
}

// -----

!fb = tensor<?xf32, #tile.dims<@b>>
tile.kernel @k(%s: f32, %n: index) {
  tile.parallel %i in %n by @b {
    %x = tile.splat %s : !fb
    // expected-error @+1 {{operands are [batches..., m, k], [batches..., k, n] and [batches..., m, n], found ranks 1, 1 and 1}}
    %r = tile.dot %x, %x, %x : !fb, !fb -> !fb
  }
}

// -----

!fbc = tensor<?x?xf32, #tile.dims<@b, @c>>
tile.kernel @k(%s: f32, %n: index) {
  tile.parallel %i in %n by @b {
    %m = tile.splat %s : !fbc
    // expected-error @+1 {{k is @c in the left operand and @b in the right operand}}
    %r = tile.dot %m, %m, %m : !fbc, !fbc -> !fbc
  }
}

// -----

!fbc = tensor<?x?xf32, #tile.dims<@b, @c>>
tile.kernel @k(%s: f32, %n: index) {
  tile.parallel %i in %n by @b {
    %m = tile.splat %s : !fbc
    // expected-error @+1 {{m is @c in the left operand and @b in the accumulator}}
    %r = tile.dot transpose(%m), %m, %m : !fbc, !fbc -> !fbc
  }
}

// -----

!fbc = tensor<?x?xf32, #tile.dims<@b, @c>>
tile.kernel @k(%s: f32, %n: index) {
  tile.parallel %i in %n by @b {
    %m = tile.splat %s : !fbc
    // expected-error @+1 {{n is @b in the right operand and @c in the accumulator}}
    %r = tile.dot %m, transpose(%m), %m : !fbc, !fbc -> !fbc
  }
}

// -----

tile.kernel @k(%s: f32, %n: index) {
  tile.parallel %i in %n by @b {
    %p = tile.splat %s : tensor<4x?x?xf32, #tile.dims<4, @b, @b>>
    %q = tile.splat %s : tensor<8x?x?xf32, #tile.dims<8, @b, @b>>
    // expected-error @+1 {{batch dimension 0 is 4 in the left operand and 8 in the accumulator}}
    %r = tile.dot %p, %q, %q : tensor<4x?x?xf32, #tile.dims<4, @b, @b>>, tensor<8x?x?xf32, #tile.dims<8, @b, @b>> -> tensor<8x?x?xf32, #tile.dims<8, @b, @b>>
  }
}

// -----

tile.kernel @k(%s: f32, %n: index) {
  tile.parallel %i in %n by @b {
    %p = tile.splat %s : tensor<4x?x?xf32, #tile.dims<4, @b, @b>>
    %q = tile.splat %s : tensor<8x?x?xf32, #tile.dims<8, @b, @b>>
    // expected-error @+1 {{batch dimension 0 is 4 in the right operand and 8 in the accumulator}}
    %r = tile.dot %q, %p, %q : tensor<8x?x?xf32, #tile.dims<8, @b, @b>>, tensor<4x?x?xf32, #tile.dims<4, @b, @b>> -> tensor<8x?x?xf32, #tile.dims<8, @b, @b>>
  }
}

// -----

!fbc = tensor<?x?xf32, #tile.dims<@b, @c>>
tile.kernel @k(%s: f32, %n: index, %t: bf16) {
  tile.parallel %i in %n by @b {
    %m = tile.splat %s : !fbc
    %h = tile.splat %t : tensor<?x?xbf16, #tile.dims<@b, @b>>
    // expected-error @+1 {{multiplies operands of one dtype: floats into f32 or f64 (f64 into f64), i8 into i32; found 'f32' and 'f32' into 'bf16'}}
    %r = tile.dot %m, transpose(%m), %h : !fbc, !fbc -> tensor<?x?xbf16, #tile.dims<@b, @b>>
  }
}

// -----

!fbc = tensor<?x?xf32, #tile.dims<@b, @c>>
!fbb = tensor<?x?xf32, #tile.dims<@b, @b>>
tile.kernel @k(%s: f32, %n: index) {
  tile.parallel %i in %n by @b {
    %m = tile.splat %s : !fbc
    %bb = tile.splat %s : !fbb
    // expected-error @+1 {{precision is "ieee" or "tf32", found "fast"}}
    %r = tile.dot %m, transpose(%m), %bb {precision = "fast"} : !fbc, !fbc -> !fbb
  }
}

// -----

!fbb = tensor<?x?xf32, #tile.dims<@b, @b>>
tile.kernel @k(%s: f32, %n: index, %t: bf16) {
  tile.parallel %i in %n by @b {
    %bb = tile.splat %s : !fbb
    %h = tile.splat %t : tensor<?x?xbf16, #tile.dims<@b, @b>>
    // expected-error @+1 {{precision "tf32" is of f32 operands, found 'bf16'}}
    %r = tile.dot %h, %h, %bb {precision = "tf32"} : tensor<?x?xbf16, #tile.dims<@b, @b>>, tensor<?x?xbf16, #tile.dims<@b, @b>> -> !fbb
  }
}

// -----

!fb = tensor<?xf32, #tile.dims<@b>>
!fbc = tensor<?x?xf32, #tile.dims<@b, @c>>
tile.kernel @k(%s: f32, %n: index) {
  tile.parallel %i in %n by @b {
    %m = tile.splat %s : !fbc
    // expected-error @+1 {{dimension 2 is outside a tile of rank 2: accepted are 0 to 1}}
    %r = tile.reduce addf %m over 2 : !fbc -> !fb
  }
}

// -----

!fb = tensor<?xf32, #tile.dims<@b>>
!fbc = tensor<?x?xf32, #tile.dims<@b, @c>>
tile.kernel @k(%s: f32, %n: index) {
  tile.parallel %i in %n by @b {
    %m = tile.splat %s : !fbc
    // expected-error @+1 {{the result is 'tensor<?xf32, #tile.dims<@c>>', found 'tensor<?xf32, #tile.dims<@b>>'}}
    %r = tile.reduce addf %m over 0 : !fbc -> !fb
  }
}

// -----

!fb = tensor<?xf32, #tile.dims<@b>>
!fbc = tensor<?x?xf32, #tile.dims<@b, @c>>
tile.kernel @k(%s: f32, %n: index) {
  tile.parallel %i in %n by @b {
    %m = tile.splat %s : !fbc
    // expected-error @+1 {{kind 'addi' combines integers, found 'f32'}}
    %r = tile.reduce addi %m over 1 : !fbc -> !fb
  }
}

// -----

!fb = tensor<?xf32, #tile.dims<@b>>
!fbc = tensor<?x?xf32, #tile.dims<@b, @c>>
tile.kernel @k(%s: f32, %n: index) {
  tile.parallel %i in %n by @b {
    %m = tile.splat %s : !fbc
    // expected-error @+1 {{unknown kind 'sum': one of addf mulf}}
    %r = "tile.reduce"(%m) <{dim = 1 : i64, kind = "sum", operandSegmentSizes = array<i32: 1, 0>}> ({}) : (!fbc) -> !fb
  }
}

// -----

!fb = tensor<?xf32, #tile.dims<@b>>
!fbc = tensor<?x?xf32, #tile.dims<@b, @c>>
tile.kernel @k(%s: f32, %n: index) {
  tile.parallel %i in %n by @b {
    %m = tile.splat %s : !fbc
    // expected-error @+1 {{a kind takes one tile, no init and no region}}
    %r = tile.reduce addf %m over 1 init(%s) : !fbc -> !fb
  }
}

// -----

!fb = tensor<?xf32, #tile.dims<@b>>
!fbc = tensor<?x?xf32, #tile.dims<@b, @c>>
tile.kernel @k(%s: f32, %n: index) {
  tile.parallel %i in %n by @b {
    %m = tile.splat %s : !fbc
    // expected-error @+1 {{without a kind, a region says how elements combine}}
    %r = tile.reduce (%m) over 1 init(%s) : !fbc -> !fb
  }
}

// -----

!fb = tensor<?xf32, #tile.dims<@b>>
!fbc = tensor<?x?xf32, #tile.dims<@b, @c>>
tile.kernel @k(%s: f32, %n: index) {
  tile.parallel %i in %n by @b {
    %m = tile.splat %s : !fbc
    // expected-error @+1 {{gives one result a tile: 1, found 2}}
    %r:2 = tile.reduce addf %m over 1 : !fbc -> !fb, !fb
  }
}

// -----

!fb = tensor<?xf32, #tile.dims<@b>>
tile.kernel @k(%s: f32, %n: index) {
  tile.parallel %i in %n by @b {
    // expected-error @+1 {{needs at least one tile}}
    %r = "tile.reduce"() <{dim = 1 : i64, operandSegmentSizes = array<i32: 0, 0>}> ({}) : () -> !fb
  }
}

// -----

!fb = tensor<?xf32, #tile.dims<@b>>
!fbc = tensor<?x?xf32, #tile.dims<@b, @c>>
!fbb = tensor<?x?xf32, #tile.dims<@b, @b>>
tile.kernel @k(%s: f32, %n: index) {
  tile.parallel %i in %n by @b {
    %m = tile.splat %s : !fbc
    %bb = tile.splat %s : !fbb
    // expected-error @+1 {{tiles have one shape, found 'tensor<?x?xf32, #tile.dims<@b, @c>>' and 'tensor<?x?xf32, #tile.dims<@b, @b>>'}}
    %r:2 = tile.reduce (%m, %bb) over 1 init(%s, %s) : !fbc, !fbb -> !fb, !fb {
    ^bb0(%u: f32, %v: f32, %w: f32, %z: f32):
      tile.yield %u, %v : f32, f32
    }
  }
}

// -----

!fb = tensor<?xf32, #tile.dims<@b>>
!fbc = tensor<?x?xf32, #tile.dims<@b, @c>>
tile.kernel @k(%s: f32, %n: index) {
  tile.parallel %i in %n by @b {
    %m = tile.splat %s : !fbc
    // expected-error @+1 {{init has one scalar a tile, of its element type: ('f32'), found ('index')}}
    %r = tile.reduce (%m) over 1 init(%n) : !fbc -> !fb {
    ^bb0(%u: f32, %v: f32):
      tile.yield %u : f32
    }
  }
}

// -----

!fb = tensor<?xf32, #tile.dims<@b>>
!fbc = tensor<?x?xf32, #tile.dims<@b, @c>>
tile.kernel @k(%s: f32, %n: index) {
  tile.parallel %i in %n by @b {
    %m = tile.splat %s : !fbc
    // expected-error @+1 {{the region takes left elements, then right ones: ('f32', 'f32'), found ('f32')}}
    %r = tile.reduce (%m) over 1 init(%s) : !fbc -> !fb {
    ^bb0(%u: f32):
      tile.yield %u : f32
    }
  }
}

// -----

!fb = tensor<?xf32, #tile.dims<@b>>
!fbc = tensor<?x?xf32, #tile.dims<@b, @c>>
tile.kernel @k(%s: f32, %n: index) {
  tile.parallel %i in %n by @b {
    %m = tile.splat %s : !fbc
    // expected-error @+1 {{the region yields ('f32')}}
    %r = tile.reduce (%m) over 1 init(%s) : !fbc -> !fb {
    ^bb0(%u: f32, %v: f32):
      tile.yield
    }
  }
}

// -----

!fb = tensor<?xf32, #tile.dims<@b>>
!fbc = tensor<?x?xf32, #tile.dims<@b, @c>>
tile.kernel @k(%s: f32, %n: index) {
  tile.parallel %i in %n by @b {
    %m = tile.splat %s : !fbc
    // expected-error @+1 {{results have the tiles' types: ('tensor<?x?xf32, #tile.dims<@b, @c>>'), found ('tensor<?xf32, #tile.dims<@b>>')}}
    %r = "tile.scan"(%m) <{dim = 1 : i64, kind = "addf", operandSegmentSizes = array<i32: 1, 0>}> ({}) : (!fbc) -> !fb
  }
}

// -----

tile.kernel @k(%s: i64, %p: i16) {
  // expected-error @+1 {{positions are i32 or i64, found 'i16'}}
  %r = tile.random %s, %p : i16 -> i32
}

// -----

tile.kernel @k(%s: i64) {
  // expected-error @+1 {{word is one of 0, 1, 2, 3, found 4}}
  %r = tile.random %s, %s word 4 : i64 -> i32
}

// -----

tile.kernel @k(%s: i64) {
  // expected-error @+1 {{gives 'i32', found 'i64'}}
  %r = tile.random %s, %s : i64 -> i64
}

// -----

!fb = tensor<?xf32, #tile.dims<@b>>
tile.kernel @k(%s: f32, %n: index) {
  tile.parallel %i in %n by @b {
    %x = tile.splat %s : !fb
    // expected-error @+1 {{'along' names at least one new dimension}}
    %y = "tile.broadcast"(%x) <{along = array<i64>}> : (!fb) -> !fb
  }
}

// -----

tile.kernel @k(%s: f32) {
  // expected-error @+1 {{checks an i1 or a tile of i1, found 'f32'}}
  tile.assert %s, "positive" : f32
}

// -----

!fb = tensor<?xf32, #tile.dims<@b>>
tile.kernel @k(%s: f32, %n: index) {
  tile.parallel %i in %n by @b {
    %x = tile.splat %s : !fb
    // expected-error @+1 {{gives 'tensor<4xf32, #tile.dims<4>>' and 'tensor<4xi32, #tile.dims<4>>', where dimension 0 may be a constant; found 'tensor<4xf32, #tile.dims<4>>' and 'tensor<4xi64, #tile.dims<4>>'}}
    %v, %p = tile.topk %x over 0 : !fb -> tensor<4xf32, #tile.dims<4>>, tensor<4xi64, #tile.dims<4>>
  }
}

// -----

!ib = tensor<?xi1, #tile.dims<@b>>
tile.kernel @k(%s: i1, %n: index) {
  tile.parallel %i in %n by @b {
    %x = tile.splat %s : !ib
    // expected-error @+1 {{orders elements of 8 bits or more, found 'tensor<?xi1, #tile.dims<@b>>'}}
    %v, %p = tile.topk %x over 0 : !ib -> !ib, tensor<?xi32, #tile.dims<@b>>
  }
}
