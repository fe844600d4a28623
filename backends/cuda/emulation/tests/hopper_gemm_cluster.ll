; ModuleID = 'LLVMDialectModule'
source_filename = "LLVMDialectModule"
target triple = "nvptx64-nvidia-cuda"

@smem = external addrspace(3) global [0 x i8], align 1024

define ptx_kernel void @gemm(ptr byval([128 x i8]) align 64 "nvvm.grid_constant" %0, ptr byval([128 x i8]) align 64 "nvvm.grid_constant" %1, ptr byval([128 x i8]) align 64 "nvvm.grid_constant" %2, i32 %3, i32 %4, i32 %5) #0 {
  %7 = call i32 @llvm.nvvm.read.ptx.sreg.tid.x()
  %8 = call i32 @llvm.nvvm.read.ptx.sreg.ctaid.x()
  %9 = call i32 @llvm.nvvm.read.ptx.sreg.nctaid.x()
  %10 = call i32 @llvm.nvvm.read.ptx.sreg.cluster.ctaid.x()
  %11 = lshr i32 %7, 7
  %12 = call i32 @llvm.nvvm.shfl.sync.idx.i32(i32 -1, i32 %11, i32 0, i32 31)
  %13 = add i32 %3, 255
  %14 = udiv i32 %13, 256
  %15 = add i32 %4, 63
  %16 = udiv i32 %15, 64
  %17 = add i32 %5, 63
  %18 = udiv i32 %17, 64
  %19 = mul i32 %14, %16
  %20 = udiv i32 %8, 2
  %21 = udiv i32 %9, 2
  %22 = mul i32 %16, 2
  %23 = icmp eq i32 %7, 0
  br i1 %23, label %24, label %25

24:                                               ; preds = %6
  call void @llvm.nvvm.mbarrier.init.shared(ptr addrspace(3) getelementptr (i8, ptr addrspace(3) @smem, i64 65536), i32 1)
  call void @llvm.nvvm.mbarrier.init.shared(ptr addrspace(3) getelementptr (i8, ptr addrspace(3) @smem, i64 65552), i32 4)
  call void @llvm.nvvm.mbarrier.init.shared(ptr addrspace(3) getelementptr (i8, ptr addrspace(3) @smem, i64 65544), i32 1)
  call void @llvm.nvvm.mbarrier.init.shared(ptr addrspace(3) getelementptr (i8, ptr addrspace(3) @smem, i64 65560), i32 4)
  call void @llvm.nvvm.fence.mbarrier_init.release.cluster()
  br label %25

25:                                               ; preds = %24, %6
  call void @llvm.nvvm.barrier.cta.sync.aligned.all(i32 0)
  call void @llvm.nvvm.barrier.cluster.arrive.relaxed()
  call void @llvm.nvvm.barrier.cluster.wait()
  %26 = icmp eq i32 %12, 0
  br i1 %26, label %27, label %87

27:                                               ; preds = %25
  call void @llvm.nvvm.setmaxnreg.dec.sync.aligned.u32(i32 40)
  %28 = icmp ult i32 %7, 32
  br i1 %28, label %29, label %335

29:                                               ; preds = %27
  %30 = call { i32, i1 } @llvm.nvvm.elect.sync(i32 -1)
  %31 = extractvalue { i32, i1 } %30, 1
  %32 = icmp ult i32 %20, %19
  %33 = and i1 %31, %32
  br i1 %33, label %34, label %335

34:                                               ; preds = %84, %29
  %35 = phi i32 [ %85, %84 ], [ %20, %29 ]
  %36 = phi i32 [ %79, %84 ], [ 0, %29 ]
  %37 = phi i32 [ %81, %84 ], [ 0, %29 ]
  %38 = udiv i32 %35, %22
  %39 = mul i32 %38, 2
  %40 = sub i32 %14, %39
  %41 = icmp ult i32 %40, 2
  %42 = select i1 %41, i32 %40, i32 2
  %43 = urem i32 %35, %22
  %44 = urem i32 %43, %42
  %45 = add i32 %39, %44
  %46 = udiv i32 %43, %42
  %47 = mul i32 %45, 2
  %48 = add i32 %47, %10
  %49 = mul i32 %48, 128
  %50 = mul i32 %46, 64
  br label %51

51:                                               ; preds = %61, %34
  %52 = phi i32 [ %82, %61 ], [ 0, %34 ]
  %53 = phi i32 [ %79, %61 ], [ %36, %34 ]
  %54 = phi i32 [ %81, %61 ], [ %37, %34 ]
  %55 = xor i32 %54, 1
  %56 = mul i32 %53, 8
  %57 = add i32 %56, 65552
  %58 = getelementptr i8, ptr addrspace(3) @smem, i32 %57
  br label %59

59:                                               ; preds = %59, %51
  %60 = call i1 @llvm.nvvm.mbarrier.try.wait.parity.scope.cta.space.cta(ptr addrspace(3) %58, i32 %55)
  br i1 %60, label %61, label %59

61:                                               ; preds = %59
  %62 = mul i32 %53, 8
  %63 = add i32 %62, 65536
  %64 = getelementptr i8, ptr addrspace(3) @smem, i32 %63
  %65 = call i64 @llvm.nvvm.mbarrier.arrive.expect.tx.scope.cta.space.cta(ptr addrspace(3) %64, i32 24576)
  %66 = mul i32 %53, 24576
  %67 = getelementptr i8, ptr addrspace(3) @smem, i32 %66
  %68 = mul i32 %52, 64
  %69 = addrspacecast ptr addrspace(3) %67 to ptr addrspace(7)
  call void @llvm.nvvm.cp.async.bulk.tensor.g2s.tile.2d(ptr addrspace(7) %69, ptr addrspace(3) %64, ptr %0, i32 %68, i32 %49, i16 0, i64 0, i1 false, i1 false, i32 0)
  %70 = mul i32 %10, 4096
  %71 = add i32 %70, 16384
  %72 = getelementptr i8, ptr addrspace(3) %67, i32 %71
  %73 = add i32 %50, 0
  %74 = mul i32 %10, 32
  %75 = add i32 %68, %74
  %76 = addrspacecast ptr addrspace(3) %72 to ptr addrspace(7)
  call void @llvm.nvvm.cp.async.bulk.tensor.g2s.tile.2d(ptr addrspace(7) %76, ptr addrspace(3) %64, ptr %1, i32 %73, i32 %75, i16 3, i64 0, i1 true, i1 false, i32 0)
  %77 = add i32 %53, 1
  %78 = icmp eq i32 %77, 2
  %79 = select i1 %78, i32 0, i32 %77
  %80 = xor i32 %54, 1
  %81 = select i1 %78, i32 %80, i32 %54
  %82 = add i32 %52, 1
  %83 = icmp ult i32 %82, %18
  br i1 %83, label %51, label %84

84:                                               ; preds = %61
  %85 = add i32 %35, %21
  %86 = icmp ult i32 %85, %19
  br i1 %86, label %34, label %335

87:                                               ; preds = %25
  call void @llvm.nvvm.setmaxnreg.inc.sync.aligned.u32(i32 232)
  %88 = sub i32 %12, 1
  %89 = and i32 %7, 127
  %90 = and i32 %7, 31
  %91 = lshr i32 %89, 5
  %92 = icmp eq i32 %89, 0
  %93 = add i32 %88, 1
  %94 = shl i32 %91, 4
  %95 = and i32 %90, 15
  %96 = add i32 %94, %95
  %97 = shl i32 %96, 7
  %98 = lshr i32 %90, 4
  %99 = and i32 %90, 7
  %100 = mul i32 %88, 8192
  %101 = add i32 %100, 49152
  %102 = getelementptr i8, ptr addrspace(3) @smem, i32 %101
  %103 = add i32 %98, 0
  %104 = xor i32 %103, %99
  %105 = shl i32 %104, 4
  %106 = add i32 %97, %105
  %107 = add i32 %98, 2
  %108 = xor i32 %107, %99
  %109 = shl i32 %108, 4
  %110 = add i32 %97, %109
  %111 = add i32 %98, 4
  %112 = xor i32 %111, %99
  %113 = shl i32 %112, 4
  %114 = add i32 %97, %113
  %115 = add i32 %98, 6
  %116 = xor i32 %115, %99
  %117 = shl i32 %116, 4
  %118 = add i32 %97, %117
  %119 = mul i32 %88, 8192
  %120 = add i32 ptrtoint (ptr addrspace(3) @smem to i32), %119
  %121 = and i32 %120, 262143
  %122 = lshr i32 %121, 4
  %123 = and i32 add (i32 ptrtoint (ptr addrspace(3) @smem to i32), i32 16384), 262143
  %124 = lshr i32 %123, 4
  %125 = zext i32 %122 to i64
  %126 = or i64 %125, 4611686293305360384
  %127 = zext i32 %124 to i64
  %128 = or i64 %127, 4611686293338849280
  %129 = icmp ult i32 %89, 2
  %130 = icmp ult i32 %20, %19
  br i1 %130, label %131, label %335

131:                                              ; preds = %330, %87
  %132 = phi i32 [ %331, %330 ], [ %20, %87 ]
  %133 = phi i32 [ %204, %330 ], [ 0, %87 ]
  %134 = phi i32 [ %206, %330 ], [ 0, %87 ]
  %135 = udiv i32 %132, %22
  %136 = mul i32 %135, 2
  %137 = sub i32 %14, %136
  %138 = icmp ult i32 %137, 2
  %139 = select i1 %138, i32 %137, i32 2
  %140 = urem i32 %132, %22
  %141 = urem i32 %140, %139
  %142 = add i32 %136, %141
  %143 = udiv i32 %140, %139
  %144 = mul i32 %142, 2
  %145 = add i32 %144, %10
  %146 = mul i32 %145, 128
  %147 = mul i32 %143, 64
  br label %148

148:                                              ; preds = %158, %131
  %149 = phi i32 [ %207, %158 ], [ 0, %131 ]
  %150 = phi i32 [ %204, %158 ], [ %133, %131 ]
  %151 = phi i32 [ %206, %158 ], [ %134, %131 ]
  %152 = phi { float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float } [ %197, %158 ], [ undef, %131 ]
  %153 = mul i32 %150, 8
  %154 = add i32 %153, 65536
  %155 = getelementptr i8, ptr addrspace(3) @smem, i32 %154
  br label %156

156:                                              ; preds = %156, %148
  %157 = call i1 @llvm.nvvm.mbarrier.try.wait.parity.scope.cta.space.cta(ptr addrspace(3) %155, i32 %151)
  br i1 %157, label %158, label %156

158:                                              ; preds = %156
  %159 = mul i32 %150, 1536
  %160 = zext i32 %159 to i64
  %161 = add i64 %126, %160
  %162 = add i64 %128, %160
  %163 = icmp ne i32 %149, 0
  %164 = zext i1 %163 to i32
  %165 = extractvalue { float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float } %152, 0
  %166 = extractvalue { float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float } %152, 1
  %167 = extractvalue { float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float } %152, 2
  %168 = extractvalue { float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float } %152, 3
  %169 = extractvalue { float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float } %152, 4
  %170 = extractvalue { float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float } %152, 5
  %171 = extractvalue { float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float } %152, 6
  %172 = extractvalue { float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float } %152, 7
  %173 = extractvalue { float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float } %152, 8
  %174 = extractvalue { float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float } %152, 9
  %175 = extractvalue { float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float } %152, 10
  %176 = extractvalue { float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float } %152, 11
  %177 = extractvalue { float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float } %152, 12
  %178 = extractvalue { float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float } %152, 13
  %179 = extractvalue { float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float } %152, 14
  %180 = extractvalue { float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float } %152, 15
  %181 = extractvalue { float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float } %152, 16
  %182 = extractvalue { float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float } %152, 17
  %183 = extractvalue { float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float } %152, 18
  %184 = extractvalue { float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float } %152, 19
  %185 = extractvalue { float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float } %152, 20
  %186 = extractvalue { float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float } %152, 21
  %187 = extractvalue { float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float } %152, 22
  %188 = extractvalue { float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float } %152, 23
  %189 = extractvalue { float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float } %152, 24
  %190 = extractvalue { float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float } %152, 25
  %191 = extractvalue { float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float } %152, 26
  %192 = extractvalue { float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float } %152, 27
  %193 = extractvalue { float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float } %152, 28
  %194 = extractvalue { float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float } %152, 29
  %195 = extractvalue { float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float } %152, 30
  %196 = extractvalue { float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float } %152, 31
  %197 = call { float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float } asm sideeffect "{ .reg .pred p; .reg .b64 a1,a2,a3,b1,b2,b3; wgmma.fence.sync.aligned; setp.ne.b32 p, $66, 0; add.s64 a1, $64, 2; add.s64 b1, $65, 128; add.s64 a2, $64, 4; add.s64 b2, $65, 256; add.s64 a3, $64, 6; add.s64 b3, $65, 384; wgmma.mma_async.sync.aligned.m64n64k16.f32.bf16.bf16 {$0,$1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13,$14,$15,$16,$17,$18,$19,$20,$21,$22,$23,$24,$25,$26,$27,$28,$29,$30,$31}, $64, $65, p, 1, 1, 0, 1; wgmma.mma_async.sync.aligned.m64n64k16.f32.bf16.bf16 {$0,$1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13,$14,$15,$16,$17,$18,$19,$20,$21,$22,$23,$24,$25,$26,$27,$28,$29,$30,$31}, a1, b1, 1, 1, 1, 0, 1; wgmma.mma_async.sync.aligned.m64n64k16.f32.bf16.bf16 {$0,$1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13,$14,$15,$16,$17,$18,$19,$20,$21,$22,$23,$24,$25,$26,$27,$28,$29,$30,$31}, a2, b2, 1, 1, 1, 0, 1; wgmma.mma_async.sync.aligned.m64n64k16.f32.bf16.bf16 {$0,$1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13,$14,$15,$16,$17,$18,$19,$20,$21,$22,$23,$24,$25,$26,$27,$28,$29,$30,$31}, a3, b3, 1, 1, 1, 0, 1; wgmma.commit_group.sync.aligned; }", "=f,=f,=f,=f,=f,=f,=f,=f,=f,=f,=f,=f,=f,=f,=f,=f,=f,=f,=f,=f,=f,=f,=f,=f,=f,=f,=f,=f,=f,=f,=f,=f,0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31,l,l,r"(float %165, float %166, float %167, float %168, float %169, float %170, float %171, float %172, float %173, float %174, float %175, float %176, float %177, float %178, float %179, float %180, float %181, float %182, float %183, float %184, float %185, float %186, float %187, float %188, float %189, float %190, float %191, float %192, float %193, float %194, float %195, float %196, i64 %161, i64 %162, i32 %164)
  call void @llvm.nvvm.wgmma.wait_group.sync.aligned(i64 1)
  %198 = icmp eq i32 %150, 0
  %199 = sub i32 %150, 1
  %200 = select i1 %198, i32 1, i32 %199
  %201 = icmp ne i32 %149, 0
  %202 = add i32 %150, 1
  %203 = icmp eq i32 %202, 2
  %204 = select i1 %203, i32 0, i32 %202
  %205 = xor i32 %151, 1
  %206 = select i1 %203, i32 %205, i32 %151
  %207 = add i32 %149, 1
  %208 = icmp ult i32 %207, %18
  %209 = and i1 %129, %201
  %210 = mul i32 %200, 8
  %211 = add i32 %210, 65552
  %212 = getelementptr i8, ptr addrspace(3) @smem, i32 %211
  %213 = call ptr addrspace(7) @llvm.nvvm.mapa.shared.cluster(ptr addrspace(3) %212, i32 %89)
  %214 = ptrtoint ptr addrspace(7) %213 to i32
  call void asm sideeffect "@$1 mbarrier.arrive.shared::cluster.b64 _, [$0];", "r,b"(i32 %214, i1 %209)
  br i1 %208, label %148, label %215

215:                                              ; preds = %158
  %216 = extractvalue { float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float } %197, 0
  %217 = extractvalue { float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float } %197, 1
  %218 = extractvalue { float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float } %197, 2
  %219 = extractvalue { float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float } %197, 3
  %220 = extractvalue { float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float } %197, 4
  %221 = extractvalue { float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float } %197, 5
  %222 = extractvalue { float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float } %197, 6
  %223 = extractvalue { float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float } %197, 7
  %224 = extractvalue { float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float } %197, 8
  %225 = extractvalue { float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float } %197, 9
  %226 = extractvalue { float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float } %197, 10
  %227 = extractvalue { float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float } %197, 11
  %228 = extractvalue { float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float } %197, 12
  %229 = extractvalue { float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float } %197, 13
  %230 = extractvalue { float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float } %197, 14
  %231 = extractvalue { float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float } %197, 15
  %232 = extractvalue { float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float } %197, 16
  %233 = extractvalue { float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float } %197, 17
  %234 = extractvalue { float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float } %197, 18
  %235 = extractvalue { float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float } %197, 19
  %236 = extractvalue { float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float } %197, 20
  %237 = extractvalue { float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float } %197, 21
  %238 = extractvalue { float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float } %197, 22
  %239 = extractvalue { float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float } %197, 23
  %240 = extractvalue { float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float } %197, 24
  %241 = extractvalue { float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float } %197, 25
  %242 = extractvalue { float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float } %197, 26
  %243 = extractvalue { float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float } %197, 27
  %244 = extractvalue { float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float } %197, 28
  %245 = extractvalue { float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float } %197, 29
  %246 = extractvalue { float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float } %197, 30
  %247 = extractvalue { float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float } %197, 31
  %248 = call { float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float } asm sideeffect "wgmma.wait_group.sync.aligned 0;", "=f,=f,=f,=f,=f,=f,=f,=f,=f,=f,=f,=f,=f,=f,=f,=f,=f,=f,=f,=f,=f,=f,=f,=f,=f,=f,=f,=f,=f,=f,=f,=f,0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31"(float %216, float %217, float %218, float %219, float %220, float %221, float %222, float %223, float %224, float %225, float %226, float %227, float %228, float %229, float %230, float %231, float %232, float %233, float %234, float %235, float %236, float %237, float %238, float %239, float %240, float %241, float %242, float %243, float %244, float %245, float %246, float %247)
  %249 = mul i32 %150, 8
  %250 = add i32 %249, 65552
  %251 = getelementptr i8, ptr addrspace(3) @smem, i32 %250
  %252 = call ptr addrspace(7) @llvm.nvvm.mapa.shared.cluster(ptr addrspace(3) %251, i32 %89)
  %253 = ptrtoint ptr addrspace(7) %252 to i32
  call void asm sideeffect "@$1 mbarrier.arrive.shared::cluster.b64 _, [$0];", "r,b"(i32 %253, i1 %129)
  %254 = mul i32 %88, 64
  %255 = add i32 %146, %254
  %256 = getelementptr i8, ptr addrspace(3) %102, i32 0
  br i1 %92, label %257, label %258

257:                                              ; preds = %215
  call void @llvm.nvvm.cp.async.bulk.wait.group.read(i32 0)
  br label %258

258:                                              ; preds = %257, %215
  call void @llvm.nvvm.barrier.cta.sync.aligned.count(i32 %93, i32 128)
  %259 = extractvalue { float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float } %248, 0
  %260 = extractvalue { float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float } %248, 1
  %261 = call <2 x bfloat> @llvm.nvvm.ff2bf16x2.rn(float %260, float %259)
  %262 = bitcast <2 x bfloat> %261 to i32
  %263 = extractvalue { float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float } %248, 2
  %264 = extractvalue { float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float } %248, 3
  %265 = call <2 x bfloat> @llvm.nvvm.ff2bf16x2.rn(float %264, float %263)
  %266 = bitcast <2 x bfloat> %265 to i32
  %267 = extractvalue { float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float } %248, 4
  %268 = extractvalue { float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float } %248, 5
  %269 = call <2 x bfloat> @llvm.nvvm.ff2bf16x2.rn(float %268, float %267)
  %270 = bitcast <2 x bfloat> %269 to i32
  %271 = extractvalue { float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float } %248, 6
  %272 = extractvalue { float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float } %248, 7
  %273 = call <2 x bfloat> @llvm.nvvm.ff2bf16x2.rn(float %272, float %271)
  %274 = bitcast <2 x bfloat> %273 to i32
  %275 = getelementptr i8, ptr addrspace(3) %256, i32 %106
  call void @llvm.nvvm.stmatrix.sync.aligned.m8n8.x4.b16.p3(ptr addrspace(3) %275, i32 %262, i32 %266, i32 %270, i32 %274)
  %276 = extractvalue { float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float } %248, 8
  %277 = extractvalue { float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float } %248, 9
  %278 = call <2 x bfloat> @llvm.nvvm.ff2bf16x2.rn(float %277, float %276)
  %279 = bitcast <2 x bfloat> %278 to i32
  %280 = extractvalue { float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float } %248, 10
  %281 = extractvalue { float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float } %248, 11
  %282 = call <2 x bfloat> @llvm.nvvm.ff2bf16x2.rn(float %281, float %280)
  %283 = bitcast <2 x bfloat> %282 to i32
  %284 = extractvalue { float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float } %248, 12
  %285 = extractvalue { float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float } %248, 13
  %286 = call <2 x bfloat> @llvm.nvvm.ff2bf16x2.rn(float %285, float %284)
  %287 = bitcast <2 x bfloat> %286 to i32
  %288 = extractvalue { float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float } %248, 14
  %289 = extractvalue { float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float } %248, 15
  %290 = call <2 x bfloat> @llvm.nvvm.ff2bf16x2.rn(float %289, float %288)
  %291 = bitcast <2 x bfloat> %290 to i32
  %292 = getelementptr i8, ptr addrspace(3) %256, i32 %110
  call void @llvm.nvvm.stmatrix.sync.aligned.m8n8.x4.b16.p3(ptr addrspace(3) %292, i32 %279, i32 %283, i32 %287, i32 %291)
  %293 = extractvalue { float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float } %248, 16
  %294 = extractvalue { float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float } %248, 17
  %295 = call <2 x bfloat> @llvm.nvvm.ff2bf16x2.rn(float %294, float %293)
  %296 = bitcast <2 x bfloat> %295 to i32
  %297 = extractvalue { float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float } %248, 18
  %298 = extractvalue { float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float } %248, 19
  %299 = call <2 x bfloat> @llvm.nvvm.ff2bf16x2.rn(float %298, float %297)
  %300 = bitcast <2 x bfloat> %299 to i32
  %301 = extractvalue { float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float } %248, 20
  %302 = extractvalue { float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float } %248, 21
  %303 = call <2 x bfloat> @llvm.nvvm.ff2bf16x2.rn(float %302, float %301)
  %304 = bitcast <2 x bfloat> %303 to i32
  %305 = extractvalue { float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float } %248, 22
  %306 = extractvalue { float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float } %248, 23
  %307 = call <2 x bfloat> @llvm.nvvm.ff2bf16x2.rn(float %306, float %305)
  %308 = bitcast <2 x bfloat> %307 to i32
  %309 = getelementptr i8, ptr addrspace(3) %256, i32 %114
  call void @llvm.nvvm.stmatrix.sync.aligned.m8n8.x4.b16.p3(ptr addrspace(3) %309, i32 %296, i32 %300, i32 %304, i32 %308)
  %310 = extractvalue { float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float } %248, 24
  %311 = extractvalue { float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float } %248, 25
  %312 = call <2 x bfloat> @llvm.nvvm.ff2bf16x2.rn(float %311, float %310)
  %313 = bitcast <2 x bfloat> %312 to i32
  %314 = extractvalue { float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float } %248, 26
  %315 = extractvalue { float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float } %248, 27
  %316 = call <2 x bfloat> @llvm.nvvm.ff2bf16x2.rn(float %315, float %314)
  %317 = bitcast <2 x bfloat> %316 to i32
  %318 = extractvalue { float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float } %248, 28
  %319 = extractvalue { float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float } %248, 29
  %320 = call <2 x bfloat> @llvm.nvvm.ff2bf16x2.rn(float %319, float %318)
  %321 = bitcast <2 x bfloat> %320 to i32
  %322 = extractvalue { float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float } %248, 30
  %323 = extractvalue { float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float } %248, 31
  %324 = call <2 x bfloat> @llvm.nvvm.ff2bf16x2.rn(float %323, float %322)
  %325 = bitcast <2 x bfloat> %324 to i32
  %326 = getelementptr i8, ptr addrspace(3) %256, i32 %118
  call void @llvm.nvvm.stmatrix.sync.aligned.m8n8.x4.b16.p3(ptr addrspace(3) %326, i32 %313, i32 %317, i32 %321, i32 %325)
  call void @llvm.nvvm.fence.proxy.async.shared_cta()
  call void @llvm.nvvm.barrier.cta.sync.aligned.count(i32 %93, i32 128)
  br i1 %92, label %327, label %330

327:                                              ; preds = %258
  %328 = getelementptr i8, ptr addrspace(3) %102, i32 0
  %329 = add i32 %147, 0
  call void @llvm.nvvm.cp.async.bulk.tensor.s2g.tile.2d(ptr addrspace(3) %328, ptr %2, i32 %329, i32 %255, i64 0, i1 false)
  call void @llvm.nvvm.cp.async.bulk.commit.group()
  br label %330

330:                                              ; preds = %327, %258
  %331 = add i32 %132, %21
  %332 = icmp ult i32 %331, %19
  br i1 %332, label %131, label %333

333:                                              ; preds = %330
  br i1 %92, label %334, label %335

334:                                              ; preds = %333
  call void @llvm.nvvm.cp.async.bulk.wait.group.read(i32 0)
  br label %335

335:                                              ; preds = %84, %29, %27, %334, %333, %87
  call void @llvm.nvvm.barrier.cluster.arrive.relaxed()
  call void @llvm.nvvm.barrier.cluster.wait()
  ret void
}

; Function Attrs: nocallback nofree nosync nounwind speculatable willreturn memory(none)
declare noundef range(i32 0, 1024) i32 @llvm.nvvm.read.ptx.sreg.tid.x() #1

; Function Attrs: nocallback nofree nosync nounwind speculatable willreturn memory(none)
declare noundef range(i32 0, 2147483647) i32 @llvm.nvvm.read.ptx.sreg.ctaid.x() #1

; Function Attrs: nocallback nofree nosync nounwind speculatable willreturn memory(none)
declare noundef range(i32 1, -2147483648) i32 @llvm.nvvm.read.ptx.sreg.nctaid.x() #1

; Function Attrs: nocallback nofree nosync nounwind speculatable willreturn memory(none)
declare noundef range(i32 0, 2147483647) i32 @llvm.nvvm.read.ptx.sreg.cluster.ctaid.x() #1

; Function Attrs: convergent nocallback nounwind memory(inaccessiblemem: readwrite)
declare i32 @llvm.nvvm.shfl.sync.idx.i32(i32, i32, i32, i32) #2

; Function Attrs: convergent nocallback nounwind
declare void @llvm.nvvm.mbarrier.init.shared(ptr addrspace(3), i32) #3

; Function Attrs: nocallback nounwind
declare void @llvm.nvvm.fence.mbarrier_init.release.cluster() #4

; Function Attrs: convergent nocallback nounwind
declare void @llvm.nvvm.barrier.cta.sync.aligned.all(i32) #3

; Function Attrs: convergent nocallback nounwind
declare void @llvm.nvvm.barrier.cluster.arrive.relaxed() #3

; Function Attrs: convergent nocallback nounwind
declare void @llvm.nvvm.barrier.cluster.wait() #3

; Function Attrs: convergent nocallback nofree nosync nounwind willreturn
declare void @llvm.nvvm.setmaxnreg.inc.sync.aligned.u32(i32 immarg range(i32 24, 257)) #5

; Function Attrs: convergent nocallback nounwind
declare i1 @llvm.nvvm.mbarrier.try.wait.parity.scope.cta.space.cta(ptr addrspace(3) captures(none), i32) #3

; Function Attrs: convergent nounwind
declare void @llvm.nvvm.wgmma.wait_group.sync.aligned(i64 immarg) #6

; Function Attrs: nocallback nofree nosync nounwind speculatable willreturn memory(none)
declare ptr addrspace(7) @llvm.nvvm.mapa.shared.cluster(ptr addrspace(3) captures(none), i32) #1

; Function Attrs: nounwind
declare void @llvm.nvvm.cp.async.bulk.wait.group.read(i32 immarg) #7

; Function Attrs: convergent nocallback nounwind
declare void @llvm.nvvm.barrier.cta.sync.aligned.count(i32, i32) #3

; Function Attrs: nocallback nofree nosync nounwind speculatable willreturn memory(none)
declare <2 x bfloat> @llvm.nvvm.ff2bf16x2.rn(float, float) #1

; Function Attrs: convergent nocallback nounwind memory(argmem: write)
declare void @llvm.nvvm.stmatrix.sync.aligned.m8n8.x4.b16.p3(ptr addrspace(3) writeonly captures(none), i32, i32, i32, i32) #8

; Function Attrs: nocallback nounwind
declare void @llvm.nvvm.fence.proxy.async.shared_cta() #4

; Function Attrs: convergent nocallback nofree nosync nounwind willreturn
declare void @llvm.nvvm.cp.async.bulk.tensor.s2g.tile.2d(ptr addrspace(3) readonly, ptr readonly, i32, i32, i64, i1 immarg) #5

; Function Attrs: nounwind
declare void @llvm.nvvm.cp.async.bulk.commit.group() #7

; Function Attrs: convergent nocallback nofree nosync nounwind willreturn
declare void @llvm.nvvm.setmaxnreg.dec.sync.aligned.u32(i32 immarg range(i32 24, 257)) #5

; Function Attrs: convergent nocallback nofree nosync nounwind willreturn memory(inaccessiblemem: readwrite)
declare { i32, i1 } @llvm.nvvm.elect.sync(i32) #9

; Function Attrs: convergent nocallback nounwind
declare i64 @llvm.nvvm.mbarrier.arrive.expect.tx.scope.cta.space.cta(ptr addrspace(3), i32) #3

; Function Attrs: convergent nocallback nofree nosync nounwind willreturn
declare void @llvm.nvvm.cp.async.bulk.tensor.g2s.tile.2d(ptr addrspace(7) writeonly, ptr addrspace(3), ptr readonly, i32, i32, i16, i64, i1 immarg, i1 immarg, i32 immarg range(i32 0, 3)) #5

attributes #0 = { "nvvm.cluster_dim"="2,1,1" "nvvm.maxntid"="384" "nvvm.minctasm"="1" }
attributes #1 = { nocallback nofree nosync nounwind speculatable willreturn memory(none) }
attributes #2 = { convergent nocallback nounwind memory(inaccessiblemem: readwrite) }
attributes #3 = { convergent nocallback nounwind }
attributes #4 = { nocallback nounwind }
attributes #5 = { convergent nocallback nofree nosync nounwind willreturn }
attributes #6 = { convergent nounwind }
attributes #7 = { nounwind }
attributes #8 = { convergent nocallback nounwind memory(argmem: write) }
attributes #9 = { convergent nocallback nofree nosync nounwind willreturn memory(inaccessiblemem: readwrite) }

!llvm.module.flags = !{!0}

!0 = !{i32 2, !"Debug Info Version", i32 3}
