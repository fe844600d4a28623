//===- cuda/compiler/Plugin.cpp - the compiler half's table ----------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "pantile/plugin.h"
#include "backends/common/Message.h"
#include "backends/cuda/compiler/Compile.h"
#include "backends/cuda/emulation/Dialect.h"
#include "backends/emulator/Interface.h"
#include "core/Sanitizer.h"

#include <cstring>
#include <new>

using namespace pantile;
using namespace pantile::cuda;

namespace {

struct OwnedText : pantile_text {
  std::string owned;
};

pantile_text *makeText(std::string text) {
  auto *result = new OwnedText{{}, std::move(text)};
  result->struct_size = sizeof(pantile_text);
  result->text = result->owned.c_str();
  result->size = result->owned.size();
  result->release = [](pantile_text *released) { delete static_cast<OwnedText *>(released); };
  return result;
}

int32_t listTargets(pantile_text **targets, pantile_message **) {
  *targets = makeText(targetsAsJson());
  return PANTILE_OK;
}

int32_t describeTarget(const char *target, pantile_text **description, pantile_message **error) {
  auto parsed = parseTarget(target);
  if (!parsed) return report(parsed.status(), error);
  *description = makeText(targetAsJson(*parsed));
  return PANTILE_OK;
}

int32_t space(const pantile_compile_request *request, pantile_space **result, pantile_message **error) {
  auto parsed = CompileRequest::fromABI(*request);
  if (!parsed) return report(parsed.status(), error);
  auto description = kernelSpace(*parsed);
  if (!description) return report(description.status(), error);
  *result = description->toABI();
  return PANTILE_OK;
}

int32_t compile(const pantile_compile_request *request, pantile_artifact **result, pantile_message **error) {
  auto parsed = CompileRequest::fromABI(*request);
  if (!parsed) return report(parsed.status(), error);
  auto artifact = compileKernel(*parsed, request->final_stage ? request->final_stage : "");
  if (!artifact) return report(artifact.status(), error);
  *result = artifact->toABI();
  return PANTILE_OK;
}

int32_t inspect(const pantile_compile_request *request, const char *stage, pantile_text **text, pantile_message **error) {
  auto parsed = CompileRequest::fromABI(*request);
  if (!parsed) return report(parsed.status(), error);
  auto result = inspectKernel(*parsed, stage ? stage : "");
  if (!result) return report(result.status(), error);
  *text = makeText(*std::move(result));
  return PANTILE_OK;
}

const pantile_compiler_interface kCompiler = {sizeof(pantile_compiler_interface), 0, listTargets, describeTarget, space, compile, inspect};

const void *queryInterface(const pantile_plugin *, const char *name) {
  if (std::strcmp(name, PANTILE_INTERFACE_EMULATOR) == 0) return &emulator::kEmulator<emulation::dialect>;
  return std::strcmp(name, PANTILE_INTERFACE_COMPILER) == 0 ? &kCompiler : nullptr;
}

/// Changes whenever generated code may: raise the number with every change of lowering or codegen.
const pantile_plugin kPlugin = {sizeof(pantile_plugin), PANTILE_ABI_MAJOR, PANTILE_ABI_MINOR, "cuda", "cuda-1 llvm-22", kSanitizer, {},
                                queryInterface};

} // namespace

extern "C" __attribute__((visibility("default"))) const pantile_plugin *pantile_plugin_query(const pantile_host *, uint32_t maxAbi) {
  return maxAbi >> 16 == PANTILE_ABI_MAJOR ? &kPlugin : nullptr;
}
