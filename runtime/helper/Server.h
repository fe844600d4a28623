//===- runtime/helper/Server.h - the helper programs' side ----------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#ifndef PANTILE_RUNTIME_HELPER_SERVER_H
#define PANTILE_RUNTIME_HELPER_SERVER_H

#include "runtime/helper/Frame.h"

#include <functional>
#include <vector>

namespace pantile {

struct HelperArguments {
  int parent = 0;
  uint64_t memoryBytes = 0;
  std::vector<std::string> pluginFolders;
};

/// Reads the command line, bounds memory, forbids core files, and starts the watch: when the application ends, in whatever
/// way, or closes the socket, this process and all of its group are killed. Exits with 2 and a line on misuse (these programs
/// are started by libpantile only).
HelperArguments startHelper(int argc, char **argv);

/// Answers a request by its payload; the descriptor that came along is the frame's.
using Handler = std::function<Expected<std::string>(Frame &request)>;
/// Answers requests until the socket closes. Exceptions of the handler are errors of the request.
int serve(const Handler &handler);

} // namespace pantile

#endif // PANTILE_RUNTIME_HELPER_SERVER_H
