//===- cpu/compiler/codegen/Linker.cpp - objects to loaded libraries -------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "backends/cpu/compiler/codegen/ObjectEmitter.h"

#include "lld/Common/Driver.h"
#include "llvm/ADT/SmallString.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"

#include <atomic>
#include <cstring>
#include <dlfcn.h>
#include <mutex>
#include <sys/mman.h>
#include <unistd.h>

LLD_HAS_DRIVER(elf)

using namespace llvm;

namespace pantile::cpu {

namespace {

/// Bytes as a file without a name.
class MemoryFile {
public:
  explicit MemoryFile(StringRef bytes) : descriptor(memfd_create("pantile", MFD_CLOEXEC)) {
    while (descriptor >= 0 && !bytes.empty()) {
      ssize_t written = write(descriptor, bytes.data(), bytes.size());
      if (written <= 0) {
        if (written < 0 && errno == EINTR) continue;
        close(descriptor);
        descriptor = -1;
        return;
      }
      bytes = bytes.drop_front(written);
    }
  }
  MemoryFile(const MemoryFile &) = delete;
  ~MemoryFile() {
    if (descriptor >= 0) close(descriptor);
  }
  explicit operator bool() const { return descriptor >= 0; }
  std::string path() const { return "/proc/self/fd/" + std::to_string(descriptor); }

private:
  int descriptor;
};

/// A directory only this user can enter (lld renames its output into place, so a nameless file will not do).
class PrivateDirectory {
public:
  PrivateDirectory() {
    SmallString<128> model;
    sys::path::system_temp_directory(true, model);
    model += "/pantile-link-XXXXXX";
    std::string name = model.str().str();
    if (mkdtemp(name.data())) path = name;
  }
  PrivateDirectory(const PrivateDirectory &) = delete;
  ~PrivateDirectory() {
    if (path.empty()) return;
    unlink(output().c_str());
    rmdir(path.c_str());
  }
  explicit operator bool() const { return !path.empty(); }
  std::string output() const { return path + "/kernel.so"; }

private:
  std::string path;
};

/// lld's report as one Status: undefined symbols and missing entries by name.
Status linkFailure(StringRef report) {
  SmallVector<StringRef, 16> lines;
  report.split(lines, '\n');
  std::string undefined, missing;
  for (StringRef line : lines) {
    auto name = [&](StringRef before) {
      StringRef rest = line.substr(line.find(before) + before.size());
      return rest.take_until([](char c) { return c == '\'' || c == ' '; }).str();
    };
    if (line.contains("undefined symbol: ")) undefined += (undefined.empty() ? "" : ", ") + name("undefined symbol: ");
    if (line.contains("to symbol '") && line.contains("failed")) missing += (missing.empty() ? "" : ", ") + name("to symbol '");
  }
  std::string text = "linking failed";
  if (!undefined.empty())
    text = "the generated code calls functions that it does not contain: " + undefined;
  else if (!missing.empty())
    text = "the generated code lacks the entries: " + missing;
  return Status(PANTILE_COMPILE_ERROR, text).withCause(report.rtrim().str());
}

} // namespace

Expected<std::string> linkSharedObject(const std::string &object, const std::vector<std::string> &entries) {
  std::string script = "{ global: ";
  for (const std::string &entry : entries) script += "\"" + entry + "\"; ";
  script += "local: *; };\n";
  MemoryFile input(object), version(script);
  if (!input || !version) return Status(PANTILE_IO_ERROR, "no memory file for the linker's input: " + std::string(std::strerror(errno)));
  PrivateDirectory directory;
  if (!directory)
    return Status(PANTILE_IO_ERROR, "no temporary directory for the linker's output").withFix("make TMPDIR (or /tmp) writable");

  std::string inputPath = input.path(), versionPath = "--version-script=" + version.path(), outputPath = directory.output();
  const char *arguments[] = {"ld.lld",
                             "-shared",
                             "--no-undefined",
                             "-Bsymbolic",
                             "--gc-sections",
                             "--hash-style=gnu",
                             "--threads=1",
                             "--build-id=none",
                             "-z",
                             "noexecstack",
                             "-z",
                             "separate-code",
                             "--no-undefined-version",
                             "--color-diagnostics=never",
                             versionPath.c_str(),
                             inputPath.c_str(),
                             "-o",
                             outputPath.c_str()};
  std::string report;
  static bool usable = true;
  {
    static std::mutex mutex;
    std::lock_guard lock(mutex);
    if (!usable) return Status(PANTILE_INTERNAL, "the linker crashed earlier in this process").withFix("restart the compiler helper");
    raw_string_ostream stream(report);
    const lld::DriverDef drivers[] = {{lld::Gnu, &lld::elf::link}};
    lld::Result result = lld::lldMain(arguments, stream, stream, drivers);
    usable = result.canRunAgain;
    if (result.retCode != 0) return linkFailure(report);
  }
  auto output = MemoryBuffer::getFile(outputPath, /*IsText=*/false, /*RequiresNullTerminator=*/false);
  if (!output) return Status(PANTILE_IO_ERROR, "the linker's output cannot be read: " + output.getError().message());
  return (*output)->getBuffer().str();
}

Expected<LoadedObject> LoadedObject::load(const std::string &library) {
  MemoryFile file(library);
  if (!file) return Status(PANTILE_IO_ERROR, "no memory file for a library");
  // A number of its own: dlopen knows open libraries by path, and descriptors are reused.
  static std::atomic<unsigned> count = 0;
  std::string path = "/proc/self/fd/" + std::string(1 + count++ % 1024, '/') + file.path().substr(strlen("/proc/self/fd/"));
  void *handle = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!handle) return Status(PANTILE_DATA_ERROR, "a linked library does not load").withCause(dlerror());
  return LoadedObject(handle);
}

LoadedObject::LoadedObject(LoadedObject &&other) noexcept : handle(std::exchange(other.handle, nullptr)) {}
LoadedObject &LoadedObject::operator=(LoadedObject &&other) noexcept {
  std::swap(handle, other.handle);
  return *this;
}
LoadedObject::~LoadedObject() {
  if (handle) dlclose(handle);
}
void *LoadedObject::symbol(const char *name) const { return dlsym(handle, name); }

} // namespace pantile::cpu
