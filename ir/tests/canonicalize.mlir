// RUN: pantile-opt --canonicalize --cse %s | FileCheck %s

!x = tensor<?x?xf32, #tile.dims<@bm, @bk>>
!t = tensor<?x?xf32, #tile.dims<@bk, @bm>>
!acc = tensor<?x?xf32, #tile.dims<@bm, @bm>>

// CHECK-LABEL: tile.kernel @shapes
// CHECK-SAME: (%{{.*}}: !tile.view<?x64xf32>, %[[Y:.*]]: !tile.view<?x?xf32>)
tile.kernel @shapes(%X: !tile.view<?x64xf32>, %Y: !tile.view<?x?xf32>) {
  %M = tile.dim %X, 0
  // A constant size is a constant.
  // CHECK-DAG: %[[C64:.*]] = arith.constant 64 : index
  %K = tile.dim %X, 1
  // CHECK: tile.parallel (%[[I:.*]], %[[K:.*]]) in (%{{.*}}, %[[C64]])
  tile.parallel (%i, %k) in (%M, %K) by (@bm, @bk) {
    // CHECK: %[[TILE:.*]] = tile.load %[[Y]][%[[I]], %[[K]]]
    %x = tile.load %Y[%i, %k] : !x
    %none = arith.constant 0 : index
    // A shift by nothing, a scale by one, an identity of each kind.
    // CHECK-NOT: tile.shift
    // CHECK-NOT: tile.scale
    // CHECK-NOT: tile.transpose
    // CHECK-NOT: tile.reshape
    // CHECK-NOT: tile.cast
    // CHECK-NOT: tile.broadcast
    %is = tile.shift %i by %none : !tile.range<@bm>
    %ic = tile.scale %is by 1 : !tile.range<@bm> -> !tile.range<@bm>
    %t = tile.transpose %x by [1, 0] : !x -> !t
    %tt = tile.transpose %t by [1, 0] : !t -> !x
    %r = tile.reshape %tt : !x -> !x
    %c = tile.cast %r : !x -> !x
    // CHECK: tile.store %[[TILE]], %[[Y]][%[[I]], %[[K]]]
    tile.store %c, %Y[%ic, %k]
    // Splats stay splats, casts move to the scalar (here a constant's).
    // CHECK: tile.splat %{{.*}} : tensor<?x?xf32, #tile.dims<@bm, @bm>>
    %one = arith.constant 1.0 : f32
    %row = tile.splat %one : tensor<?xf32, #tile.dims<@bm>>
    %wide = tile.broadcast %row along 0 : tensor<?xf32, #tile.dims<@bm>> -> !acc
    // A dot reads transposed operands as such.
    // CHECK: tile.dot %[[TILE]], transpose(%[[TILE]])
    %d = tile.dot %x, %t, %wide : !x, !t -> !acc
    // CHECK: tile.store
    tile.store %d, %Y[%i, %i]
    // CHECK: %[[NEG:.*]] = arith.negf %[[TILE]]
    %d2 = arith.negf %x : !x
    // CHECK-NOT: tile.join
    // CHECK-NOT: tile.split
    %j = tile.join %x, %d2 : !x -> tensor<?x?x2xf32, #tile.dims<@bm, @bk, 2>>
    %a, %b = tile.split %j : tensor<?x?x2xf32, #tile.dims<@bm, @bk, 2>> -> !x
    // CHECK: tile.store %[[NEG]],
    tile.store %b, %Y[%i, %k]
  }
}

// CHECK-LABEL: tile.kernel @scheduled
tile.kernel @scheduled(%Y: !tile.view<?x?xf32>, %n: index) attributes {scheduled} {
  %w = tile.workspace(%n) : !tile.view<8x?xf32>
  // The size of a workspace is what it was made of; the begin and id of a made range what it was made from.
  // CHECK-NOT: tile.dim
  %size = tile.dim %w, 1
  // CHECK: tile.grid %[[PID:.*]] in %[[N:.*]] {
  tile.grid %pid in %size {
    %i = tile.make_range %pid at %size to %n : !tile.range<@bm, 64>
    %b = tile.begin %i : !tile.range<@bm, 64>
    %id = tile.id %i : !tile.range<@bm, 64>
    %x = tile.load %Y[%b, %id] : f32
    // CHECK: tile.load %{{.*}}[%[[N]], %[[PID]]]
    tile.store %x, %w[%id, %b]
  }
}
