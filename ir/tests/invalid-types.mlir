// RUN: pantile-opt %s --split-input-file --verify-diagnostics
// Types, extents and text.

// expected-error @+1 {{'?' needs a symbol: the extent is named 32; write 32 for both}}
!t = tensor<?x?xf32, #tile.dims<@bm, 32>>

// -----

// expected-error @+1 {{extent 16 does not agree with its name 32}}
!t = tensor<16xf32, #tile.dims<32>>

// -----

// expected-error @+1 {{extent 48 is not a multiple of 32, which its name @kb * 32 asks for}}
!t = tensor<48xf32, #tile.dims<@kb * 32>>

// -----

// expected-error @+1 {{a tile of rank 2 needs as many entries in #tile.dims, found 1}}
!t = tensor<?x?xf32, #tile.dims<@bm>>

// -----

// expected-error @+1 {{a tile has at least one dimension: a scalar is its element type itself}}
!t = tensor<f32, #tile.dims<>>

// -----

// expected-error @+1 {{a tile's elements are i1 to i64, index, f16 to f64, bf16, f8 or f4, found 'i7'}}
!t = tensor<?xi7, #tile.dims<@bm>>

// -----

// expected-error @+1 {{expected an extent: a block symbol (@bm), a multiple of one (@kb * 32), or a constant}}
!t = tensor<?xf32, #tile.dims<bm>>

// -----

// expected-error @+1 {{an extent or factor must be at least 1, found 0}}
!t = tensor<?xf32, #tile.dims<@kb * 0>>

// -----

// expected-error @+1 {{a view's elements are i1 to i64, f16 to f64, bf16, f8 or f4, found 'index'}}
!v = !tile.view<?xindex>

// -----

// expected-error @+1 {{extent 40 is not a multiple of 32, which its name @kb * 32 asks for}}
!r = !tile.range<@kb * 32, 40>

// -----

tile.kernel @k(%X: !tile.view<?xf32>) {
  tile.parallel %i in %n by @b {
    // expected-error @-1 {{use of undeclared SSA value name}}
  }
}

// -----

tile.kernel @k(%X: !tile.view<?xf32>, %n: index) {
  tile.parallel %i in %n by @b {
    // expected-error @+1 {{use of %j before its definition}}
    %x = tile.load %X[%j] : tensor<?xf32, #tile.dims<@b>>
  }
}

// -----

tile.kernel @k(%X: !tile.view<?xf32>, %n: index) {
  tile.parallel %i in %n by @b {
    // expected-error @+1 {{a full extent is a symbol or a constant, not a multiple of a symbol}}
    %x = tile.load %X[full @d * 2] : tensor<?xf32, #tile.dims<@d * 2>>
  }
}

// -----

tile.kernel @k(%X: !tile.view<?xf32>, %n: index) {
  tile.parallel %i in %n by @b {
    // expected-error @+1 {{tile.load takes no mask: use tile.gather, or arith.select on the result}}
    %x = tile.load %X[%i] mask %n : tensor<?xf32, #tile.dims<@b>>
  }
}

// -----

tile.kernel @k(%X: !tile.view<?xf32>, %n: index, %s: f32) {
  tile.parallel %i in %n by 1 {
    // expected-error @+1 {{a write takes no pad: elements outside the view are dropped}}
    tile.store %s, %X[%i] pad %s
  }
}

// -----

tile.kernel @k(%X: !tile.view<?xf32>, %n: index, %s: f32) {
  tile.parallel %i in %n by 1 {
    // expected-error @+1 {{tile.store takes no mask: use tile.scatter}}
    tile.store %s, %X[%i] mask %s
  }
}

// -----

tile.kernel @k(%n: index) {
  // expected-error @+1 {{expected 'in' and an extent, or 'from' and 'to' and two bounds}}
  tile.parallel %i over %n by @b {
  }
}

// -----

tile.kernel @k(%n: index) {
  // expected-error @+1 {{each loop dimension has a name, an extent and a block: found 2 names, 1 extents, 2 blocks}}
  tile.parallel (%i, %j) in %n by (@b, @c) {
  }
}

// -----

tile.kernel @k(%n: index) {
  // expected-error @+1 {{extent 40 is not a multiple of 32, which its name @b * 32 asks for}}
  tile.parallel %i in %n by @b * 32 = 40 {
  }
}

// -----

tile.kernel @k(%n: index) {
  tile.parallel %i in %n by 1 {
    // expected-error @+1 {{a tile.loop has one dimension, found 2; nest loops for more}}
    tile.loop (%p, %q) in (%n, %n) by (@b, @c) {
    }
  }
}

// -----

tile.kernel @k(%X: !tile.view<?xf32>, %n: index) {
  tile.parallel %i in %n by @b {
    %x = tile.load %X[%i] : tensor<?xf32, #tile.dims<@b>>
    // expected-error @+1 {{unknown kind 'sum': one of addf mulf}}
    %s = tile.reduce sum %x over 0 : tensor<?xf32, #tile.dims<@b>> -> f32
  }
}

// -----

tile.kernel @k(%X: !tile.view<?xf32>, %n: index) {
  tile.parallel %i in %n by @b {
    %x = tile.load %X[%i] : tensor<?xf32, #tile.dims<@b>>
    // expected-error @+1 {{expected a kind and a tile (addf %x), or tiles in parentheses}}
    %s = tile.reduce %x over 0 : tensor<?xf32, #tile.dims<@b>> -> f32
  }
}
