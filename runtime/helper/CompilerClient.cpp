//===- runtime/helper/CompilerClient.cpp ----------------------------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "runtime/helper/CompilerClient.h"

#include <algorithm>
#include <unistd.h>

namespace pantile {

namespace {

constexpr auto kQuestion = std::chrono::seconds(60);
constexpr auto kCompilation = std::chrono::seconds(120);

template <typename Record> std::string bytesOf(const Record &record) {
  ByteWriter writer;
  record.write(writer);
  return writer.take();
}

} // namespace

HelperProgram compilerProgram(const std::string &helperFolder, const std::vector<std::string> &pluginFolders) {
  HelperProgram program{helperFolder + "/pantile-compiler", {}};
  // Half of the machine: a compiler that wants more is ended, not the application.
  program.memoryBytes = std::max<uint64_t>(uint64_t(4) << 30, uint64_t(sysconf(_SC_PHYS_PAGES)) * uint64_t(sysconf(_SC_PAGESIZE)) / 2);
  for (const auto &folder : pluginFolders) program.arguments.push_back("--plugins=" + folder);
  return program;
}

CompilerClient::CompilerClient(const std::string &helperFolder, const std::vector<std::string> &pluginFolders, unsigned processes)
    : pool(compilerProgram(helperFolder, pluginFolders), processes) {}

Expected<std::string> CompilerClient::listTargets(const std::string &backend) {
  ByteWriter writer;
  writer.text(backend);
  PANTILE_ASSIGN(Frame answer, pool.request(kListTargets, writer.data(), Clock::now() + kQuestion));
  return std::move(answer.payload);
}

Expected<std::string> CompilerClient::describeTarget(const std::string &backend, const std::string &target) {
  ByteWriter writer;
  writer.text(backend);
  writer.text(target);
  PANTILE_ASSIGN(Frame answer, pool.request(kDescribeTarget, writer.data(), Clock::now() + kQuestion));
  return std::move(answer.payload);
}

Expected<SpaceDescription> CompilerClient::space(const CompileRequest &request) {
  PANTILE_ASSIGN(Frame answer, pool.request(kSpace, bytesOf(request), Clock::now() + kQuestion));
  ByteReader reader(answer.payload);
  PANTILE_ASSIGN(auto description, SpaceDescription::read(reader));
  PANTILE_RETURN_IF_ERROR(reader.finish("a space"));
  return description;
}

Expected<Artifact> CompilerClient::compile(const CompileRequest &request) { return compile(request, Clock::now() + kCompilation); }

Expected<Artifact> CompilerClient::compile(const CompileRequest &request, Clock::time_point deadline, const std::atomic<bool> *cancel) {
  auto answer = pool.request(kCompile, bytesOf(request), deadline, -1, cancel);
  if (!answer) return std::move(answer).status();
  ByteReader reader(answer->payload);
  PANTILE_ASSIGN(auto artifact, Artifact::read(reader));
  PANTILE_RETURN_IF_ERROR(reader.finish("an artifact"));
  return artifact;
}

Expected<std::string> CompilerClient::inspect(const CompileRequest &request, const std::string &stage) {
  ByteWriter writer;
  request.write(writer);
  writer.text(stage);
  PANTILE_ASSIGN(Frame answer, pool.request(kInspect, writer.data(), Clock::now() + kCompilation));
  return std::move(answer.payload);
}

Status CompilerClient::interpret(const InterpretRequest &request, int memory, Clock::time_point deadline) {
  return pool.request(kInterpret, bytesOf(request), deadline, memory).status();
}

} // namespace pantile
