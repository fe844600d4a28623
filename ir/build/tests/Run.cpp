//===- ir/build/tests/Run.cpp - library kernels through the interpreter ---===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "ir/build/tests/Tensor.h"

#include "core/KernelText.h"
#include "ir/build/Library.h"
#include "ir/dialect/Parse.h"
#include "ir/interpret/Interpret.h"

#include <bit>
#include <gtest/gtest.h>
#include <set>

namespace pantile::reference {

static std::set<std::string> &covered() {
  static std::set<std::string> names;
  return names;
}

static Status tryRun(const std::string &name, const std::string &options, const std::vector<Argument> &arguments) {
  covered().insert(name);
  PANTILE_ASSIGN(std::string text, buildLibraryKernel(name, options));
  PANTILE_ASSIGN(KernelText read, readKernelText(text));
  if (read.header.arguments.size() != arguments.size())
    return Status(PANTILE_INVALID_ARGUMENT, name + " takes " + std::to_string(read.header.arguments.size()) + " arguments");
  mlir::MLIRContext context(mlir::MLIRContext::Threading::DISABLED);
  tile::loadDialects(context);
  PANTILE_ASSIGN(auto module, tile::parseKernel(context, text));
  std::vector<HostArgument> host;
  for (size_t i = 0; i < arguments.size(); ++i) {
    if (auto *tensor = std::get_if<std::reference_wrapper<Tensor>>(&arguments[i])) {
      Tensor &t = *tensor;
      uint8_t *data = t.bytes.data();
      host.push_back(HostView{data, t.dtype, t.sizes, t.strides, data, data + t.bytes.size()});
    } else {
      double number = std::get<double>(arguments[i]);
      bool isFloat = read.header.arguments[i].dtype == PANTILE_F32;
      host.push_back(HostScalar{isFloat ? std::bit_cast<uint32_t>(float(number)) : uint64_t(int64_t(number))});
    }
  }
  return interpret(*module, host);
}

void run(const std::string &name, const std::string &options, std::vector<Argument> arguments) {
  SCOPED_TRACE(name + " " + options);
  Status status = tryRun(name, options, arguments);
  EXPECT_TRUE(status.isOk()) << name << " " << options << ": " << status.message();
}

std::string errorOfRun(const std::string &name, const std::string &options, std::vector<Argument> arguments) {
  Status status = tryRun(name, options, arguments);
  return status.isOk() ? "no error" : status.message();
}

/// After a whole run of the tests: every operator was run.
class Coverage : public ::testing::Environment {
  void TearDown() override {
    if (::testing::GTEST_FLAG(filter) != "*") return;
    for (const LibraryOperator &op : libraryOperators())
      EXPECT_TRUE(covered().contains(op.name)) << "operator '" << op.name << "' has no reference in ir/build/tests";
  }
};
static ::testing::Environment *coverage = ::testing::AddGlobalTestEnvironment(new Coverage);

} // namespace pantile::reference
