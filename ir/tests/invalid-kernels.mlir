// RUN: pantile-opt %s --split-input-file --verify-diagnostics
// Headers, placement and loops.

// expected-error @+1 {{returns nothing: results are written to views}}
tile.kernel @k(%n: index) -> f32 {
}

// -----

// expected-error @+1 {{argument 0 is a view or a scalar, found 'tensor<?xf32, #tile.dims<@b>>'}}
tile.kernel @k(%x: tensor<?xf32, #tile.dims<@b>>) {
}

// -----

// expected-error @+1 {{argument 0: unknown attribute 'tile.size': accepted are tile.sizes, tile.access, tile.range}}
tile.kernel @k(%x: !tile.view<?xf32> {tile.size = ["M"]}) {
}

// -----

// expected-error @+1 {{argument 0: 'tile.access' is of views, found 'f32'}}
tile.kernel @k(%x: f32 {tile.access = "read"}) {
}

// -----

// expected-error @+1 {{argument 0: tile.sizes is a list of strings, as ["M", "64"], found "M"}}
tile.kernel @k(%x: !tile.view<?xf32> {tile.sizes = "M"}) {
}

// -----

// expected-error @+1 {{argument 0: tile.sizes names 2 sizes of a view of rank 1}}
tile.kernel @k(%x: !tile.view<?xf32> {tile.sizes = ["M", "N"]}) {
}

// -----

// expected-error @+1 {{argument 0: tile.sizes says "32" of a size that is 64}}
tile.kernel @k(%x: !tile.view<64xf32> {tile.sizes = ["32"]}) {
}

// -----

// expected-error @+1 {{argument 0: tile.sizes says "32" of a size that is dynamic, which takes a name}}
tile.kernel @k(%x: !tile.view<?xf32> {tile.sizes = ["32"]}) {
}

// -----

// expected-error @+1 {{argument 0: tile.access is "read", "write" or "update", found "rw"}}
tile.kernel @k(%x: !tile.view<?xf32> {tile.access = "rw"}) {
}

// -----

// expected-error @+1 {{argument 0: tile.range is two strings, as ["0", "V"], found ["0"]}}
tile.kernel @k(%x: !tile.view<?xi32> {tile.range = ["0"]}) {
}

// -----

// expected-error @+1 {{argument 0: tile.range bounds the values of an integer view, found '!tile.view<?xf32>'}}
tile.kernel @k(%x: !tile.view<?xf32> {tile.range = ["0", "V"]}) {
}

// -----

// expected-error @+1 {{static is a list of full extents, as [@d], found "d"}}
tile.kernel @k(%n: index) attributes {static = "d"} {
}

// -----

// expected-error @+1 {{scheduled has no value, found true}}
tile.kernel @k(%n: index) attributes {scheduled = true} {
}

// -----

tile.kernel @k(%n: index) {
  // expected-error @+1 {{'scf.while' is not allowed in a kernel: the tile dialect, elementwise arith and math, and scf.if are}}
  scf.while : () -> () {
    %c = arith.constant true
    scf.condition(%c)
  } do {
    scf.yield
  }
}

// -----

tile.kernel @k(%n: index) {
  tile.parallel %i in %n by @b {
    // expected-error @+1 {{a tile names its extents: found 'tensor<?xf32>' without #tile.dims<...>; a '?' needs a symbol}}
    %x = arith.negf %y : tensor<?xf32>
    %y = arith.negf %x : tensor<?xf32>
  }
}

// -----

tile.kernel @k(%X: !tile.view<?xf32>, %n: index) {
  tile.parallel %i in %n by 1 {
    %c = arith.constant true
    // expected-error @+1 {{a tile names its extents: found 'tensor<4xf32>' without #tile.dims<...>}}
    %d = scf.if %c -> tensor<4xf32> {
      scf.yield %u : tensor<4xf32>
    } else {
      scf.yield %u : tensor<4xf32>
    }
    %u = arith.constant dense<0.0> : tensor<4xf32>
  }
}

// -----

tile.kernel @k(%s: f32, %n: index) {
  tile.parallel %i in %n by 1 {
    // expected-error @+1 {{a portable kernel leaves block symbols unbound ('?'), found 'tensor<64xf32, #tile.dims<@b>>'}}
    %x = tile.splat %s : tensor<64xf32, #tile.dims<@b>>
  }
}

// -----

tile.kernel @k(%n: index) {
  // expected-error @+1 {{a portable kernel leaves block symbols unbound, found '!tile.range<@b, 64>'}}
  tile.parallel %i in %n by @b = 64 {
  }
}

// -----

tile.kernel @k(%n: index, %c: i1, %v: f32) {
  // expected-error @+1 {{kernels compute on tiles, scalars, ranges and views, found 'vector<4xf32>'}}
  %x = arith.constant dense<0.0> : vector<4xf32>
}

// -----

tile.kernel @k(%n: index) {
  // expected-error @+1 {{'tile.grid' belongs to the scheduled level: the kernel lacks the attribute 'scheduled'}}
  tile.grid %pid in %n {
  }
}

// -----

tile.kernel @k(%n: index) {
  tile.parallel %i in %n by 1 {
    // expected-error @+1 {{'tile.parallel' stands directly in the kernel: phases do not nest}}
    tile.parallel %j in %n by 1 {
    }
  }
}

// -----

tile.kernel @k(%n: index) {
  // expected-error @+1 {{'tile.loop' stands outside tile.parallel: between phases there are only sizes and scalars}}
  tile.loop %j in %n by 1 {
  }
}

// -----

tile.kernel @k(%n: index) {
  // expected-error @+1 {{has at least one dimension}}
  tile.parallel () in () by () {
  }
}

// -----

tile.kernel @k(%n: index) {
  // expected-error @+1 {{each dimension has a name, an extent and a block: found 1 names, 0 lower bounds, 1 extents, 2 blocks}}
  "tile.parallel"(%n) <{blocks = #tile.dims<@b, @c>, operandSegmentSizes = array<i32: 0, 1>}> ({
  ^bb0(%i: !tile.range<@b>):
    tile.yield
  }) : (index) -> ()
}

// -----

tile.kernel @k(%n: index) {
  // expected-error @+1 {{dimension 0 gives '!tile.range<@b>' by its block, found '!tile.range<@c>'}}
  "tile.parallel"(%n) <{blocks = #tile.dims<@b>, operandSegmentSizes = array<i32: 0, 1>}> ({
  ^bb0(%i: !tile.range<@c>):
    tile.yield
  }) : (index) -> ()
}

// -----

tile.kernel @k(%n: index) {
  // expected-error @+1 {{carries nothing: its body yields no values}}
  tile.parallel %i in %n by 1 {
    tile.yield %i : index
  }
}

// -----

tile.kernel @k(%n: index) attributes {scheduled} {
  // expected-error @+1 {{carries nothing: its body yields no values}}
  tile.grid %i in %n {
    tile.yield %i : index
  }
}

// -----

tile.kernel @k(%n: index) attributes {scheduled} {
  // expected-error @+1 {{the body takes one program id a dimension as index, found ('i32')}}
  "tile.grid"(%n) <{schedule = {}}> ({
  ^bb0(%i: i32):
    tile.yield
  }) : (index) -> ()
}

// -----

tile.kernel @k(%n: index) attributes {scheduled} {
  // expected-error @+1 {{each grid dimension has a program id and a count: found 2 ids, 1 counts}}
  tile.grid (%i, %j) in %n {
  }
}

// -----

tile.kernel @k(%n: index) attributes {scheduled} {
  // expected-error @+1 {{has one to three dimensions, found 4}}
  tile.grid (%i, %j, %k, %l) in (%n, %n, %n, %n) {
  }
}

// -----

tile.kernel @k(%n: index) {
  tile.parallel %i in %n by 1 {
    // expected-error @+1 {{carries 1 value(s), but yields 0 and gives 1}}
    %x = tile.loop %p in %n by @b carry(%c = %n : index) {
    }
  }
}

// -----

tile.kernel @k(%n: index, %s: f32) {
  tile.parallel %i in %n by 1 {
    // expected-error @+1 {{carry 0 keeps one type: starts as 'f32', is carried as 'f32', yielded as 'index', and results in 'f32'}}
    %x = tile.loop %p in %n by @b carry(%c = %s : f32) {
      tile.yield %n : index
    }
  }
}

// -----

tile.kernel @k(%n: index) {
  tile.parallel %i in %n by 1 {
    // expected-error @+1 {{'associative' is about what a loop carries, and it carries nothing}}
    tile.loop %p in %n by @b associative {
    }
  }
}

// -----

tile.kernel @k(%n: index) {
  tile.parallel %i in %n by 1 {
    // expected-error @+1 {{the body takes the range and 0 carries, found 2 arguments}}
    "tile.loop"(%n) <{blocks = #tile.dims<@b>, operandSegmentSizes = array<i32: 0, 1, 0>}> ({
    ^bb0(%p: !tile.range<@b>, %q: index):
      tile.yield
    }) : (index) -> ()
  }
}

// -----

tile.kernel @k(%n: index) {
  tile.parallel %i in %n by 1 {
    // expected-error @+1 {{has one dimension, found 2 blocks}}
    "tile.loop"(%n) <{blocks = #tile.dims<@b, @c>, operandSegmentSizes = array<i32: 0, 1, 0>}> ({
    ^bb0(%p: !tile.range<@b>):
      tile.yield
    }) : (index) -> ()
  }
}

// -----

tile.kernel @k(%n: index) {
  tile.parallel %i in %n by 1 {
    // expected-error @+1 {{ends its body with tile.yield}}
    tile.loop %p in %n by 1 {
      scf.yield
    }
  }
}

// -----

tile.kernel @k(%n: index) {
  // expected-error @+1 {{ends its body with tile.yield}}
  tile.parallel %i in %n by 1 {
    scf.yield
  }
}

// -----

tile.kernel @k(%n: index)

// expected-error @+1 {{a tile.kernel needs a body: { ... }}}
// -----
