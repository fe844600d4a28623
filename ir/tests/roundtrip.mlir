// RUN: pantile-opt %s | FileCheck %s
// RUN: pantile-opt %s | pantile-opt | FileCheck %s
// Every operation that examples.mlir does not have, both ways through text.

!row = tensor<?x?xf32, #tile.dims<@br, @cols>>
!irow = tensor<?x?xi32, #tile.dims<@br, @cols>>
!col = tensor<?xf32, #tile.dims<@br>>
!icol = tensor<?xi32, #tile.dims<@br>>

// CHECK-LABEL: tile.kernel @structure(%{{.*}}: !tile.view<?x64xi8> {tile.range = ["0", "V"], tile.sizes = ["M", "64"]}, %{{.*}}: index)
tile.kernel @structure(%X: !tile.view<?x64xi8> {tile.sizes = ["M", "64"], tile.range = ["0", "V"]}, %n: index) {
  %M = tile.dim %X, 0
  // CHECK: tile.workspace(%{{.*}}) {note = 1 : i64} : !tile.view<?x8xf32>
  %w = tile.workspace(%M) {note = 1} : !tile.view<?x8xf32>
  // CHECK: tile.parallel (%{{.*}}, %{{.*}}, %{{.*}}) from (%{{.*}}, %{{.*}}, %{{.*}}) to (%{{.*}}, %{{.*}}, %{{.*}}) by (@bm, 16, 1) attributes {hint = "x"} {
  tile.parallel (%i, %j, %k) from (%n, %n, %n) to (%M, %n, %M) by (@bm, 16, 1) attributes {hint = "x"} {
    // CHECK: tile.begin %{{.*}} : !tile.range<16>
    %b = tile.begin %j : !tile.range<16>
    // CHECK: tile.end %{{.*}} : !tile.range<@bm>
    %e = tile.end %i : !tile.range<@bm>
    // CHECK: tile.id %{{.*}} : !tile.range<@bm>
    %d = tile.id %i : !tile.range<@bm>
    // CHECK: tile.shift %{{.*}} by %{{.*}} : !tile.range<@bm>
    %s = tile.shift %i by %b : !tile.range<@bm>
    // CHECK: tile.scale %{{.*}} by 32 : !tile.range<@bm> -> !tile.range<@bm * 32>
    %sc = tile.scale %i by 32 : !tile.range<@bm> -> !tile.range<@bm * 32>
    // CHECK: tile.scale %{{.*}} by 2 : !tile.range<16> -> !tile.range<32>
    %sd = tile.scale %j by 2 : !tile.range<16> -> !tile.range<32>
    // CHECK: tile.loop %{{.*}} from %{{.*}} to %{{.*}} by 1 {
    // CHECK-NEXT: }
    tile.loop %p from %b to %e by 1 {
    }
    // CHECK: %{{.*}}:2 = tile.loop %{{.*}} in %{{.*}} by @bk * 32 carry(%{{.*}} = %{{.*}} : index, %{{.*}} = %{{.*}} : index) {
    %x, %y = tile.loop %p in %e by @bk * 32 carry(%u = %b : index, %v = %e : index) {
      %begin = tile.begin %p : !tile.range<@bk * 32>
      // CHECK: tile.yield %{{.*}}, %{{.*}} : index, index
      tile.yield %v, %begin : index, index
    }
  }
  // CHECK: tile.parallel %{{.*}} in %{{.*}} by 1 {
  tile.parallel %i in %M by 1 {
    %yes = arith.constant true
    // CHECK: tile.assume %{{.*}}, "at most one"
    tile.assume %yes, "at most one"
    // CHECK: scf.if
    scf.if %yes {
      // CHECK: tile.load %{{.*}}[%{{.*}}, full 64] : tensor<64xi8, #tile.dims<64>>
      %x = tile.load %X[%i, full 64] : tensor<64xi8, #tile.dims<64>>
    }
  }
}

!ids = tensor<?xi32, #tile.dims<@br>>
!m = tensor<?xi1, #tile.dims<@br>>

// CHECK-LABEL: tile.kernel @memory
tile.kernel @memory(%T: !tile.view<?x?xf32>, %I: !tile.view<?xi32>, %O: !tile.view<?xf32>) {
  %N = tile.dim %I, 0
  tile.parallel %r in %N by @br {
    %zero = arith.constant 0.0 : f32
    %first = arith.constant 0 : index
    // CHECK: tile.load %{{.*}}[%{{.*}}] : tensor<?xi32, #tile.dims<@br>>
    %ids = tile.load %I[%r] : !ids
    // CHECK: %[[SCALAR:.*]] = tile.load %{{.*}}[%{{.*}}] : f32
    %scalar = tile.load %O[%first] : f32
    // CHECK: tile.store %[[SCALAR]], %{{.*}}[%{{.*}}] : f32
    tile.store %scalar, %O[%first]
    // CHECK: tile.load %{{.*}}[%{{.*}}, full @cols] pad %{{.*}} {evict = "first"} : tensor<?x?xf32, #tile.dims<@br, @cols>>
    %x = tile.load %T[%r, full @cols] pad %zero {evict = "first"} : !row
    %zeros = arith.constant 0 : i32
    %none = tile.splat %zeros : !ids
    %mask = arith.cmpi sgt, %ids, %none : !ids
    // CHECK: tile.gather %{{.*}}[%{{.*}}, full @cols] mask %{{.*}} pad %{{.*}} : tensor<?x?xf32, #tile.dims<@br, @cols>>
    %g = tile.gather %T[%ids, full @cols] mask %mask pad %zero : !row
    // CHECK: tile.gather %{{.*}}[%{{.*}}, full @cols] : tensor<?x?xf32, #tile.dims<@br, @cols>>
    %h = tile.gather %T[%ids, full @cols] : !row
    // CHECK: tile.atomic_rmw addf %{{.*}}, %{{.*}}[%{{.*}}, full @cols] mask %{{.*}} : tensor<?x?xf32, #tile.dims<@br, @cols>>
    tile.atomic_rmw addf %g, %T[%ids, full @cols] mask %mask : !row
    // CHECK: tile.gather %{{.*}}[%{{.*}}, %{{.*}}] : tensor<?xf32, #tile.dims<@br>>
    %both = tile.gather %T[%ids, %ids] : !col
    // CHECK: tile.scatter %{{.*}}, %{{.*}}[%{{.*}}, full @cols] mask %{{.*}} : tensor<?x?xf32, #tile.dims<@br, @cols>>
    tile.scatter %g, %T[%ids, full @cols] mask %mask : !row
    // CHECK: tile.scatter %{{.*}}, %{{.*}}[%{{.*}}] : tensor<?xf32, #tile.dims<@br>>
    tile.scatter %both, %O[%ids]
    // CHECK: tile.atomic_rmw maxsi %{{.*}}, %{{.*}}[%{{.*}}] : tensor<?xi32, #tile.dims<@br>>
    tile.atomic_rmw maxsi %ids, %I[%r]
    // CHECK: %[[OLD:.*]] = tile.atomic_rmw addf %{{.*}}, %{{.*}}[%{{.*}}] : f32
    %old = tile.atomic_rmw addf %scalar, %O[%first] : f32
    // CHECK: tile.atomic_rmw exchange %[[OLD]], %{{.*}}[%{{.*}}] : f32
    tile.atomic_rmw exchange %old, %O[%first]
    // CHECK: %{{.*}}, %{{.*}} = tile.topk %{{.*}} over 1 : tensor<?x?xf32, #tile.dims<@br, @cols>> -> tensor<?x4xf32, #tile.dims<@br, 4>>, tensor<?x4xi32, #tile.dims<@br, 4>>
    %top, %places = tile.topk %g over 1 : !row -> tensor<?x4xf32, #tile.dims<@br, 4>>, tensor<?x4xi32, #tile.dims<@br, 4>>
    // CHECK: tile.topk %{{.*}} over 0 : tensor<?xi32, #tile.dims<@br>> -> tensor<?xi32, #tile.dims<@br>>, tensor<?xi32, #tile.dims<@br>>
    %sorted, %order = tile.topk %ids over 0 : !ids -> !ids, !ids
    // CHECK: tile.assert %{{.*}}, "positive" : tensor<?xi1, #tile.dims<@br>>
    tile.assert %mask, "positive" : !m
    // CHECK: tile.print "ids", %{{.*}}, %{{.*}} : tensor<?xi32, #tile.dims<@br>>, f32
    tile.print "ids", %ids, %scalar : !ids, f32
    // CHECK: tile.print "here"
    tile.print "here"
    %seed = arith.constant 7 : i64
    // CHECK: tile.random %{{.*}}, %{{.*}} : tensor<?xi32, #tile.dims<@br>> -> tensor<?xi32, #tile.dims<@br>>
    %bits = tile.random %seed, %ids : !ids -> !ids
    // CHECK: tile.random %{{.*}}, %{{.*}} word 3 : i64 -> i32
    %more = tile.random %seed, %seed word 3 : i64 -> i32
  }
}

!blocks = tensor<?x32xf32, #tile.dims<@kb, 32>>
!flat = tensor<?xf32, #tile.dims<@kb * 32>>
!pairs = tensor<?x32x2xf32, #tile.dims<@kb, 32, 2>>
!wide = tensor<?x64xf32, #tile.dims<@kb, 64>>
!turned = tensor<32x?xf32, #tile.dims<32, @kb>>

// CHECK-LABEL: tile.kernel @tiles
tile.kernel @tiles(%X: !tile.view<?x32xf32>, %Y: !tile.view<?xf32>) {
  %K = tile.dim %X, 0
  tile.parallel %k in %K by @kb {
    %x = tile.load %X[%k, full 32] : !blocks
    // CHECK: tile.iota : tensor<32xi32, #tile.dims<32>>
    %n = tile.iota : tensor<32xi32, #tile.dims<32>>
    // CHECK: tile.broadcast %{{.*}} along [0, 2] : tensor<32xi32, #tile.dims<32>> -> tensor<?x32x2xi32, #tile.dims<@kb, 32, 2>>
    %ns = tile.broadcast %n along [0, 2] : tensor<32xi32, #tile.dims<32>> -> tensor<?x32x2xi32, #tile.dims<@kb, 32, 2>>
    // CHECK: tile.transpose %{{.*}} by [1, 0] : tensor<?x32xf32, #tile.dims<@kb, 32>> -> tensor<32x?xf32, #tile.dims<32, @kb>>
    %t = tile.transpose %x by [1, 0] : !blocks -> !turned
    // CHECK: tile.reshape %{{.*}} : tensor<?x32xf32, #tile.dims<@kb, 32>> -> tensor<?xf32, #tile.dims<@kb * 32>>
    %flat = tile.reshape %x : !blocks -> !flat
    %back = tile.reshape %flat : !flat -> tensor<?x4x8x1xf32, #tile.dims<@kb, 4, 8, 1>>
    // CHECK: tile.cat %{{.*}}, %{{.*}} along 1 : tensor<?x32xf32, #tile.dims<@kb, 32>>, tensor<?x32xf32, #tile.dims<@kb, 32>> -> tensor<?x64xf32, #tile.dims<@kb, 64>>
    %c = tile.cat %x, %x along 1 : !blocks, !blocks -> !wide
    // CHECK: tile.join %{{.*}}, %{{.*}} : tensor<?x32xf32, #tile.dims<@kb, 32>> -> tensor<?x32x2xf32, #tile.dims<@kb, 32, 2>>
    %j = tile.join %x, %x : !blocks -> !pairs
    // CHECK: %{{.*}}, %{{.*}} = tile.split %{{.*}} : tensor<?x32x2xf32, #tile.dims<@kb, 32, 2>> -> tensor<?x32xf32, #tile.dims<@kb, 32>>
    %a, %b = tile.split %j : !pairs -> !blocks
    // CHECK: tile.cast %{{.*}} unsigned : tensor<32xi32, #tile.dims<32>> -> tensor<32xf32, #tile.dims<32>>
    %f = tile.cast %n unsigned : tensor<32xi32, #tile.dims<32>> -> tensor<32xf32, #tile.dims<32>>
    %one = arith.constant 1.0 : f32
    // CHECK: tile.cast %{{.*}} : f32 -> bf16
    %half = tile.cast %one : f32 -> bf16
    // CHECK: tile.cast %{{.*}} : tensor<?x32xf32, #tile.dims<@kb, 32>> -> tensor<?x32xf8E4M3FN, #tile.dims<@kb, 32>>
    %small = tile.cast %x : !blocks -> tensor<?x32xf8E4M3FN, #tile.dims<@kb, 32>>
    %zero = tile.splat %one : tensor<?x?xf32, #tile.dims<@kb, @kb>>
    // CHECK: tile.dot transpose(%{{.*}}), %{{.*}}, %{{.*}} {precision = "tf32"} : tensor<32x?xf32
    %d = tile.dot transpose(%t), %t, %zero {precision = "tf32"} : !turned, !turned -> tensor<?x?xf32, #tile.dims<@kb, @kb>>
  }
}

// CHECK-LABEL: tile.kernel @combine
tile.kernel @combine(%X: !tile.view<?x?xf32>, %O: !tile.view<?xi32>) {
  %M = tile.dim %X, 0
  tile.parallel %r in %M by @br {
    %x = tile.load %X[%r, full @cols] : !row
    %n = tile.iota : tensor<?xi32, #tile.dims<@cols>>
    %ns = tile.broadcast %n along 0 : tensor<?xi32, #tile.dims<@cols>> -> !irow
    %low = arith.constant 0xFF800000 : f32
    %none = arith.constant -1 : i32
    // CHECK: %{{.*}}:2 = tile.reduce (%{{.*}}, %{{.*}}) over 1 init(%{{.*}}, %{{.*}}) : tensor<?x?xf32, #tile.dims<@br, @cols>>, tensor<?x?xi32, #tile.dims<@br, @cols>> -> tensor<?xf32, #tile.dims<@br>>, tensor<?xi32, #tile.dims<@br>> {
    // CHECK-NEXT: ^bb0(%{{.*}}: f32, %{{.*}}: i32, %{{.*}}: f32, %{{.*}}: i32):
    %v, %i = tile.reduce (%x, %ns) over 1 init(%low, %none) : !row, !irow -> !col, !icol {
    ^bb0(%xl: f32, %il: i32, %xr: f32, %ir: i32):
      %less = arith.cmpf olt, %xl, %xr : f32
      %xb = arith.select %less, %xr, %xl : f32
      %ib = arith.select %less, %ir, %il : i32
      // CHECK: tile.yield %{{.*}}, %{{.*}} : f32, i32
      tile.yield %xb, %ib : f32, i32
    }
    // CHECK: tile.reduce maxsi %{{.*}} over 0 : tensor<?xi32, #tile.dims<@br>> -> i32
    %top = tile.reduce maxsi %i over 0 : !icol -> i32
    // CHECK: tile.scan addf %{{.*}} over 1 reverse exclusive : tensor<?x?xf32, #tile.dims<@br, @cols>>
    %s = tile.scan addf %x over 1 reverse exclusive : !row
    // CHECK: tile.scan (%{{.*}}) over 0 exclusive init(%{{.*}}) : tensor<?x?xf32, #tile.dims<@br, @cols>> {
    %q = tile.scan (%x) over 0 exclusive init(%low) : !row {
    ^bb0(%l: f32, %r2: f32):
      %sum = arith.addf %l, %r2 : f32
      tile.yield %sum : f32
    }
    tile.store %i, %O[%r]
  }
}

!tile8 = tensor<64x32xf32, #tile.dims<@bm, @bn>>

// CHECK-LABEL: tile.kernel @scheduled
// CHECK-SAME: attributes {scheduled}
tile.kernel @scheduled(%X: !tile.view<?x?xf32>, %Y: !tile.view<?x?xf32>) attributes {scheduled} {
  %M = tile.dim %X, 0
  // CHECK: tile.grid %{{.*}} in %{{.*}} schedule {pid_type = "flat"} {
  tile.grid %pid in %M schedule {pid_type = "flat"} {
    %zero = arith.constant 0 : index
    // CHECK: tile.make_range %{{.*}} at %{{.*}} to %{{.*}} : !tile.range<@bm, 64>
    %i = tile.make_range %pid at %zero to %M : !tile.range<@bm, 64>
    // CHECK: tile.loop %{{.*}} in %{{.*}} by @bn = 32 {
    tile.loop %j in %M by @bn = 32 {
      // CHECK: tile.pack %{{.*}} over 1 at %{{.*}} {panel = 16 : i64} : !tile.view<?x?xf32>, !tile.range<@bn, 32>
      %p = tile.pack %X over 1 at %j {panel = 16} : !tile.view<?x?xf32>, !tile.range<@bn, 32>
      // CHECK: tile.load %{{.*}}[%{{.*}}, %{{.*}}] : tensor<64x32xf32, #tile.dims<@bm, @bn>>
      %x = tile.load %p[%i, %j] : !tile8
      // CHECK: tile.load %{{.*}}[%{{.*}}, full @cols] : tensor<64x128xf32, #tile.dims<@bm, @cols>>
      %whole = tile.load %X[%i, full @cols] : tensor<64x128xf32, #tile.dims<@bm, @cols>>
      %dyn = tile.load %X[%i, full @cols] : tensor<64x?xf32, #tile.dims<@bm, @cols>>
      tile.store %x, %Y[%i, %j]
    }
  }
  // CHECK: tile.grid %{{.*}} in %{{.*}} {
  tile.grid %pid in %M {
  }
  // CHECK: tile.grid (%{{.*}}, %{{.*}}) in (%{{.*}}, %{{.*}}) schedule {pid_type = "xyz"} {
  tile.grid (%x, %y) in (%M, %M) schedule {pid_type = "xyz"} {
    // CHECK: tile.loop %{{.*}} in %{{.*}} by 1 attributes {persistent} {
    tile.loop %t in %y by 1 attributes {persistent} {
    }
  }
}
