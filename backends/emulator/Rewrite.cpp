//===- emulator/Rewrite.cpp -----------------------------------------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "backends/emulator/Rewrite.h"

#include "backends/emulator/Operands.h"

#include <fmt/format.h>
#include <llvm/IR/Constants.h>
#include <llvm/IR/DebugInfoMetadata.h>
#include <llvm/IR/IRBuilder.h>
#include <llvm/IR/InlineAsm.h>
#include <llvm/IR/InstIterator.h>
#include <llvm/IR/IntrinsicInst.h>
#include <llvm/IR/ModuleSlotTracker.h>
#include <llvm/IR/ReplaceConstant.h>
#include <llvm/IR/Verifier.h>
#include <llvm/TargetParser/Triple.h>

using namespace llvm;

namespace pantile::emulator {

namespace {

constexpr size_t kSiteText = 200;

class Rewriter {
public:
  Rewriter(Module &module, const Dialect &dialect, uint64_t traits, const llvm::DataLayout &layout)
      : module(module), dialect(dialect), traits(traits), layout(layout), context(module.getContext()), slots(&module),
        i64(Type::getInt64Ty(context)), pointer(PointerType::get(context, 0)) {}

  pantile::Expected<Rewritten> run(const std::string &triple) {
    PANTILE_RETURN_IF_ERROR(collectKernels());
    for (Function &function : module)
      if (!function.isDeclaration()) {
        slots.incorporateFunction(function);
        makeSites(function);
      }
    module.setTargetTriple(Triple(triple));
    module.setDataLayout(layout);
    placeShared();
    for (Function &function : module)
      if (!function.isDeclaration()) PANTILE_RETURN_IF_ERROR(rewriteFunction(function));
    collectGlobals();
    makeTrampolines();
    dropWhatIsUnused();
    std::string problem;
    raw_string_ostream stream(problem);
    if (verifyModule(module, &stream))
      return pantile::Status(PANTILE_INTERNAL, "the emulator made a module that does not verify").withCause(problem);
    return std::move(result);
  }

private:
  pantile::Status collectKernels();
  void makeSites(Function &function);
  void placeShared();
  pantile::Status rewriteFunction(Function &function);
  pantile::Status rewriteInstruction(Instruction *instruction);
  pantile::Status rewriteCall(CallInst *call);
  void emulate(CallInst *call, Site *site, Emulation how);
  Value *hostAddress(IRBuilder<> &builder, Site *site, Value *address, Value *count, Site::Kind kind, Align align, bool ordered);
  bool isOwnStack(Value *address, TypeSize bytes) const;
  void rewriteCast(AddrSpaceCastInst *cast);
  void collectGlobals();
  void makeTrampolines();
  void dropWhatIsUnused();

  Space spaceOf(Value *value) const { return dialect.space(value->getType()->getPointerAddressSpace()); }
  Constant *siteConstant(Site *site) {
    return ConstantExpr::getIntToPtr(ConstantInt::get(i64, reinterpret_cast<uintptr_t>(site)), pointer);
  }
  Site *siteOf(Instruction *instruction) {
    auto found = sites.find(instruction);
    return found == sites.end() ? nullptr : found->second;
  }
  pantile::Status unknown(CallInst *call, const char *what, const std::string &name) {
    Site *site = siteOf(call);
    return pantile::Status(PANTILE_UNSUPPORTED, fmt::format("the emulator knows no {} '{}'", what, name))
        .withCause(site ? "`" + site->text + "`" + (site->location.empty() ? "" : " (" + site->location + ")") : "")
        .withFix("add a row to the table in the backend's folder emulation/");
  }

  Module &module;
  const Dialect &dialect;
  const uint64_t traits;
  const llvm::DataLayout &layout;
  LLVMContext &context;
  ModuleSlotTracker slots;
  Type *i64;
  PointerType *pointer;
  DenseMap<Instruction *, Site *> sites;
  std::vector<Function *> kernels;
  DenseMap<GlobalVariable *, uint32_t> shared;
  AllocaInst *pack = nullptr; ///< operands of all emulated calls of the function, which do not overlap
  uint64_t packWords = 0;
  Rewritten result;
};

pantile::Status Rewriter::collectKernels() {
  for (Function &function : module) {
    if (function.isDeclaration() || function.hasLocalLinkage() || !function.getReturnType()->isVoidTy()) continue;
    KernelInfo kernel;
    kernel.name = function.getName().str();
    for (Argument &argument : function.args()) {
      Type *type = argument.hasByValAttr() ? argument.getParamByValType() : argument.getType();
      kernel.parameters.push_back({uint32_t(module.getDataLayout().getTypeAllocSize(type)), argument.hasByValAttr()});
    }
    for (Attribute attribute : function.getAttributes().getFnAttrs())
      if (attribute.isStringAttribute())
        kernel.attributes.push_back({attribute.getKindAsString().str(), attribute.getValueAsString().str()});
    PANTILE_RETURN_IF_ERROR(dialect.describeKernel(kernel));
    kernels.push_back(&function);
    result.kernels.push_back(std::move(kernel));
  }
  if (kernels.empty()) return {PANTILE_INVALID_ARGUMENT, "the module has no kernel"};
  return {};
}

void Rewriter::makeSites(Function &function) {
  for (Instruction &instruction : instructions(function)) {
    if (!isa<LoadInst, StoreInst, AtomicRMWInst, AtomicCmpXchgInst, CallInst>(instruction)) continue;
    auto site = std::make_unique<Site>();
    raw_string_ostream stream(site->text);
    instruction.print(stream, slots, true);
    stream.flush();
    if (size_t start = site->text.find_first_not_of(' '); start != std::string::npos) site->text.erase(0, start);
    if (size_t debug = site->text.find(", !dbg"); debug != std::string::npos) site->text.resize(debug);
    if (site->text.size() > kSiteText) site->text = site->text.substr(0, kSiteText) + " ...";
    for (char &c : site->text)
      if (c == '\n') c = ' ';
    if (const DebugLoc &location = instruction.getDebugLoc())
      if (auto *scope = dyn_cast_or_null<DIScope>(location.getScope()))
        site->location = fmt::format("{}:{}", scope->getFilename().str(), location.getLine());
    sites[&instruction] = site.get();
    result.sites.push_back(std::move(site));
  }
}

//===----------------------------------------------------------------------===//
// 1. Shared variables
//===----------------------------------------------------------------------===//

void Rewriter::placeShared() {
  uint64_t end = SharedMemory::kFirst;
  std::vector<Constant *> variables;
  std::vector<GlobalVariable *> dynamic;
  for (GlobalVariable &variable : module.globals()) {
    if (dialect.space(variable.getAddressSpace()) != Space::Shared) continue;
    variables.push_back(&variable);
    const uint64_t bytes = layout.getTypeAllocSize(variable.getValueType());
    if (bytes == 0 || variable.isDeclaration()) {
      dynamic.push_back(&variable);
      continue;
    }
    end = alignTo(end, variable.getAlign().valueOrOne());
    shared[&variable] = uint32_t(end);
    end += bytes;
  }
  result.staticShared = uint32_t(end - SharedMemory::kFirst);
  end = alignTo(end, 16);
  for (GlobalVariable *variable : dynamic) end = alignTo(end, variable->getAlign().valueOrOne());
  for (GlobalVariable *variable : dynamic) shared[variable] = uint32_t(end); // all of them are one
  result.dynamicShared = uint32_t(end);
  convertUsersOfConstantsToInstructions(variables);
}

//===----------------------------------------------------------------------===//
// 2. Memory
//===----------------------------------------------------------------------===//

bool Rewriter::isOwnStack(Value *address, TypeSize bytes) const {
  APInt offset(layout.getIndexTypeSizeInBits(address->getType()), 0);
  auto *slot = dyn_cast<AllocaInst>(address->stripAndAccumulateConstantOffsets(layout, offset, true));
  if (!slot || offset.isNegative()) return false;
  auto size = slot->getAllocationSize(layout);
  return size && !size->isScalable() && offset.getZExtValue() + bytes <= size->getFixedValue();
}

Value *Rewriter::hostAddress(IRBuilder<> &builder, Site *site, Value *address, Value *count, Site::Kind kind, Align align, bool ordered) {
  const Space space = spaceOf(address);
  site->kind = kind;
  site->alignment = uint32_t(align.value());
  site->ordered = ordered;
  const char *name = space == Space::Shared    ? "pantile_emulator_access_shared"
                     : space == Space::Generic ? "pantile_emulator_access"
                                               : "pantile_emulator_access_global";
  FunctionCallee access = module.getOrInsertFunction(name, pointer, pointer, i64, i64);
  return builder.CreateCall(access, {siteConstant(site), builder.CreatePtrToInt(address, i64), count});
}

//===----------------------------------------------------------------------===//
// 3. Casts
//===----------------------------------------------------------------------===//

void Rewriter::rewriteCast(AddrSpaceCastInst *cast) {
  IRBuilder<> builder(cast);
  Value *from = cast->getPointerOperand();
  const bool wasShared = spaceOf(from) == Space::Shared, isShared = spaceOf(cast) == Space::Shared;
  Value *word = builder.CreatePtrToInt(from, i64);
  if (wasShared != isShared) {
    // Null stays null.
    Value *window = ConstantInt::get(i64, kSharedWindow);
    Value *moved = wasShared ? builder.CreateAdd(word, window) : builder.CreateSub(word, window);
    word = builder.CreateSelect(builder.CreateICmpEQ(word, ConstantInt::get(i64, 0)), word, moved);
  }
  Value *to = builder.CreateIntToPtr(word, cast->getType());
  to->takeName(cast);
  cast->replaceAllUsesWith(to);
  cast->eraseFromParent();
}

//===----------------------------------------------------------------------===//
// 4. Calls
//===----------------------------------------------------------------------===//

void Rewriter::emulate(CallInst *call, Site *site, Emulation how) {
  site->run = how.run;
  site->data = how.data;
  if (how.keep) result.emulations.push_back(std::move(how));
  IRBuilder<> builder(call);
  std::vector<Value *> words;
  for (Value *argument : call->args())
    if (!argument->getType()->isMetadataTy()) flattenOperand(builder, layout, argument, words);
  const size_t outputs = wordsOfType(layout, call->getType());
  packWords = std::max<uint64_t>(packWords, words.size() + outputs);
  auto word = [&](size_t i) { return builder.CreateConstInBoundsGEP1_64(i64, pack, i); };
  for (size_t i = 0; i < words.size(); ++i) builder.CreateStore(words[i], word(i));
  FunctionCallee run = module.getOrInsertFunction("pantile_emulator_call", Type::getVoidTy(context), pointer, pointer, pointer);
  builder.CreateCall(run, {siteConstant(site), pack, word(words.size())});
  if (!call->getType()->isVoidTy()) {
    std::vector<Value *> results;
    for (size_t i = 0; i < outputs; ++i) results.push_back(builder.CreateLoad(i64, word(words.size() + i)));
    size_t next = 0;
    Value *value = assembleResult(builder, layout, call->getType(), results, next);
    value->takeName(call);
    call->replaceAllUsesWith(value);
  }
  call->eraseFromParent();
}

pantile::Status Rewriter::rewriteCall(CallInst *call) {
  Site *site = siteOf(call);
  if (auto *assembly = dyn_cast<InlineAsm>(call->getCalledOperand())) {
    auto how = dialect.assembly(assembly->getAsmString(), assembly->getConstraintString(), traits);
    if (!how) return pantile::Status(how.status()).withCause("`" + site->text + "`");
    emulate(call, site, *std::move(how));
    return {};
  }
  Function *callee = call->getCalledFunction();
  if (!callee) return {PANTILE_UNSUPPORTED, "the emulator cannot follow a call through a pointer"};
  if (!callee->isDeclaration()) {
    call->setCallingConv(CallingConv::C);
    return {};
  }
  const std::string name = callee->getName().str();
  if (auto how = dialect.function(name)) {
    emulate(call, site, *std::move(how));
    return {};
  }
  if (isa<DbgInfoIntrinsic, AssumeInst, LifetimeIntrinsic>(call) || callee->getIntrinsicID() == Intrinsic::prefetch ||
      callee->getIntrinsicID() == Intrinsic::experimental_noalias_scope_decl || callee->getIntrinsicID() == Intrinsic::invariant_start ||
      callee->getIntrinsicID() == Intrinsic::invariant_end) {
    if (!call->getType()->isVoidTy()) call->replaceAllUsesWith(PoisonValue::get(call->getType()));
    call->eraseFromParent();
    return {};
  }
  if (auto *copy = dyn_cast<MemIntrinsic>(call)) {
    IRBuilder<> builder(copy);
    Value *count = builder.CreateZExtOrTrunc(copy->getLength(), i64);
    Value *to = hostAddress(builder, site, copy->getRawDest(), count, Site::Kind::Store, Align(1), false);
    if (auto *set = dyn_cast<MemSetInst>(copy)) {
      builder.CreateMemSet(to, set->getValue(), count, MaybeAlign());
    } else {
      auto source = std::make_unique<Site>(*site);
      Value *from =
          hostAddress(builder, source.get(), cast<MemTransferInst>(copy)->getRawSource(), count, Site::Kind::Load, Align(1), false);
      result.sites.push_back(std::move(source));
      builder.CreateMemMove(to, MaybeAlign(), from, MaybeAlign(), count);
    }
    copy->eraseFromParent();
    return {};
  }
  if (!callee->isIntrinsic()) return unknown(call, "function", name);
  if (Intrinsic::isTargetIntrinsic(callee->getIntrinsicID()) || callee->getIntrinsicID() == Intrinsic::not_intrinsic)
    return unknown(call, "intrinsic", name);
  return {};
}

pantile::Status Rewriter::rewriteInstruction(Instruction *instruction) {
  if (auto *cast = dyn_cast<AddrSpaceCastInst>(instruction)) {
    rewriteCast(cast);
    return {};
  }
  if (auto *call = dyn_cast<CallInst>(instruction)) return rewriteCall(call);
  Site *site = siteOf(instruction);
  auto *load = dyn_cast<LoadInst>(instruction);
  auto *store = dyn_cast<StoreInst>(instruction);
  auto *change = dyn_cast<AtomicRMWInst>(instruction);
  auto *exchange = dyn_cast<AtomicCmpXchgInst>(instruction);
  if (auto *fence = dyn_cast<FenceInst>(instruction)) fence->setSyncScopeID(SyncScope::System);
  if (!load && !store && !change && !exchange) return {};
  Value *address = load     ? load->getPointerOperand()
                   : store  ? store->getPointerOperand()
                   : change ? change->getPointerOperand()
                            : exchange->getPointerOperand();
  Type *type = load     ? load->getType()
               : store  ? store->getValueOperand()->getType()
               : change ? change->getType()
                        : exchange->getNewValOperand()->getType();
  const Align align = load ? load->getAlign() : store ? store->getAlign() : change ? change->getAlign() : exchange->getAlign();
  const bool atomic = change || exchange, ordered = atomic || (load && (load->isVolatile() || load->isAtomic())) ||
                                                    (store && (store->isVolatile() || store->isAtomic()));
  const TypeSize bytes = layout.getTypeStoreSize(type);
  if (spaceOf(address) == Space::Private || isOwnStack(address, bytes)) return {};
  IRBuilder<> builder(instruction);
  Value *host = hostAddress(builder, site, address, ConstantInt::get(i64, bytes.getFixedValue()),
                            load    ? Site::Kind::Load
                            : store ? Site::Kind::Store
                                    : Site::Kind::Atomic,
                            align, ordered);
  instruction->setOperand(load     ? LoadInst::getPointerOperandIndex()
                          : store  ? StoreInst::getPointerOperandIndex()
                          : change ? AtomicRMWInst::getPointerOperandIndex()
                                   : AtomicCmpXchgInst::getPointerOperandIndex(),
                          host);
  if (load) load->setVolatile(false), load->setSyncScopeID(SyncScope::System);
  if (store) store->setVolatile(false), store->setSyncScopeID(SyncScope::System);
  if (change) change->setVolatile(false), change->setSyncScopeID(SyncScope::System);
  if (exchange) exchange->setVolatile(false), exchange->setSyncScopeID(SyncScope::System);
  instruction->dropUnknownNonDebugMetadata();
  return {};
}

pantile::Status Rewriter::rewriteFunction(Function &function) {
  IRBuilder<> builder(&*function.getEntryBlock().getFirstInsertionPt());
  pack = builder.CreateAlloca(i64, ConstantInt::get(i64, 1));
  pack->setAlignment(Align(16));
  packWords = 0;
  for (auto [variable, offset] : shared) {
    Value *address = nullptr;
    for (Use &use : llvm::make_early_inc_range(variable->uses())) {
      auto *user = dyn_cast<Instruction>(use.getUser());
      if (!user || user->getFunction() != &function) continue;
      if (!address) {
        FunctionCallee place = module.getOrInsertFunction("pantile_emulator_shared_address", i64, i64);
        address = builder.CreateIntToPtr(builder.CreateCall(place, ConstantInt::get(i64, offset)), variable->getType());
      }
      use.set(address);
    }
  }
  std::vector<Instruction *> all;
  for (Instruction &instruction : instructions(function))
    if (&instruction != pack) all.push_back(&instruction);
  for (Instruction *instruction : all) {
    auto *call = dyn_cast<CallInst>(instruction);
    if (call && call->getCalledFunction() && call->getCalledFunction()->getName() == "pantile_emulator_shared_address") continue;
    PANTILE_RETURN_IF_ERROR(rewriteInstruction(instruction));
  }
  if (packWords)
    pack->setOperand(0, ConstantInt::get(i64, packWords));
  else
    pack->eraseFromParent();
  function.setCallingConv(CallingConv::C);
  function.setAttributes(AttributeList::get(context, AttributeList::FunctionIndex, AttrBuilder(context).addAttribute(Attribute::NoUnwind)));
  function.setLinkage(GlobalValue::InternalLinkage);
  function.setComdat(nullptr);
  return {};
}

//===----------------------------------------------------------------------===//
// 5. Globals and entries
//===----------------------------------------------------------------------===//

void Rewriter::collectGlobals() {
  for (GlobalVariable &variable : module.globals()) {
    if (shared.count(&variable) || variable.getName().starts_with("llvm.") || variable.isDeclaration()) continue;
    const std::string symbol = fmt::format("pantile.global.{}", result.globals.size());
    variable.setName(symbol);
    variable.setLinkage(GlobalValue::ExternalLinkage);
    variable.setVisibility(GlobalValue::DefaultVisibility);
    result.globals.push_back({symbol, layout.getTypeAllocSize(variable.getValueType()), !variable.isConstant()});
  }
}

void Rewriter::makeTrampolines() {
  for (size_t k = 0; k < kernels.size(); ++k) {
    Function *kernel = kernels[k];
    auto *type = FunctionType::get(Type::getVoidTy(context), {pointer}, false);
    auto *entry = Function::Create(type, GlobalValue::ExternalLinkage, fmt::format("pantile.entry.{}", k), module);
    IRBuilder<> builder(BasicBlock::Create(context, "", entry));
    std::vector<Value *> arguments;
    for (size_t p = 0; p < result.kernels[k].parameters.size(); ++p) {
      Type *wanted = kernel->getFunctionType()->getParamType(unsigned(p));
      Value *place = builder.CreateLoad(pointer, builder.CreateConstInBoundsGEP1_64(pointer, entry->getArg(0), p));
      if (result.kernels[k].parameters[p].byValue)
        arguments.push_back(builder.CreateAddrSpaceCast(place, wanted));
      else
        arguments.push_back(builder.CreateAlignedLoad(wanted, place, Align(1)));
    }
    builder.CreateCall(kernel, arguments);
    builder.CreateRetVoid();
  }
}

void Rewriter::dropWhatIsUnused() {
  for (const char *name : {"llvm.used", "llvm.compiler.used"})
    if (GlobalVariable *list = module.getGlobalVariable(name, true)) list->eraseFromParent();
  for (auto [variable, offset] : shared)
    if (variable->use_empty()) variable->eraseFromParent();
  for (Function &function : llvm::make_early_inc_range(module))
    if (function.isDeclaration() && function.use_empty()) function.eraseFromParent();
  while (!module.named_metadata_empty()) module.eraseNamedMetadata(&*module.named_metadata_begin());
}

} // namespace

pantile::Expected<Rewritten> rewrite(Module &module, const Dialect &dialect, uint64_t traits, const std::string &triple,
                                     const llvm::DataLayout &layout) {
  return Rewriter(module, dialect, traits, layout).run(triple);
}

} // namespace pantile::emulator
