//===- tests/fuzz/Replay.cpp - a target without a fuzzer ------------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//   fuzz_<target> CORPUS [MUTATIONS [SEED]]
//
// Runs every file of the corpus, then MUTATIONS seeded mutations of them (flipped, copied, cut and joined bytes; numbers at
// their ends), the same on every machine. What brings the target down is written to ./fuzz-<target>.input.
//
//===----------------------------------------------------------------------===//

#include "tests/fuzz/Fuzz.h"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <random>
#include <unistd.h>
#include <vector>

namespace {

std::string input, keptAs;

void keep(int signal) {
  int file = open(keptAs.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644);
  static const char said[] = "fuzz: the input is kept in ";
  if (file >= 0 && write(file, input.data(), input.size()) >= 0)
    (void)!(write(2, said, sizeof(said) - 1) + write(2, keptAs.data(), keptAs.size()) + write(2, "\n", 1));
  ::signal(signal, SIG_DFL);
  raise(signal);
}

void run(std::string bytes) {
  input = std::move(bytes);
  alarm(20); // no input may take so long
  LLVMFuzzerTestOneInput(reinterpret_cast<const uint8_t *>(input.data()), input.size());
  alarm(0);
}

std::string mutated(const std::vector<std::string> &corpus, std::mt19937_64 &random) {
  std::string bytes = corpus[random() % corpus.size()];
  for (unsigned left = 1 + unsigned(random() % 4); left; --left) {
    const size_t at = bytes.empty() ? 0 : random() % bytes.size();
    switch (random() % 8) {
    case 0:
      if (!bytes.empty()) bytes[at] = char(bytes[at] ^ (1 << random() % 8));
      break;
    case 1:
      if (!bytes.empty()) bytes[at] = char(random());
      break;
    case 2:
      bytes.insert(at, 1 + random() % 8, char(random()));
      break;
    case 3:
      bytes.erase(at, 1 + random() % 16);
      break;
    case 4:
      bytes.resize(at);
      break;
    case 5: { // a piece of another
      const std::string &other = corpus[random() % corpus.size()];
      if (!other.empty()) bytes.insert(at, other.substr(random() % other.size(), 1 + random() % 64));
      break;
    }
    case 6: { // a piece of itself, over another
      std::string piece = bytes.substr(at, 1 + random() % 32);
      const size_t to = bytes.empty() ? 0 : random() % bytes.size();
      bytes.replace(to, std::min(piece.size(), bytes.size() - to), piece);
      break;
    }
    case 7: { // a number at its end
      static const char *const numbers[] = {"-1", "0", "9223372036854775807", "-9223372036854775808", "4294967296", "1e999", "nan"};
      if (!bytes.empty() && at + 8 <= bytes.size() && random() % 2)
        std::memset(bytes.data() + at, random() % 2 ? 0xff : 0x7f, 8);
      else
        bytes.insert(at, numbers[random() % 7]);
      break;
    }
    }
    if (bytes.size() > 1 << 16) bytes.resize(1 << 16);
  }
  return bytes;
}

} // namespace

int main(int count, char **arguments) {
  if (count < 2) return std::fprintf(stderr, "usage: %s CORPUS [MUTATIONS [SEED]]\n", arguments[0]), 2;
  keptAs = std::filesystem::path(arguments[0]).filename().string() + ".input";
  for (int signal : {SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGALRM}) ::signal(signal, keep);
  signal(SIGPIPE, SIG_IGN);
  std::vector<std::filesystem::path> files;
  if (std::filesystem::is_directory(arguments[1]))
    for (const auto &entry : std::filesystem::directory_iterator(arguments[1])) files.push_back(entry.path());
  else
    files.emplace_back(arguments[1]);
  std::sort(files.begin(), files.end());
  std::vector<std::string> corpus;
  for (const auto &path : files) {
    std::ifstream in(path, std::ios::binary);
    corpus.emplace_back((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
    run(corpus.back());
  }
  if (corpus.empty()) return std::fprintf(stderr, "%s: no corpus\n", arguments[1]), 1;
  const unsigned long long mutations = count > 2 ? std::strtoull(arguments[2], nullptr, 10) : 0;
  std::mt19937_64 random(count > 3 ? std::strtoull(arguments[3], nullptr, 10) : 1);
  for (unsigned long long i = 0; i < mutations; ++i) run(mutated(corpus, random));
  std::printf("%zu inputs and %llu mutations of them\n", corpus.size(), mutations);
  return 0;
}
