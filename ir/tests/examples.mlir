// RUN: pantile-opt %s | pantile-opt | FileCheck %s
// The kernels of the language reference (ir/README.md).

!a   = tensor<?x?xbf16, #tile.dims<@bm, @bk>>
!b   = tensor<?x?xbf16, #tile.dims<@bk, @bn>>
!acc = tensor<?x?xf32,  #tile.dims<@bm, @bn>>

// CHECK-LABEL: tile.kernel @matmul(
// CHECK-SAME: %[[A:.*]]: !tile.view<?x?xbf16> {tile.access = "read", tile.sizes = ["M", "K"]}
tile.kernel @matmul(%A: !tile.view<?x?xbf16> {tile.sizes = ["M", "K"], tile.access = "read"},
                    %B: !tile.view<?x?xbf16> {tile.sizes = ["K", "N"], tile.access = "read"},
                    %C: !tile.view<?x?xbf16> {tile.sizes = ["M", "N"], tile.access = "write"}) {
  // CHECK: tile.dim %{{.*}}, 0
  %M = tile.dim %C, 0
  %N = tile.dim %C, 1
  %K = tile.dim %A, 1
  // CHECK: tile.parallel (%[[I:.*]], %[[J:.*]]) in (%{{.*}}, %{{.*}}) by (@bm, @bn) {
  tile.parallel (%i, %j) in (%M, %N) by (@bm, @bn) {
    %zero = arith.constant 0.0 : f32
    // CHECK: tile.splat %{{.*}} : tensor<?x?xf32, #tile.dims<@bm, @bn>>
    %init = tile.splat %zero : !acc
    // CHECK: tile.loop %[[P:.*]] in %{{.*}} by @bk carry(%[[S:.*]] = %{{.*}} : tensor<?x?xf32, #tile.dims<@bm, @bn>>) associative {
    %sum = tile.loop %p in %K by @bk carry(%s = %init : !acc) associative {
      // CHECK: tile.load %{{.*}}[%[[I]], %[[P]]] : tensor<?x?xbf16, #tile.dims<@bm, @bk>>
      %x = tile.load %A[%i, %p] : !a
      %y = tile.load %B[%p, %j] : !b
      // CHECK: tile.dot %{{.*}}, %{{.*}}, %[[S]] : tensor<?x?xbf16, #tile.dims<@bm, @bk>>, tensor<?x?xbf16, #tile.dims<@bk, @bn>> -> tensor<?x?xf32, #tile.dims<@bm, @bn>>
      %d = tile.dot %x, %y, %s : !a, !b -> !acc
      // CHECK: tile.yield %{{.*}} : tensor<?x?xf32, #tile.dims<@bm, @bn>>
      tile.yield %d : !acc
    }
    %out = arith.truncf %sum : !acc to tensor<?x?xbf16, #tile.dims<@bm, @bn>>
    // CHECK: tile.store %{{.*}}, %{{.*}}[%[[I]], %[[J]]] : tensor<?x?xbf16, #tile.dims<@bm, @bn>>
    tile.store %out, %C[%i, %j]
  }
}

!row16 = tensor<?x?xbf16, #tile.dims<@br, @cols>>
!row = tensor<?x?xf32, #tile.dims<@br, @cols>>
!col = tensor<?xf32, #tile.dims<@br>>

// CHECK-LABEL: tile.kernel @softmax
tile.kernel @softmax(%X: !tile.view<?x?xbf16>, %Y: !tile.view<?x?xbf16>) {
  %M = tile.dim %X, 0
  // CHECK: tile.parallel %[[R:.*]] in %{{.*}} by @br {
  tile.parallel %r in %M by @br {
    // CHECK: tile.load %{{.*}}[%[[R]], full @cols]
    %x16 = tile.load %X[%r, full @cols] : !row16
    %x = arith.extf %x16 : !row16 to !row
    // CHECK: tile.reduce maximumf %{{.*}} over 1 : tensor<?x?xf32, #tile.dims<@br, @cols>> -> tensor<?xf32, #tile.dims<@br>>
    %max = tile.reduce maximumf %x over 1 : !row -> !col
    // CHECK: tile.broadcast %{{.*}} along 1 : tensor<?xf32, #tile.dims<@br>> -> tensor<?x?xf32, #tile.dims<@br, @cols>>
    %wide = tile.broadcast %max along 1 : !col -> !row
    %shifted = arith.subf %x, %wide : !row
    %e = math.exp %shifted : !row
    %total = tile.reduce addf %e over 1 : !row -> !col
    %all = tile.broadcast %total along 1 : !col -> !row
    %p = arith.divf %e, %all : !row
    %out = arith.truncf %p : !row to !row16
    tile.store %out, %Y[%r, full @cols]
  }
}

!q = tensor<?x?xbf16, #tile.dims<@bq, @d>>
!kv = tensor<?x?xbf16, #tile.dims<@bk, @d>>
!s = tensor<?x?xf32, #tile.dims<@bq, @bk>>
!s16 = tensor<?x?xbf16, #tile.dims<@bq, @bk>>
!mask = tensor<?x?xi1, #tile.dims<@bq, @bk>>
!o = tensor<?x?xf32, #tile.dims<@bq, @d>>
!m = tensor<?xf32, #tile.dims<@bq>>
!iq = tensor<?xi32, #tile.dims<@bq>>
!ik = tensor<?xi32, #tile.dims<@bk>>
!iqk = tensor<?x?xi32, #tile.dims<@bq, @bk>>

// Causal attention. %scale holds 1/sqrt(d) * log2(e), so that exp2 serves.
// CHECK-LABEL: tile.kernel @attention
// CHECK-SAME: %{{.*}}: f32) attributes {static = [@d]} {
tile.kernel @attention(%Q: !tile.view<?x?x?x?xbf16> {tile.sizes = ["B", "H", "S", "D"], tile.access = "read"},
                       %K: !tile.view<?x?x?x?xbf16> {tile.sizes = ["B", "H", "T", "D"], tile.access = "read"},
                       %V: !tile.view<?x?x?x?xbf16> {tile.sizes = ["B", "H", "T", "D"], tile.access = "read"},
                       %O: !tile.view<?x?x?x?xbf16> {tile.sizes = ["B", "H", "S", "D"], tile.access = "write"},
                       %scale: f32) attributes {static = [@d]} {
  %B = tile.dim %Q, 0
  %H = tile.dim %Q, 1
  %S = tile.dim %Q, 2
  %T = tile.dim %K, 2
  // CHECK: by (1, 1, @bq) {
  tile.parallel (%b, %h, %q) in (%B, %H, %S) by (1, 1, @bq) {
    %zero = arith.constant 0.0 : f32
    %low = arith.constant -1.0e30 : f32
    %qt = tile.load %Q[%b, %h, %q, full @d] : !q
    %o0 = tile.splat %zero : !o
    %m0 = tile.splat %low : !m
    %l0 = tile.splat %zero : !m
    %none = tile.splat %zero : !s
    %lows = tile.splat %low : !s
    %scales = tile.splat %scale : !s
    // CHECK: tile.index %{{.*}} : !tile.range<@bq> -> tensor<?xi32, #tile.dims<@bq>>
    %qi = tile.index %q : !tile.range<@bq> -> !iq
    %qis = tile.broadcast %qi along 1 : !iq -> !iqk
    %last = tile.end %q : !tile.range<@bq>
    %o, %m, %l = tile.loop %k in %last by @bk carry(%oc = %o0 : !o, %mc = %m0 : !m, %lc = %l0 : !m) {
      %kt = tile.load %K[%b, %h, %k, full @d] : !kv
      // CHECK: tile.dot %{{.*}}, transpose(%{{.*}}), %{{.*}} :
      %raw = tile.dot %qt, transpose(%kt), %none : !q, !kv -> !s
      %scaled = arith.mulf %raw, %scales : !s
      %ki = tile.index %k : !tile.range<@bk> -> !ik
      %kis = tile.broadcast %ki along 0 : !ik -> !iqk
      %seen = arith.cmpi sle, %kis, %qis : !iqk
      %s = arith.select %seen, %scaled, %lows : !mask, !s
      %top = tile.reduce maximumf %s over 1 : !s -> !m
      %mn = arith.maximumf %mc, %top : !m
      %mns = tile.broadcast %mn along 1 : !m -> !s
      %shifted = arith.subf %s, %mns : !s
      %e = math.exp2 %shifted : !s
      %fall = arith.subf %mc, %mn : !m
      %alpha = math.exp2 %fall : !m
      %sum = tile.reduce addf %e over 1 : !s -> !m
      %lscaled = arith.mulf %lc, %alpha : !m
      %ln = arith.addf %lscaled, %sum : !m
      %alphas = tile.broadcast %alpha along 1 : !m -> !o
      %oscaled = arith.mulf %oc, %alphas : !o
      %p = arith.truncf %e : !s to !s16
      %vt = tile.load %V[%b, %h, %k, full @d] : !kv
      %on = tile.dot %p, %vt, %oscaled : !s16, !kv -> !o
      tile.yield %on, %mn, %ln : !o, !m, !m
    }
    %ls = tile.broadcast %l along 1 : !m -> !o
    %quotient = arith.divf %o, %ls : !o
    %out = arith.truncf %quotient : !o to !q
    tile.store %out, %O[%b, %h, %q, full @d]
  }
}
