//===- cpu/compiler/codegen/tests/ObjectEmitterTest.cpp -------------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "backends/cpu/compiler/codegen/tests/Compiled.h"

#include <gtest/gtest.h>

#include <thread>

using namespace llvm;

namespace pantile::cpu {

namespace {

std::vector<Type *> onePointer(LLVMContext &c) { return {PointerType::get(c, 0)}; }

CpuTarget baseline() { return *parseTarget("x86_64"); }

TEST(Target, ParsesNamesAndProperties) {
  auto target = parseTarget("x86_64_v4_bf16:units=2,l1=49152,l2=1048576,l3=33554432");
  ASSERT_TRUE(target.isOk()) << target.status().message();
  EXPECT_EQ(target->units, 2);
  EXPECT_EQ(target->l1Bytes, 49152);
  EXPECT_EQ(target->l3Bytes, 33554432);
  EXPECT_EQ(target->lanes(32), 16u);
  EXPECT_TRUE(target->hasBF16Dot && target->hasInt8Dot);
  EXPECT_NE(targetAsJson(*target).find("\"l1_bytes\":49152"), std::string::npos);
  EXPECT_NE(targetsAsJson().find("\"name\":\"aarch64\""), std::string::npos);
}

TEST(Target, NamesWhatIsWrong) {
  auto unknown = parseTarget("z80");
  ASSERT_FALSE(unknown.isOk());
  EXPECT_NE(unknown.status().message().find("z80"), std::string::npos);
  EXPECT_NE(unknown.status().message().find("x86_64_v3"), std::string::npos);
  for (const char *text : {"x86_64:cores=2", "x86_64:units=0", "x86_64:units=two", "x86_64:units", "x86_64:l1=", "x86_64:units=2,"})
    EXPECT_FALSE(parseTarget(text).isOk()) << text;
}

TEST(ObjectEmitter, UndefinedSymbolIsNamed) {
  Compiled compiled(baseline(), onePointer, [](IRBuilder<> &b, Function *f) {
    Value *x = b.CreateAlignedLoad(FixedVectorType::get(b.getFloatTy(), 4), f->getArg(0), Align(4));
    b.CreateAlignedStore(b.CreateUnaryIntrinsic(Intrinsic::exp, x), f->getArg(0), Align(4));
  });
  auto library = compiled.library();
  ASSERT_FALSE(library.isOk());
  EXPECT_EQ(library.status().code(), PANTILE_COMPILE_ERROR);
  EXPECT_NE(library.status().text().find("expf"), std::string::npos) << library.status().message();
}

TEST(ObjectEmitter, MissingEntryIsNamed) {
  Compiled compiled(baseline(), onePointer, [](IRBuilder<> &, Function *) {});
  auto object = emitObject(*compiled.module, compiled.target);
  ASSERT_TRUE(object.isOk()) << object.status().message();
  auto library = linkSharedObject(*object, {"entry", "absent"});
  ASSERT_FALSE(library.isOk());
  EXPECT_NE(library.status().text().find("absent"), std::string::npos) << library.status().message();
  // And a failure spoils nothing.
  EXPECT_TRUE(linkSharedObject(*object, {"entry"}).isOk());
}

TEST(ObjectEmitter, MalformedIRIsAnError) {
  Compiled compiled(baseline(), onePointer, [](IRBuilder<> &b, Function *) { b.CreateRetVoid(); });
  auto object = emitObject(*compiled.module, compiled.target);
  ASSERT_FALSE(object.isOk());
  EXPECT_EQ(object.status().code(), PANTILE_INTERNAL);
}

TEST(ObjectEmitter, ExportsEntriesOnly) {
  Compiled compiled(baseline(), onePointer, [](IRBuilder<> &b, Function *f) {
    auto *other = Function::Create(f->getFunctionType(), Function::ExternalLinkage, "other", *f->getParent());
    IRBuilder<> inner(BasicBlock::Create(b.getContext(), "entry", other));
    inner.CreateAlignedStore(inner.getInt32(7), other->getArg(0), Align(4));
    inner.CreateRetVoid();
    b.CreateCall(other, {f->getArg(0)});
  });
  auto bytes = compiled.library();
  ASSERT_TRUE(bytes.isOk()) << bytes.status().message();
  auto object = LoadedObject::load(*bytes);
  ASSERT_TRUE(object.isOk()) << object.status().message();
  EXPECT_EQ(object->symbol("other"), nullptr);
  int value = 0;
  object->function<void(int *)>("entry")(&value);
  EXPECT_EQ(value, 7);
}

TEST(ObjectEmitter, ManyThreads) {
  std::vector<std::thread> threads;
  std::atomic<int> right = 0;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&, t] {
      for (int i = 0; i < 4; ++i) {
        Compiled compiled(baseline(), onePointer,
                          [&](IRBuilder<> &b, Function *f) { b.CreateAlignedStore(b.getInt32(t * 100 + i), f->getArg(0), Align(4)); });
        int value = -1;
        if (auto *entry = compiled.load<void(int *)>()) entry(&value);
        right += value == t * 100 + i;
      }
    });
  for (std::thread &thread : threads) thread.join();
  EXPECT_EQ(right, 16);
}

} // namespace
} // namespace pantile::cpu
