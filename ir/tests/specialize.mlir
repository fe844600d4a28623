// RUN: pantile-opt %s --tile-specialize='configuration={br=4}' | FileCheck %s
// RUN: pantile-opt %s --tile-specialize='configuration={br=4,"reduction_loops.n"=64}' | FileCheck %s --check-prefix=ROLLED
// RUN: pantile-opt %s --tile-specialize='configuration={br=4,n=128} mask' | FileCheck %s --check-prefix=MASKED
// RUN: pantile-opt %s --tile-specialize='configuration={br=4,"pid_type.0"="persistent_blocked",num_sm_multiplier=2} units=5' | FileCheck %s --check-prefix=BLOCKED
// RUN: pantile-opt %s --tile-specialize='configuration={br=4,"pid_type.0"="persistent_interleaved"} units=5' | FileCheck %s --check-prefix=INTERLEAVED
// RUN: not pantile-opt %s --tile-specialize='configuration={br=4} bound-full-extents' 2>&1 | FileCheck %s --check-prefix=UNBOUND

// UNBOUND: full extent @n has no bound

// CHECK: tile.kernel @rows({{.*}}) attributes {scheduled}
// CHECK: %[[COUNT:.*]] = arith.ceildivsi %{{.*}}, %c4
// CHECK: tile.grid %[[PID:.*]] in %[[COUNT]] schedule {pid_type = "flat"}
// CHECK: %[[BEGIN:.*]] = arith.muli %[[PID]], %c4
// CHECK: %[[ROWS:.*]] = tile.make_range %[[PID]] at %[[BEGIN]] to %{{.*}} : !tile.range<@br, 4>
// CHECK: tile.load %{{.*}}[%[[ROWS]], full @n] : tensor<4x?xf32, #tile.dims<@br, @n>>

// ROLLED: %[[SUM:.*]] = tile.loop %[[C:.*]] in %{{.*}} by @n = 64 carry(
// ROLLED: tile.load %{{.*}}[%{{.*}}, %[[C]]] : tensor<4x64xf32
// ROLLED: tile.reduce addf
// ROLLED: tile.loop %[[D:.*]] in %{{.*}} by @n = 64 {
// ROLLED: tile.load %{{.*}}[%{{.*}}, %[[D]]] : tensor<4x64xf32
// ROLLED: tile.broadcast %[[SUM]] along 1
// ROLLED: tile.store %{{.*}}, %{{.*}}[%{{.*}}, %[[D]]]

// BLOCKED: %[[BLOCKS:.*]] = arith.ceildivsi
// BLOCKED: %[[PROGRAMS:.*]] = arith.minsi %[[BLOCKS]], %c10
// BLOCKED: tile.grid %[[PID:.*]] in %[[PROGRAMS]] schedule {pid_type = "persistent_blocked"} {
// BLOCKED: %[[EACH:.*]] = arith.ceildivsi %[[BLOCKS]], %[[PROGRAMS]]
// BLOCKED: %[[FIRST:.*]] = arith.muli %[[PID]], %[[EACH]]
// BLOCKED: tile.loop %[[K:.*]] in %{{.*}} by 1 attributes {persistent} {
// BLOCKED: %[[BLOCK:.*]] = arith.addi %[[FIRST]], %[[K]]
// BLOCKED: tile.make_range %[[BLOCK]] at

// INTERLEAVED: tile.grid %[[PID:.*]] in %[[PROGRAMS:.*]] schedule {pid_type = "persistent_interleaved"} {
// INTERLEAVED: tile.loop %[[K:.*]] in %{{.*}} by 1 attributes {persistent} {
// INTERLEAVED: %[[STEP:.*]] = arith.muli %[[K]], %[[PROGRAMS]]
// INTERLEAVED: arith.addi %[[PID]], %[[STEP]]

// MASKED: %[[INSIDE:.*]] = tile.broadcast %{{.*}} along 0 : tensor<128xi1
// MASKED: %[[X:.*]] = arith.select %[[INSIDE]]
// MASKED: tile.reduce addf %[[X]]
!r = tensor<?x?xf32, #tile.dims<@br, @n>>
!c = tensor<?xf32, #tile.dims<@br>>
tile.kernel @rows(%X: !tile.view<?x?xf32>, %Y: !tile.view<?x?xf32>) {
  %M = tile.dim %X, 0
  tile.parallel %i in %M by @br {
    %x = tile.load %X[%i, full @n] : !r
    %e = math.exp %x : !r
    %s = tile.reduce addf %e over 1 : !r -> !c
    %w = tile.broadcast %s along 1 : !c -> !r
    %y = arith.divf %e, %w : !r
    tile.store %y, %Y[%i, full @n]
  }
}
