//===- runtime/helper/CompilerClient.h - asking pantile-compiler ----------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#ifndef PANTILE_RUNTIME_HELPER_COMPILERCLIENT_H
#define PANTILE_RUNTIME_HELPER_COMPILERCLIENT_H

#include "core/SpaceDescription.h"
#include "runtime/helper/Process.h"
#include "runtime/helper/Protocol.h"

namespace pantile {

/// The helper program and the folders where it looks for compiler halves.
HelperProgram compilerProgram(const std::string &helperFolder, const std::vector<std::string> &pluginFolders);

/// Thread safe; requests of several threads run in several processes. A crash, hang, or exhausted memory is an error that
/// says so.
class CompilerClient {
public:
  CompilerClient(const std::string &helperFolder, const std::vector<std::string> &pluginFolders, unsigned processes);

  Expected<std::string> listTargets(const std::string &backend);
  Expected<std::string> describeTarget(const std::string &backend, const std::string &target);
  Expected<SpaceDescription> space(const CompileRequest &request);
  Expected<Artifact> compile(const CompileRequest &request, Clock::time_point deadline, const std::atomic<bool> *cancel = nullptr);
  Expected<Artifact> compile(const CompileRequest &request);
  Expected<std::string> inspect(const CompileRequest &request, const std::string &stage);
  /// Tensors lie in `memory`, a file in memory.
  Status interpret(const InterpretRequest &request, int memory, Clock::time_point deadline);

  HelperPool &processes() { return pool; }

private:
  HelperPool pool;
};

} // namespace pantile

#endif // PANTILE_RUNTIME_HELPER_COMPILERCLIENT_H
