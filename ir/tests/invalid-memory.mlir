// RUN: pantile-opt %s --split-input-file --verify-diagnostics
// Views: rank, subscripts, types, access.

tile.kernel @k(%X: !tile.view<?x?xf32>, %n: index) {
  tile.parallel %i in %n by @b {
    // expected-error @+1 {{a view of rank 2 takes as many subscripts, found 1}}
    %x = tile.load %X[%i] : tensor<?xf32, #tile.dims<@b>>
  }
}

// -----

tile.kernel @k(%X: !tile.view<?xf32>, %n: index) {
  tile.parallel %i in %n by @b {
    // expected-error @+1 {{these subscripts give 'tensor<?xf32, #tile.dims<@b>>', found 'tensor<?xf32, #tile.dims<@c>>'}}
    %x = tile.load %X[%i] : tensor<?xf32, #tile.dims<@c>>
  }
}

// -----

tile.kernel @k(%X: !tile.view<?xf32>, %n: index) {
  tile.parallel %i in %n by 1 {
    // expected-error @+1 {{these subscripts give 'f32', found 'bf16'}}
    %x = tile.load %X[%i] : bf16
  }
}

// -----

tile.kernel @k(%X: !tile.view<?xf32>, %s: bf16, %n: index) {
  tile.parallel %i in %n by @b {
    %x = tile.splat %s : tensor<?xbf16, #tile.dims<@b>>
    // expected-error @+1 {{these subscripts take 'tensor<?xf32, #tile.dims<@b>>', found 'tensor<?xbf16, #tile.dims<@b>>'}}
    tile.store %x, %X[%i]
  }
}

// -----

tile.kernel @k(%X: !tile.view<?x64xf32>, %n: index) {
  tile.parallel %i in %n by 1 {
    // expected-error @+1 {{'full 32' of dimension 1, whose size is 64}}
    %x = tile.load %X[%i, full 32] : tensor<32xf32, #tile.dims<32>>
  }
}

// -----

tile.kernel @k(%X: !tile.view<?xf32>, %n: index) {
  tile.parallel %i in %n by 1 {
    // expected-error @+1 {{operand #1 must be variadic of}}
    %x = "tile.load"(%X, %X) <{kinds = [unit], operandSegmentSizes = array<i32: 1, 1, 0>}> : (!tile.view<?xf32>, !tile.view<?xf32>) -> f32
  }
}

// -----

tile.kernel @k(%X: !tile.view<?xf32>, %n: index) {
  tile.parallel %i in %n by 1 {
    // expected-error @+1 {{'kinds' tells of 1 operand(s) among the subscripts, found 0}}
    %x = "tile.load"(%X) <{kinds = [unit], operandSegmentSizes = array<i32: 1, 0, 0>}> : (!tile.view<?xf32>) -> f32
  }
}

// -----

tile.kernel @k(%X: !tile.view<?xf32>, %n: index) {
  tile.parallel %i in %n by 1 {
    // expected-error @+1 {{'kinds' has unit, a symbol or an integer for each dimension, found "all"}}
    %x = "tile.load"(%X) <{kinds = ["all"], operandSegmentSizes = array<i32: 1, 0, 0>}> : (!tile.view<?xf32>) -> f32
  }
}

// -----

tile.kernel @k(%X: !tile.view<?xf32>, %I: !tile.view<?xi32>, %n: index) {
  tile.parallel %i in %n by @b {
    %ids = tile.load %I[%i] : tensor<?xi32, #tile.dims<@b>>
    // expected-error @+1 {{subscript 0 is a tile of positions: use tile.gather}}
    %x = tile.load %X[%ids] : tensor<?xf32, #tile.dims<@b>>
  }
}

// -----

tile.kernel @k(%X: !tile.view<?xf32>, %I: !tile.view<?xi32>, %s: f32, %n: index) {
  tile.parallel %i in %n by @b {
    %ids = tile.load %I[%i] : tensor<?xi32, #tile.dims<@b>>
    %x = tile.splat %s : tensor<?xf32, #tile.dims<@b>>
    // expected-error @+1 {{subscript 0 is a tile of positions: use tile.scatter}}
    tile.store %x, %X[%ids]
  }
}

// -----

tile.kernel @k(%X: !tile.view<?xf32>, %n: index) {
  tile.parallel %i in %n by @b {
    // expected-error @+1 {{needs a tile of positions among its subscripts: use tile.load without one}}
    %x = tile.gather %X[%i] : tensor<?xf32, #tile.dims<@b>>
  }
}

// -----

tile.kernel @k(%X: !tile.view<?xf32>, %n: index) {
  tile.parallel %i in %n by @b {
    %x = tile.load %X[%i] : tensor<?xf32, #tile.dims<@b>>
    // expected-error @+1 {{positions are integers or index, found 'tensor<?xf32, #tile.dims<@b>>'}}
    %y = tile.gather %X[%x] : tensor<?xf32, #tile.dims<@b>>
  }
}

// -----

tile.kernel @k(%X: !tile.view<?x?xf32>, %I: !tile.view<?xi32>, %n: index) {
  tile.parallel (%i, %j) in (%n, %n) by (@b, @c) {
    %a = tile.load %I[%i] : tensor<?xi32, #tile.dims<@b>>
    %b = tile.load %I[%j] : tensor<?xi32, #tile.dims<@c>>
    // expected-error @+1 {{tiles of positions have one shape, found 'tensor<?xi32, #tile.dims<@b>>' and 'tensor<?xi32, #tile.dims<@c>>'}}
    %y = tile.gather %X[%a, %b] : tensor<?xf32, #tile.dims<@b>>
  }
}

// -----

tile.kernel @k(%X: !tile.view<?xf32>, %I: !tile.view<?xi32>, %n: index) {
  tile.parallel %i in %n by @b {
    %a = tile.load %I[%i] : tensor<?xi32, #tile.dims<@b>>
    // expected-error @+1 {{the mask is 'tensor<?xi1, #tile.dims<@b>>', as the positions, found 'tensor<?xi32, #tile.dims<@b>>'}}
    %y = tile.gather %X[%a] mask %a : tensor<?xf32, #tile.dims<@b>>
  }
}

// -----

tile.kernel @k(%X: !tile.view<?xf32>, %s: bf16, %n: index) {
  tile.parallel %i in %n by @b {
    // expected-error @+1 {{pad is of the view's element type 'f32', found 'bf16'}}
    %x = tile.load %X[%i] pad %s : tensor<?xf32, #tile.dims<@b>>
  }
}

// -----

tile.kernel @k(%X: !tile.view<?xf32> {tile.access = "read"}, %s: f32, %n: index) {
  tile.parallel %i in %n by 1 {
    // expected-error @+1 {{writes a view whose tile.access is "read"; declare "update" or "write"}}
    tile.store %s, %X[%i]
  }
}

// -----

tile.kernel @k(%X: !tile.view<?xf32> {tile.access = "write"}, %n: index) {
  tile.parallel %i in %n by 1 {
    // expected-error @+1 {{reads a view whose tile.access is "write"; declare "update" or "read"}}
    %x = tile.load %X[%i] : f32
  }
}

// -----

tile.kernel @k(%X: !tile.view<?xf32>) {
  // expected-error @+1 {{dimension 1 is outside a view of rank 1}}
  %n = tile.dim %X, 1
}

// -----

tile.kernel @k(%n: index) {
  // expected-error @+1 {{takes one size for each '?' of '!tile.view<?x8xf32>': 1, found 2}}
  %w = tile.workspace(%n, %n) : !tile.view<?x8xf32>
}

// -----

tile.kernel @k(%X: !tile.view<?xf32>, %r: index) attributes {scheduled} {
  tile.parallel %i in %r by @b = 64 {
    // expected-error @+1 {{packs views of rank 2 or more, found '!tile.view<?xf32>'}}
    %p = tile.pack %X over 0 at %i {panel = 8} : !tile.view<?xf32>, !tile.range<@b, 64>
  }
}

// -----

tile.kernel @k(%X: !tile.view<?x?xf32>, %r: index) attributes {scheduled} {
  tile.parallel %i in %r by @b = 64 {
    // expected-error @+1 {{dimension 2 is outside a view of rank 2}}
    %p = tile.pack %X over 2 at %i {panel = 8} : !tile.view<?x?xf32>, !tile.range<@b, 64>
  }
}

// -----

tile.kernel @k(%X: !tile.view<?x?xf32>, %r: index) attributes {scheduled} {
  tile.parallel %i in %r by @b = 64 {
    // expected-error @+1 {{panel is at least 1, found 0}}
    %p = tile.pack %X over 1 at %i {panel = 0} : !tile.view<?x?xf32>, !tile.range<@b, 64>
  }
}

// -----

tile.kernel @k(%X: !tile.view<?x?xf32>, %r: index) attributes {scheduled} {
  tile.parallel %i in %r by @b = 64 {
    // expected-error @+1 {{k_group is at least 1, found 0}}
    %p = tile.pack %X over 1 at %i {panel = 8, k_group = 0} : !tile.view<?x?xf32>, !tile.range<@b, 64>
  }
}

// -----

tile.kernel @k(%X: !tile.view<?x?xf32>, %r: index) attributes {scheduled} {
  tile.parallel %i in %r by @b {
    // expected-error @+1 {{takes a range of the scheduled level, whose extent is bound, found '!tile.range<@b>'}}
    %p = tile.pack %X over 1 at %i {panel = 8} : !tile.view<?x?xf32>, !tile.range<@b>
  }
}

// -----

tile.kernel @k(%X: !tile.view<?xf32>, %s: f32, %i: index) {
  tile.parallel %p in %i by 1 {
    // expected-error @+1 {{unknown kind 'mulf': one of addf maximumf minimumf maxnumf minnumf addi maxsi minsi maxui minui andi ori xori exchange}}
    tile.atomic_rmw mulf %s, %X[%p]
  }
}

// -----

tile.kernel @k(%X: !tile.view<?xf32>, %s: f32, %i: index) {
  tile.parallel %p in %i by 1 {
    // expected-error @+1 {{kind 'addi' is of integers, found 'f32'}}
    tile.atomic_rmw addi %s, %X[%p]
  }
}

// -----

tile.kernel @k(%X: !tile.view<?xi4>, %s: i4, %i: index) {
  tile.parallel %p in %i by 1 {
    // expected-error @+1 {{combines floats of 16 to 64 bits and integers of 8 to 64, found 'i4'}}
    tile.atomic_rmw addi %s, %X[%p]
  }
}

// -----

tile.kernel @k(%X: !tile.view<?xf32> {tile.access = "write"}, %s: f32, %i: index) {
  tile.parallel %p in %i by 1 {
    // expected-error @+1 {{reads and writes a view whose tile.access is "write"; declare "update"}}
    tile.atomic_rmw addf %s, %X[%p]
  }
}

// -----

tile.kernel @k(%X: !tile.view<?xf32>, %i: index) {
  tile.parallel %p in %i by @b {
    %x = tile.load %X[%p] : tensor<?xf32, #tile.dims<@b>>
    %m = arith.cmpf oeq, %x, %x : tensor<?xf32, #tile.dims<@b>>
    // expected-error @+1 {{a mask goes with a tile of positions among the subscripts}}
    tile.atomic_rmw addf %x, %X[%p] mask %m
  }
}

// -----

tile.kernel @k(%X: !tile.view<?xf32>, %s: f32, %i: index) {
  tile.parallel %p in %i by 1 {
    // expected-error @+1 {{gives what was there as 'f32', found 'f64'}}
    %old = "tile.atomic_rmw"(%s, %X, %p) <{kind = "addf", kinds = [unit], operandSegmentSizes = array<i32: 1, 1, 1, 0>}> : (f32, !tile.view<?xf32>, index) -> f64
  }
}

// -----

tile.kernel @k(%X: !tile.view<?x?xf32>, %s: f32, %i: index) {
  tile.parallel %p in %i by 1 {
    // expected-error @+1 {{a view of rank 2 takes as many subscripts, found 1}}
    tile.atomic_rmw addf %s, %X[%p]
  }
}

// -----

tile.kernel @k(%X: !tile.view<?xf32>, %s: f32, %i: index) {
  tile.parallel %p in %i by 1 {
    // expected-error @+1 {{a kind (addf, addi, ..., exchange) comes first}}
    tile.atomic_rmw %s, %X[%p]
  }
}
