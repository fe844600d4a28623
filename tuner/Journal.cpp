//===- tuner/Journal.cpp - appending and reading JSON lines ---------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "tuner/Journal.h"

#include "core/Hash.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

namespace pantile::tuner {
namespace {

using nlohmann::json;

constexpr std::string_view kSeal = ",\"crc\":\"";
constexpr size_t kMaxJournalBytes = 256u << 20, kMaxReport = 2000;

std::string sealed(const json &body) {
  // dump() writes keys in order; invalid UTF-8 of a compiler's message is replaced.
  std::string text = body.dump(-1, ' ', false, json::error_handler_t::replace);
  text.pop_back();
  uint64_t sum = checksum(text);
  return fmt::format("{}{}{:016x}\"}}\n", text, kSeal, sum);
}

/// The object of a sealed line without its newline; nothing where it is damaged.
std::optional<json> unseal(std::string_view line) {
  size_t at = line.rfind(kSeal);
  if (at == std::string_view::npos || line.size() != at + kSeal.size() + 18) return std::nullopt;
  if (line.substr(at) != fmt::format("{}{:016x}\"}}", kSeal, checksum(line.substr(0, at)))) return std::nullopt;
  json value = json::parse(line, nullptr, false);
  return value.is_object() ? std::optional(std::move(value)) : std::nullopt;
}

std::string textOf(const json &object, const char *name) {
  auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

Journal::Record recordOf(const json &line) {
  Journal::Record record;
  record.outcome = outcomeFromName(textOf(line, "outcome")).value_or(Outcome::Failed);
  record.report = textOf(line, "report");
  if (auto samples = line.find("samples"); samples != line.end() && samples->is_array())
    for (const json &sample : *samples)
      if (sample.is_number() && sample.get<double>() > 0) record.samples.push_back(sample.get<double>());
  if (auto resources = line.find("resources"); resources != line.end() && resources->is_object())
    for (auto &[name, value] : resources->items())
      if (value.is_number_integer()) record.resources.push_back({name, value.get<int64_t>()});
  if ((record.outcome == Outcome::Timed || record.outcome == Outcome::Slow) && record.samples.empty()) record.outcome = Outcome::Failed;
  return record;
}

Status systemError(pantile_code code, const std::string &what) { return Status(code, fmt::format("{}: {}", what, std::strerror(errno))); }

/// Another journal in the way: nothing is deleted.
std::string setAside(const std::string &path, std::string_view contents) {
  return fmt::format("{}.{:08x}", path, uint32_t(checksum(contents)));
}

} // namespace

Journal::Journal(Journal &&other) noexcept { *this = std::move(other); }

Journal &Journal::operator=(Journal &&other) noexcept {
  std::swap(descriptor, other.descriptor);
  std::swap(path, other.path);
  std::swap(firstProblem, other.firstProblem);
  std::swap(reported, other.reported);
  std::swap(torn, other.torn);
  std::swap(records, other.records);
  std::swap(damaged, other.damaged);
  std::swap(lastSync, other.lastSync);
  return *this;
}

Journal::~Journal() {
  if (descriptor < 0) return;
  ::fdatasync(descriptor);
  ::close(descriptor);
}

Expected<Journal> Journal::open(const std::string &path, const std::string &key, const std::string &space, const std::string &strategy,
                                uint64_t seed) {
  for (int attempt = 0; attempt < 3; ++attempt) {
    Journal journal;
    journal.path = path;
    journal.lastSync = Clock::now();
    journal.descriptor = ::open(path.c_str(), O_RDWR | O_APPEND | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0600);
    if (journal.descriptor < 0) return systemError(PANTILE_IO_ERROR, fmt::format("tuning journal '{}' cannot be opened", path));
    struct stat info;
    if (::fstat(journal.descriptor, &info) != 0 || !S_ISREG(info.st_mode))
      return Status(PANTILE_IO_ERROR, fmt::format("tuning journal '{}' is not a regular file", path));
    if (size_t(info.st_size) > kMaxJournalBytes)
      return Status(PANTILE_DATA_ERROR, fmt::format("tuning journal '{}' is larger than {} MiB", path, kMaxJournalBytes >> 20))
          .withFix("name another one");
    if (::flock(journal.descriptor, LOCK_EX | LOCK_NB) != 0)
      return Status(PANTILE_UNAVAILABLE, fmt::format("tuning journal '{}' is in use by another process", path))
          .withFix("wait for it, or name another one");
    // Between open and lock another process may have set the file aside: then this is the wrong one.
    struct stat named;
    if (::stat(path.c_str(), &named) != 0 || named.st_ino != info.st_ino || named.st_dev != info.st_dev) continue;

    std::string contents(size_t(info.st_size), '\0');
    size_t have = 0;
    while (have < contents.size()) {
      ssize_t got = ::pread(journal.descriptor, contents.data() + have, contents.size() - have, off_t(have));
      if (got < 0 && errno == EINTR) continue;
      if (got <= 0) break;
      have += size_t(got);
    }
    contents.resize(have);

    bool ours = false, foreign = false;
    for (size_t begin = 0; begin < contents.size();) {
      size_t end = contents.find('\n', begin);
      std::string_view line(contents.data() + begin, std::min(end, contents.size()) - begin);
      begin = end == std::string::npos ? contents.size() : end + 1;
      if (line.empty()) continue;
      auto object = unseal(line);
      if (!object) {
        ++journal.damaged;
        continue;
      }
      std::string type = textOf(*object, "type"), configuration = textOf(*object, "config");
      if (type == "run") {
        bool same = textOf(*object, "key") == key && textOf(*object, "space") == space;
        (same ? ours : foreign) = true;
      } else if (type == "started" && !journal.records.contains(configuration)) {
        Record record;
        record.report = "it ended the process that measured it";
        journal.records.emplace(configuration, std::move(record));
      } else if (type == "withdrawn") {
        journal.records.erase(configuration);
      } else if (type == "done") {
        journal.records.insert_or_assign(configuration, recordOf(*object));
      }
    }
    // Records without an intact header could be about anything.
    if (foreign || (!ours && !journal.records.empty())) {
      std::string aside = setAside(path, contents);
      if (::rename(path.c_str(), aside.c_str()) != 0)
        return systemError(PANTILE_IO_ERROR, fmt::format("tuning journal '{}' is about another kernel and cannot be renamed", path));
      continue;
    }
    if (!contents.empty() && contents.back() != '\n') journal.append("\n");
    if (!ours)
      journal.append(sealed({{"type", "run"}, {"version", 1}, {"key", key}, {"space", space}, {"strategy", strategy}, {"seed", seed}}));
    return journal;
  }
  return Status(PANTILE_UNAVAILABLE, fmt::format("tuning journal '{}' is in use by another process", path))
      .withFix("wait for it, or name another one");
}

const Journal::Record *Journal::find(const std::string &configuration) const {
  auto found = records.find(configuration);
  return found == records.end() ? nullptr : &found->second;
}

void Journal::started(uint64_t number, const std::string &configuration) {
  if (descriptor >= 0) append(sealed({{"type", "started"}, {"n", number}, {"config", configuration}}));
}

void Journal::done(uint64_t number, const std::string &configuration, const Trial &trial) {
  if (descriptor < 0) return;
  json line = {{"type", "done"}, {"n", number}, {"config", configuration}, {"outcome", name(trial.outcome)}};
  if (!trial.samples.empty()) line["samples"] = trial.samples;
  if (!trial.report.empty()) line["report"] = trial.report.substr(0, kMaxReport);
  for (const auto &[resource, value] : trial.resources) line["resources"][resource] = value;
  append(sealed(line));
}

void Journal::withdrawn(uint64_t number, const std::string &configuration) {
  if (descriptor >= 0) append(sealed({{"type", "withdrawn"}, {"n", number}, {"config", configuration}}));
}

void Journal::finished(const std::string &configuration, const Summary &time) {
  if (descriptor < 0) return;
  append(sealed({{"type", "result"},
                 {"config", configuration},
                 {"median", time.median},
                 {"low", time.low},
                 {"high", time.high},
                 {"n", time.samples}}));
}

void Journal::append(const std::string &line) {
  if (descriptor < 0) return;
  std::string text = torn ? "\n" + line : line;
  size_t have = 0;
  while (have < text.size()) {
    ssize_t put = ::write(descriptor, text.data() + have, text.size() - have);
    if (put < 0 && errno == EINTR) continue;
    if (put <= 0) {
      torn |= have > 0; // half a line: the next one must not be glued to it
      if (firstProblem.empty()) firstProblem = fmt::format("tuning journal '{}' cannot be written: {}", path, std::strerror(errno));
      return;
    }
    have += size_t(put);
  }
  torn = false;
  if (auto now = Clock::now(); now - lastSync > std::chrono::seconds(1)) {
    ::fdatasync(descriptor);
    lastSync = now;
  }
}

std::string Journal::problem() {
  if (reported || firstProblem.empty()) return {};
  reported = true;
  return firstProblem;
}

} // namespace pantile::tuner
