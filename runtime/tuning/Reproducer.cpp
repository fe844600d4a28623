//===- runtime/tuning/Reproducer.cpp --------------------------------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "runtime/tuning/TuneCall.h"

#include <cerrno>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

namespace pantile {

namespace {

Status writeFile(const std::string &path, const std::string &text) {
  Descriptor file(open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644));
  if (!file.valid() || write(file.get(), text.data(), text.size()) != ssize_t(text.size()))
    return {PANTILE_IO_ERROR, fmt::format("PANTILE_REPRO: '{}' cannot be written: {}", path, systemError(errno))};
  return {};
}

std::string factsText(const Signature &signature, const Facts &facts) {
  std::string text = "# argument dtype rank unit_dim alignment | size_divisor stride_divisor static_size by dimension\n";
  for (size_t i = 0; i < facts.arguments.size(); ++i) {
    const auto &f = facts.arguments[i];
    text += fmt::format("{} {} {} {} {} |", signature.arguments()[i].name, info(DType(f.dtype)).name, f.rank, f.unit_dim, f.alignment);
    for (int d = 0; d < f.rank; ++d) text += fmt::format(" {} {} {}", f.size_divisor[d], f.stride_divisor[d], f.static_size[d]);
    text += "\n";
  }
  return text;
}

} // namespace

Status writeReproducer(const std::string &root, const CompileRequest &request, const Signature &signature, const std::string &key) {
  const std::string folder = fmt::format("{}/{}-{}", root, signature.name(), key.substr(0, 12));
  mkdir(root.c_str(), 0755);
  if (mkdir(folder.c_str(), 0755) && errno != EEXIST)
    return {PANTILE_IO_ERROR, fmt::format("PANTILE_REPRO: '{}' cannot be made: {}", folder, systemError(errno))};
  PANTILE_RETURN_IF_ERROR(writeFile(folder + "/kernel.tile", request.ir));
  PANTILE_RETURN_IF_ERROR(writeFile(folder + "/configuration.toml", "config = " + request.configuration.toText() + "\n"));
  PANTILE_RETURN_IF_ERROR(writeFile(folder + "/facts.txt", factsText(signature, request.facts)));
  ByteWriter writer;
  request.write(writer);
  PANTILE_RETURN_IF_ERROR(writeFile(folder + "/request.bin", writer.data())); // what the helper was sent, whole
  return writeFile(folder + "/README.txt",
                   fmt::format("backend {}\ntarget {}\n\npantile compile kernel.tile --target '{}' --config '{}' --shape ... -o code\n"
                               "request.bin is what the compiler was sent, as helper/Protocol.h writes it.\n",
                               request.backend, request.target, request.target, request.configuration.toText()));
}

} // namespace pantile
