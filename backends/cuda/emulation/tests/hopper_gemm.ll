; ModuleID = 'LLVMDialectModule'
source_filename = "LLVMDialectModule"
target triple = "nvptx64-nvidia-cuda"

@smem = external addrspace(3) global [0 x i8], align 1024

define ptx_kernel void @gemm(ptr byval([128 x i8]) align 64 "nvvm.grid_constant" %0, ptr byval([128 x i8]) align 64 "nvvm.grid_constant" %1, ptr byval([128 x i8]) align 64 "nvvm.grid_constant" %2, i32 %3, i32 %4, i32 %5) #0 {
  %7 = call i32 @llvm.nvvm.read.ptx.sreg.tid.x()
  %8 = call i32 @llvm.nvvm.read.ptx.sreg.ctaid.x()
  %9 = call i32 @llvm.nvvm.read.ptx.sreg.nctaid.x()
  %10 = lshr i32 %7, 7
  %11 = call i32 @llvm.nvvm.shfl.sync.idx.i32(i32 -1, i32 %10, i32 0, i32 31)
  %12 = add i32 %3, 127
  %13 = udiv i32 %12, 128
  %14 = add i32 %4, 63
  %15 = udiv i32 %14, 64
  %16 = add i32 %5, 63
  %17 = udiv i32 %16, 64
  %18 = mul i32 %13, %15
  %19 = mul i32 %15, 2
  %20 = icmp eq i32 %7, 0
  br i1 %20, label %21, label %22

21:                                               ; preds = %6
  call void @llvm.nvvm.mbarrier.init.shared(ptr addrspace(3) getelementptr (i8, ptr addrspace(3) @smem, i64 65536), i32 1)
  call void @llvm.nvvm.mbarrier.init.shared(ptr addrspace(3) getelementptr (i8, ptr addrspace(3) @smem, i64 65552), i32 2)
  call void @llvm.nvvm.mbarrier.init.shared(ptr addrspace(3) getelementptr (i8, ptr addrspace(3) @smem, i64 65544), i32 1)
  call void @llvm.nvvm.mbarrier.init.shared(ptr addrspace(3) getelementptr (i8, ptr addrspace(3) @smem, i64 65560), i32 2)
  call void @llvm.nvvm.fence.mbarrier_init.release.cluster()
  br label %22

22:                                               ; preds = %21, %6
  call void @llvm.nvvm.barrier.cta.sync.aligned.all(i32 0)
  %23 = icmp eq i32 %11, 0
  br i1 %23, label %24, label %78

24:                                               ; preds = %22
  call void @llvm.nvvm.setmaxnreg.dec.sync.aligned.u32(i32 40)
  %25 = icmp ult i32 %7, 32
  br i1 %25, label %26, label %320

26:                                               ; preds = %24
  %27 = call { i32, i1 } @llvm.nvvm.elect.sync(i32 -1)
  %28 = extractvalue { i32, i1 } %27, 1
  %29 = icmp ult i32 %8, %18
  %30 = and i1 %28, %29
  br i1 %30, label %31, label %320

31:                                               ; preds = %75, %26
  %32 = phi i32 [ %76, %75 ], [ %8, %26 ]
  %33 = phi i32 [ %70, %75 ], [ 0, %26 ]
  %34 = phi i32 [ %72, %75 ], [ 0, %26 ]
  %35 = udiv i32 %32, %19
  %36 = mul i32 %35, 2
  %37 = sub i32 %13, %36
  %38 = icmp ult i32 %37, 2
  %39 = select i1 %38, i32 %37, i32 2
  %40 = urem i32 %32, %19
  %41 = urem i32 %40, %39
  %42 = add i32 %36, %41
  %43 = udiv i32 %40, %39
  %44 = mul i32 %42, 128
  %45 = mul i32 %43, 64
  br label %46

46:                                               ; preds = %56, %31
  %47 = phi i32 [ %73, %56 ], [ 0, %31 ]
  %48 = phi i32 [ %70, %56 ], [ %33, %31 ]
  %49 = phi i32 [ %72, %56 ], [ %34, %31 ]
  %50 = xor i32 %49, 1
  %51 = mul i32 %48, 8
  %52 = add i32 %51, 65552
  %53 = getelementptr i8, ptr addrspace(3) @smem, i32 %52
  br label %54

54:                                               ; preds = %54, %46
  %55 = call i1 @llvm.nvvm.mbarrier.try.wait.parity.scope.cta.space.cta(ptr addrspace(3) %53, i32 %50)
  br i1 %55, label %56, label %54

56:                                               ; preds = %54
  %57 = mul i32 %48, 8
  %58 = add i32 %57, 65536
  %59 = getelementptr i8, ptr addrspace(3) @smem, i32 %58
  %60 = call i64 @llvm.nvvm.mbarrier.arrive.expect.tx.scope.cta.space.cta(ptr addrspace(3) %59, i32 24576)
  %61 = mul i32 %48, 24576
  %62 = getelementptr i8, ptr addrspace(3) @smem, i32 %61
  %63 = mul i32 %47, 64
  %64 = addrspacecast ptr addrspace(3) %62 to ptr addrspace(7)
  call void @llvm.nvvm.cp.async.bulk.tensor.g2s.tile.2d(ptr addrspace(7) %64, ptr addrspace(3) %59, ptr %0, i32 %63, i32 %44, i16 0, i64 0, i1 false, i1 false, i32 0)
  %65 = getelementptr i8, ptr addrspace(3) %62, i32 16384
  %66 = add i32 %45, 0
  %67 = addrspacecast ptr addrspace(3) %65 to ptr addrspace(7)
  call void @llvm.nvvm.cp.async.bulk.tensor.g2s.tile.2d(ptr addrspace(7) %67, ptr addrspace(3) %59, ptr %1, i32 %66, i32 %63, i16 0, i64 0, i1 false, i1 false, i32 0)
  %68 = add i32 %48, 1
  %69 = icmp eq i32 %68, 2
  %70 = select i1 %69, i32 0, i32 %68
  %71 = xor i32 %49, 1
  %72 = select i1 %69, i32 %71, i32 %49
  %73 = add i32 %47, 1
  %74 = icmp ult i32 %73, %17
  br i1 %74, label %46, label %75

75:                                               ; preds = %56
  %76 = add i32 %32, %9
  %77 = icmp ult i32 %76, %18
  br i1 %77, label %31, label %320

78:                                               ; preds = %22
  call void @llvm.nvvm.setmaxnreg.inc.sync.aligned.u32(i32 232)
  %79 = sub i32 %11, 1
  %80 = and i32 %7, 127
  %81 = and i32 %7, 31
  %82 = lshr i32 %80, 5
  %83 = icmp eq i32 %80, 0
  %84 = add i32 %79, 1
  %85 = shl i32 %82, 4
  %86 = and i32 %81, 15
  %87 = add i32 %85, %86
  %88 = shl i32 %87, 7
  %89 = lshr i32 %81, 4
  %90 = and i32 %81, 7
  %91 = mul i32 %79, 8192
  %92 = add i32 %91, 49152
  %93 = getelementptr i8, ptr addrspace(3) @smem, i32 %92
  %94 = add i32 %89, 0
  %95 = xor i32 %94, %90
  %96 = shl i32 %95, 4
  %97 = add i32 %88, %96
  %98 = add i32 %89, 2
  %99 = xor i32 %98, %90
  %100 = shl i32 %99, 4
  %101 = add i32 %88, %100
  %102 = add i32 %89, 4
  %103 = xor i32 %102, %90
  %104 = shl i32 %103, 4
  %105 = add i32 %88, %104
  %106 = add i32 %89, 6
  %107 = xor i32 %106, %90
  %108 = shl i32 %107, 4
  %109 = add i32 %88, %108
  %110 = mul i32 %79, 8192
  %111 = add i32 ptrtoint (ptr addrspace(3) @smem to i32), %110
  %112 = and i32 %111, 262143
  %113 = lshr i32 %112, 4
  %114 = and i32 add (i32 ptrtoint (ptr addrspace(3) @smem to i32), i32 16384), 262143
  %115 = lshr i32 %114, 4
  %116 = zext i32 %113 to i64
  %117 = or i64 %116, 4611686293305360384
  %118 = zext i32 %115 to i64
  %119 = or i64 %118, 4611686293338849280
  %120 = icmp ult i32 %80, 1
  %121 = icmp ult i32 %8, %18
  br i1 %121, label %122, label %320

122:                                              ; preds = %315, %78
  %123 = phi i32 [ %316, %315 ], [ %8, %78 ]
  %124 = phi i32 [ %193, %315 ], [ 0, %78 ]
  %125 = phi i32 [ %195, %315 ], [ 0, %78 ]
  %126 = udiv i32 %123, %19
  %127 = mul i32 %126, 2
  %128 = sub i32 %13, %127
  %129 = icmp ult i32 %128, 2
  %130 = select i1 %129, i32 %128, i32 2
  %131 = urem i32 %123, %19
  %132 = urem i32 %131, %130
  %133 = add i32 %127, %132
  %134 = udiv i32 %131, %130
  %135 = mul i32 %133, 128
  %136 = mul i32 %134, 64
  br label %137

137:                                              ; preds = %147, %122
  %138 = phi i32 [ %196, %147 ], [ 0, %122 ]
  %139 = phi i32 [ %193, %147 ], [ %124, %122 ]
  %140 = phi i32 [ %195, %147 ], [ %125, %122 ]
  %141 = phi { float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float } [ %186, %147 ], [ undef, %122 ]
  %142 = mul i32 %139, 8
  %143 = add i32 %142, 65536
  %144 = getelementptr i8, ptr addrspace(3) @smem, i32 %143
  br label %145

145:                                              ; preds = %145, %137
  %146 = call i1 @llvm.nvvm.mbarrier.try.wait.parity.scope.cta.space.cta(ptr addrspace(3) %144, i32 %140)
  br i1 %146, label %147, label %145

147:                                              ; preds = %145
  %148 = mul i32 %139, 1536
  %149 = zext i32 %148 to i64
  %150 = add i64 %117, %149
  %151 = add i64 %119, %149
  %152 = icmp ne i32 %138, 0
  %153 = zext i1 %152 to i32
  %154 = extractvalue { float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float } %141, 0
  %155 = extractvalue { float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float } %141, 1
  %156 = extractvalue { float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float } %141, 2
  %157 = extractvalue { float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float } %141, 3
  %158 = extractvalue { float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float } %141, 4
  %159 = extractvalue { float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float } %141, 5
  %160 = extractvalue { float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float } %141, 6
  %161 = extractvalue { float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float } %141, 7
  %162 = extractvalue { float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float } %141, 8
  %163 = extractvalue { float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float } %141, 9
  %164 = extractvalue { float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float } %141, 10
  %165 = extractvalue { float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float } %141, 11
  %166 = extractvalue { float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float } %141, 12
  %167 = extractvalue { float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float } %141, 13
  %168 = extractvalue { float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float } %141, 14
  %169 = extractvalue { float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float } %141, 15
  %170 = extractvalue { float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float } %141, 16
  %171 = extractvalue { float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float } %141, 17
  %172 = extractvalue { float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float } %141, 18
  %173 = extractvalue { float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float } %141, 19
  %174 = extractvalue { float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float } %141, 20
  %175 = extractvalue { float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float } %141, 21
  %176 = extractvalue { float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float } %141, 22
  %177 = extractvalue { float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float } %141, 23
  %178 = extractvalue { float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float } %141, 24
  %179 = extractvalue { float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float } %141, 25
  %180 = extractvalue { float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float } %141, 26
  %181 = extractvalue { float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float } %141, 27
  %182 = extractvalue { float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float } %141, 28
  %183 = extractvalue { float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float } %141, 29
  %184 = extractvalue { float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float } %141, 30
  %185 = extractvalue { float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float } %141, 31
  %186 = call { float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float } asm sideeffect "{ .reg .pred p; .reg .b64 a1,a2,a3,b1,b2,b3; wgmma.fence.sync.aligned; setp.ne.b32 p, $66, 0; add.s64 a1, $64, 2; add.s64 b1, $65, 128; add.s64 a2, $64, 4; add.s64 b2, $65, 256; add.s64 a3, $64, 6; add.s64 b3, $65, 384; wgmma.mma_async.sync.aligned.m64n64k16.f32.bf16.bf16 {$0,$1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13,$14,$15,$16,$17,$18,$19,$20,$21,$22,$23,$24,$25,$26,$27,$28,$29,$30,$31}, $64, $65, p, 1, 1, 0, 1; wgmma.mma_async.sync.aligned.m64n64k16.f32.bf16.bf16 {$0,$1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13,$14,$15,$16,$17,$18,$19,$20,$21,$22,$23,$24,$25,$26,$27,$28,$29,$30,$31}, a1, b1, 1, 1, 1, 0, 1; wgmma.mma_async.sync.aligned.m64n64k16.f32.bf16.bf16 {$0,$1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13,$14,$15,$16,$17,$18,$19,$20,$21,$22,$23,$24,$25,$26,$27,$28,$29,$30,$31}, a2, b2, 1, 1, 1, 0, 1; wgmma.mma_async.sync.aligned.m64n64k16.f32.bf16.bf16 {$0,$1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13,$14,$15,$16,$17,$18,$19,$20,$21,$22,$23,$24,$25,$26,$27,$28,$29,$30,$31}, a3, b3, 1, 1, 1, 0, 1; wgmma.commit_group.sync.aligned; }", "=f,=f,=f,=f,=f,=f,=f,=f,=f,=f,=f,=f,=f,=f,=f,=f,=f,=f,=f,=f,=f,=f,=f,=f,=f,=f,=f,=f,=f,=f,=f,=f,0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31,l,l,r"(float %154, float %155, float %156, float %157, float %158, float %159, float %160, float %161, float %162, float %163, float %164, float %165, float %166, float %167, float %168, float %169, float %170, float %171, float %172, float %173, float %174, float %175, float %176, float %177, float %178, float %179, float %180, float %181, float %182, float %183, float %184, float %185, i64 %150, i64 %151, i32 %153)
  call void @llvm.nvvm.wgmma.wait_group.sync.aligned(i64 1)
  %187 = icmp eq i32 %139, 0
  %188 = sub i32 %139, 1
  %189 = select i1 %187, i32 1, i32 %188
  %190 = icmp ne i32 %138, 0
  %191 = add i32 %139, 1
  %192 = icmp eq i32 %191, 2
  %193 = select i1 %192, i32 0, i32 %191
  %194 = xor i32 %140, 1
  %195 = select i1 %192, i32 %194, i32 %140
  %196 = add i32 %138, 1
  %197 = icmp ult i32 %196, %17
  %198 = and i1 %120, %190
  %199 = mul i32 %189, 8
  %200 = add i32 %199, 65552
  %201 = add i32 ptrtoint (ptr addrspace(3) @smem to i32), %200
  call void asm sideeffect "@$1 mbarrier.arrive.shared::cta.b64 _, [$0];", "r,b"(i32 %201, i1 %198)
  br i1 %197, label %137, label %202

202:                                              ; preds = %147
  %203 = extractvalue { float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float } %186, 0
  %204 = extractvalue { float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float } %186, 1
  %205 = extractvalue { float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float } %186, 2
  %206 = extractvalue { float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float } %186, 3
  %207 = extractvalue { float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float } %186, 4
  %208 = extractvalue { float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float } %186, 5
  %209 = extractvalue { float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float } %186, 6
  %210 = extractvalue { float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float } %186, 7
  %211 = extractvalue { float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float } %186, 8
  %212 = extractvalue { float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float } %186, 9
  %213 = extractvalue { float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float } %186, 10
  %214 = extractvalue { float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float } %186, 11
  %215 = extractvalue { float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float } %186, 12
  %216 = extractvalue { float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float } %186, 13
  %217 = extractvalue { float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float } %186, 14
  %218 = extractvalue { float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float } %186, 15
  %219 = extractvalue { float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float } %186, 16
  %220 = extractvalue { float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float } %186, 17
  %221 = extractvalue { float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float } %186, 18
  %222 = extractvalue { float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float } %186, 19
  %223 = extractvalue { float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float } %186, 20
  %224 = extractvalue { float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float } %186, 21
  %225 = extractvalue { float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float } %186, 22
  %226 = extractvalue { float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float } %186, 23
  %227 = extractvalue { float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float } %186, 24
  %228 = extractvalue { float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float } %186, 25
  %229 = extractvalue { float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float } %186, 26
  %230 = extractvalue { float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float } %186, 27
  %231 = extractvalue { float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float } %186, 28
  %232 = extractvalue { float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float } %186, 29
  %233 = extractvalue { float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float } %186, 30
  %234 = extractvalue { float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float } %186, 31
  %235 = call { float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float } asm sideeffect "wgmma.wait_group.sync.aligned 0;", "=f,=f,=f,=f,=f,=f,=f,=f,=f,=f,=f,=f,=f,=f,=f,=f,=f,=f,=f,=f,=f,=f,=f,=f,=f,=f,=f,=f,=f,=f,=f,=f,0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31"(float %203, float %204, float %205, float %206, float %207, float %208, float %209, float %210, float %211, float %212, float %213, float %214, float %215, float %216, float %217, float %218, float %219, float %220, float %221, float %222, float %223, float %224, float %225, float %226, float %227, float %228, float %229, float %230, float %231, float %232, float %233, float %234)
  %236 = mul i32 %139, 8
  %237 = add i32 %236, 65552
  %238 = add i32 ptrtoint (ptr addrspace(3) @smem to i32), %237
  call void asm sideeffect "@$1 mbarrier.arrive.shared::cta.b64 _, [$0];", "r,b"(i32 %238, i1 %120)
  %239 = mul i32 %79, 64
  %240 = add i32 %135, %239
  %241 = getelementptr i8, ptr addrspace(3) %93, i32 0
  br i1 %83, label %242, label %243

242:                                              ; preds = %202
  call void @llvm.nvvm.cp.async.bulk.wait.group.read(i32 0)
  br label %243

243:                                              ; preds = %242, %202
  call void @llvm.nvvm.barrier.cta.sync.aligned.count(i32 %84, i32 128)
  %244 = extractvalue { float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float } %235, 0
  %245 = extractvalue { float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float } %235, 1
  %246 = call <2 x bfloat> @llvm.nvvm.ff2bf16x2.rn(float %245, float %244)
  %247 = bitcast <2 x bfloat> %246 to i32
  %248 = extractvalue { float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float } %235, 2
  %249 = extractvalue { float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float } %235, 3
  %250 = call <2 x bfloat> @llvm.nvvm.ff2bf16x2.rn(float %249, float %248)
  %251 = bitcast <2 x bfloat> %250 to i32
  %252 = extractvalue { float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float } %235, 4
  %253 = extractvalue { float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float } %235, 5
  %254 = call <2 x bfloat> @llvm.nvvm.ff2bf16x2.rn(float %253, float %252)
  %255 = bitcast <2 x bfloat> %254 to i32
  %256 = extractvalue { float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float } %235, 6
  %257 = extractvalue { float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float } %235, 7
  %258 = call <2 x bfloat> @llvm.nvvm.ff2bf16x2.rn(float %257, float %256)
  %259 = bitcast <2 x bfloat> %258 to i32
  %260 = getelementptr i8, ptr addrspace(3) %241, i32 %97
  call void @llvm.nvvm.stmatrix.sync.aligned.m8n8.x4.b16.p3(ptr addrspace(3) %260, i32 %247, i32 %251, i32 %255, i32 %259)
  %261 = extractvalue { float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float } %235, 8
  %262 = extractvalue { float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float } %235, 9
  %263 = call <2 x bfloat> @llvm.nvvm.ff2bf16x2.rn(float %262, float %261)
  %264 = bitcast <2 x bfloat> %263 to i32
  %265 = extractvalue { float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float } %235, 10
  %266 = extractvalue { float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float } %235, 11
  %267 = call <2 x bfloat> @llvm.nvvm.ff2bf16x2.rn(float %266, float %265)
  %268 = bitcast <2 x bfloat> %267 to i32
  %269 = extractvalue { float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float } %235, 12
  %270 = extractvalue { float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float } %235, 13
  %271 = call <2 x bfloat> @llvm.nvvm.ff2bf16x2.rn(float %270, float %269)
  %272 = bitcast <2 x bfloat> %271 to i32
  %273 = extractvalue { float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float } %235, 14
  %274 = extractvalue { float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float } %235, 15
  %275 = call <2 x bfloat> @llvm.nvvm.ff2bf16x2.rn(float %274, float %273)
  %276 = bitcast <2 x bfloat> %275 to i32
  %277 = getelementptr i8, ptr addrspace(3) %241, i32 %101
  call void @llvm.nvvm.stmatrix.sync.aligned.m8n8.x4.b16.p3(ptr addrspace(3) %277, i32 %264, i32 %268, i32 %272, i32 %276)
  %278 = extractvalue { float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float } %235, 16
  %279 = extractvalue { float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float } %235, 17
  %280 = call <2 x bfloat> @llvm.nvvm.ff2bf16x2.rn(float %279, float %278)
  %281 = bitcast <2 x bfloat> %280 to i32
  %282 = extractvalue { float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float } %235, 18
  %283 = extractvalue { float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float } %235, 19
  %284 = call <2 x bfloat> @llvm.nvvm.ff2bf16x2.rn(float %283, float %282)
  %285 = bitcast <2 x bfloat> %284 to i32
  %286 = extractvalue { float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float } %235, 20
  %287 = extractvalue { float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float } %235, 21
  %288 = call <2 x bfloat> @llvm.nvvm.ff2bf16x2.rn(float %287, float %286)
  %289 = bitcast <2 x bfloat> %288 to i32
  %290 = extractvalue { float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float } %235, 22
  %291 = extractvalue { float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float } %235, 23
  %292 = call <2 x bfloat> @llvm.nvvm.ff2bf16x2.rn(float %291, float %290)
  %293 = bitcast <2 x bfloat> %292 to i32
  %294 = getelementptr i8, ptr addrspace(3) %241, i32 %105
  call void @llvm.nvvm.stmatrix.sync.aligned.m8n8.x4.b16.p3(ptr addrspace(3) %294, i32 %281, i32 %285, i32 %289, i32 %293)
  %295 = extractvalue { float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float } %235, 24
  %296 = extractvalue { float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float } %235, 25
  %297 = call <2 x bfloat> @llvm.nvvm.ff2bf16x2.rn(float %296, float %295)
  %298 = bitcast <2 x bfloat> %297 to i32
  %299 = extractvalue { float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float } %235, 26
  %300 = extractvalue { float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float } %235, 27
  %301 = call <2 x bfloat> @llvm.nvvm.ff2bf16x2.rn(float %300, float %299)
  %302 = bitcast <2 x bfloat> %301 to i32
  %303 = extractvalue { float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float } %235, 28
  %304 = extractvalue { float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float } %235, 29
  %305 = call <2 x bfloat> @llvm.nvvm.ff2bf16x2.rn(float %304, float %303)
  %306 = bitcast <2 x bfloat> %305 to i32
  %307 = extractvalue { float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float } %235, 30
  %308 = extractvalue { float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float, float } %235, 31
  %309 = call <2 x bfloat> @llvm.nvvm.ff2bf16x2.rn(float %308, float %307)
  %310 = bitcast <2 x bfloat> %309 to i32
  %311 = getelementptr i8, ptr addrspace(3) %241, i32 %109
  call void @llvm.nvvm.stmatrix.sync.aligned.m8n8.x4.b16.p3(ptr addrspace(3) %311, i32 %298, i32 %302, i32 %306, i32 %310)
  call void @llvm.nvvm.fence.proxy.async.shared_cta()
  call void @llvm.nvvm.barrier.cta.sync.aligned.count(i32 %84, i32 128)
  br i1 %83, label %312, label %315

312:                                              ; preds = %243
  %313 = getelementptr i8, ptr addrspace(3) %93, i32 0
  %314 = add i32 %136, 0
  call void @llvm.nvvm.cp.async.bulk.tensor.s2g.tile.2d(ptr addrspace(3) %313, ptr %2, i32 %314, i32 %240, i64 0, i1 false)
  call void @llvm.nvvm.cp.async.bulk.commit.group()
  br label %315

315:                                              ; preds = %312, %243
  %316 = add i32 %123, %9
  %317 = icmp ult i32 %316, %18
  br i1 %317, label %122, label %318

318:                                              ; preds = %315
  br i1 %83, label %319, label %320

319:                                              ; preds = %318
  call void @llvm.nvvm.cp.async.bulk.wait.group.read(i32 0)
  br label %320

320:                                              ; preds = %75, %26, %24, %319, %318, %78
  ret void
}

; Function Attrs: nocallback nofree nosync nounwind speculatable willreturn memory(none)
declare noundef range(i32 0, 1024) i32 @llvm.nvvm.read.ptx.sreg.tid.x() #1

; Function Attrs: nocallback nofree nosync nounwind speculatable willreturn memory(none)
declare noundef range(i32 0, 2147483647) i32 @llvm.nvvm.read.ptx.sreg.ctaid.x() #1

; Function Attrs: nocallback nofree nosync nounwind speculatable willreturn memory(none)
declare noundef range(i32 1, -2147483648) i32 @llvm.nvvm.read.ptx.sreg.nctaid.x() #1

; Function Attrs: convergent nocallback nounwind memory(inaccessiblemem: readwrite)
declare i32 @llvm.nvvm.shfl.sync.idx.i32(i32, i32, i32, i32) #2

; Function Attrs: convergent nocallback nounwind
declare void @llvm.nvvm.mbarrier.init.shared(ptr addrspace(3), i32) #3

; Function Attrs: nocallback nounwind
declare void @llvm.nvvm.fence.mbarrier_init.release.cluster() #4

; Function Attrs: convergent nocallback nounwind
declare void @llvm.nvvm.barrier.cta.sync.aligned.all(i32) #3

; Function Attrs: convergent nocallback nofree nosync nounwind willreturn
declare void @llvm.nvvm.setmaxnreg.inc.sync.aligned.u32(i32 immarg range(i32 24, 257)) #5

; Function Attrs: convergent nocallback nounwind
declare i1 @llvm.nvvm.mbarrier.try.wait.parity.scope.cta.space.cta(ptr addrspace(3) captures(none), i32) #3

; Function Attrs: convergent nounwind
declare void @llvm.nvvm.wgmma.wait_group.sync.aligned(i64 immarg) #6

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

attributes #0 = { "nvvm.maxntid"="384" "nvvm.minctasm"="1" }
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
