//===- tuner/CacheText.cpp - cache files from and to TOML -----------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "tuner/CacheText.h"

#include "core/Toml.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <sstream>

namespace pantile::tuner {
namespace {

constexpr size_t kMaxName = 128, kMaxText = 1024, kMaxMembers = 256, kMaxList = 64, kMaxAlternatives = 3;

//===--- Reading ---------------------------------------------------------===//

/// Reads members; the first failure sticks.
class Reader {
public:
  Status status;
  bool failed() const { return !status.isOk(); }
  void fail(const toml::node *where, std::string text) {
    if (failed()) return;
    if (where && where->source().begin)
      text = fmt::format("line {}, column {}: {}", where->source().begin.line, where->source().begin.column, text);
    status = Status(PANTILE_DATA_ERROR, std::move(text));
  }

  const toml::table *table(const toml::table &parent, std::string_view name, bool needed) {
    const toml::node *node = parent.get(name);
    if (!node) {
      if (needed) fail(&parent, fmt::format("'{}' is missing", name));
      return nullptr;
    }
    if (!node->is_table()) fail(node, fmt::format("'{}' must be a table", name));
    return node->as_table();
  }
  std::string text(const toml::table &parent, std::string_view name, size_t limit = kMaxText, bool needed = false) {
    const toml::node *node = parent.get(name);
    if (!node) {
      if (needed) fail(&parent, fmt::format("'{}' is missing", name));
      return {};
    }
    if (auto date = node->as_date_time()) {
      std::ostringstream out;
      out << date->get();
      return out.str();
    }
    if (!node->is_string())
      fail(node, fmt::format("'{}' must be a text", name));
    else if (node->as_string()->get().size() > limit)
      fail(node, fmt::format("'{}' is longer than {} bytes", name, limit));
    else
      return node->as_string()->get();
    return {};
  }
  int64_t integer(const toml::table &parent, std::string_view name, int64_t fallback) {
    const toml::node *node = parent.get(name);
    if (!node) return fallback;
    if (!node->is_integer() || node->as_integer()->get() < 0)
      fail(node, fmt::format("'{}' must be an integer of at least 0", name));
    else
      return node->as_integer()->get();
    return fallback;
  }
  double number(const toml::table &parent, std::string_view name, double fallback) {
    const toml::node *node = parent.get(name);
    if (!node) return fallback;
    double value = node->is_integer()          ? double(node->as_integer()->get())
                   : node->is_floating_point() ? node->as_floating_point()->get()
                                               : NAN;
    if (!std::isfinite(value) || value < 0)
      fail(node, fmt::format("'{}' must be a number of at least 0", name));
    else
      return value;
    return fallback;
  }
  bool boolean(const toml::table &parent, std::string_view name) {
    const toml::node *node = parent.get(name);
    if (!node) return false;
    if (!node->is_boolean()) fail(node, fmt::format("'{}' must be true or false", name));
    return node->is_boolean() && node->as_boolean()->get();
  }
  bool fits(const toml::table &table, std::string_view what) {
    if (table.size() > kMaxMembers) fail(&table, fmt::format("{} has more than {} members", what, kMaxMembers));
    for (auto &&[key, value] : table)
      if (key.str().size() > kMaxName) fail(&value, fmt::format("a name in {} is longer than {} bytes", what, kMaxName));
    return !failed();
  }
  std::optional<Setting> setting(const toml::node &node) {
    if (auto value = node.as_integer()) return value->get();
    if (auto value = node.as_boolean()) return int64_t(value->get());
    if (auto value = node.as_string()) {
      if (value->get().size() <= kMaxText) return value->get();
    } else if (auto array = node.as_array(); array && array->size() <= kMaxList) {
      std::vector<int64_t> list;
      for (const toml::node &element : *array)
        if (auto value = element.as_integer()) list.push_back(value->get());
      if (list.size() == array->size()) return list;
    }
    fail(&node, "expected an integer, a truth value, a short text, or a list of integers");
    return std::nullopt;
  }
  Configuration configuration(const toml::table &table) {
    Configuration result;
    if (!fits(table, "config")) return result;
    for (auto &&[key, value] : table)
      if (auto read = setting(value)) result.set(std::string(key.str()), std::move(*read));
    return result;
  }

  CacheEntry entry(const toml::table &table, const toml::table &kernel) {
    CacheEntry entry;
    if (auto shape = this->table(table, "shape", true); shape && fits(*shape, "shape"))
      for (auto &&[key, value] : *shape) {
        if (auto size = value.as_integer(); size && size->get() >= 0)
          entry.shape[std::string(key.str())] = size->get();
        else
          fail(&value, "a size must be an integer of at least 0");
      }
    if (auto config = this->table(table, "config", true)) entry.configuration = configuration(*config);
    entry.align = integer(table, "align", 0);
    entry.facts = text(table, "facts");
    entry.regime = text(table, "regime", kMaxName);
    if (auto time = this->table(table, "time", false))
      entry.time = {number(*time, "med_us", 0), number(*time, "lo", 0), number(*time, "hi", 0), number(*time, "baseline_us", 0),
                    integer(*time, "n", 0)};
    if (auto alternatives = table.get("alt")) {
      if (!alternatives->is_array())
        fail(alternatives, "'alt' must be a list of tables");
      else
        for (const toml::node &node : *alternatives->as_array()) {
          if (entry.alternatives.size() == kMaxAlternatives) break;
          auto alternative = node.as_table();
          if (!alternative)
            fail(&node, "'alt' must be a list of tables");
          else if (auto config = this->table(*alternative, "config", true))
            entry.alternatives.push_back({configuration(*config), number(*alternative, "ratio", 1)});
        }
    }
    static const toml::table none;
    const toml::table *prov = this->table(table, "prov", false);
    if (!prov) prov = &none;
    Provenance &p = entry.provenance;
    auto inherited = [&](std::string_view name) -> const toml::table & { return prov->contains(name) ? *prov : kernel; };
    p.mode = text(*prov, "mode", kMaxName);
    p.strategy = text(*prov, "strategy", kMaxName);
    p.tool = text(*prov, "tool", kMaxName);
    p.compiler = text(inherited("compiler"), "compiler");
    p.driver = text(*prov, "driver");
    p.device = text(*prov, "gpu");
    p.space = text(inherited("space"), "space", kMaxName);
    p.codegenABI = integer(inherited("codegen_abi"), "codegen_abi", 0);
    p.evaluations = integer(*prov, "evals", 0);
    p.seconds = number(*prov, "seconds", 0);
    p.date = text(*prov, "date", kMaxName);
    p.verified = boolean(*prov, "verified");
    return entry;
  }
};

//===--- Writing ---------------------------------------------------------===//

std::string key(std::string_view name) {
  bool bare = !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
  });
  return bare ? std::string(name) : quoted(name);
}

std::string decimal(double value) {
  std::string text = fmt::format("{}", std::isfinite(value) && value > 0 ? value : 0.0);
  return text.find_first_of(".e") == std::string::npos ? text + ".0" : text;
}

std::string settingText(const Setting &setting) {
  if (auto text = std::get_if<std::string>(&setting)) return quoted(*text);
  if (auto list = std::get_if<std::vector<int64_t>>(&setting)) {
    std::string result = "[";
    for (size_t i = 0; i < list->size(); ++i) result += fmt::format("{}{}", i ? ", " : "", (*list)[i]);
    return result + "]";
  }
  return fmt::format("{}", std::get<int64_t>(setting));
}

/// "{a = 1, b = 2}" of members that are added in order.
class InlineTable {
public:
  void add(std::string_view name, const std::string &value) {
    text += fmt::format("{}{} = {}", text.empty() ? "" : ", ", key(name), value);
  }
  void label(std::string_view name, const std::string &value) {
    if (!value.empty()) add(name, quoted(value));
  }
  void integer(std::string_view name, int64_t value) {
    if (value != 0) add(name, fmt::format("{}", value));
  }
  void number(std::string_view name, double value) {
    if (value > 0) add(name, decimal(value));
  }
  std::string take() const { return "{" + text + "}"; }

private:
  std::string text;
};

std::string configurationText(const Configuration &configuration) {
  InlineTable table;
  for (const auto &[name, setting] : configuration.map()) table.add(name, settingText(setting));
  return table.take();
}

/// A UTC date-time that TOML accepts bare.
bool isDate(std::string_view d) {
  constexpr std::string_view form = "dddd-dd-ddTdd:dd:ddZ";
  if (d.size() != form.size()) return false;
  for (size_t i = 0; i < d.size(); ++i)
    if (form[i] == 'd' ? d[i] < '0' || d[i] > '9' : d[i] != form[i]) return false;
  auto two = [&](size_t at) { return (d[at] - '0') * 10 + d[at + 1] - '0'; };
  int month = two(5), days = month == 2 ? 28 : month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31;
  return month >= 1 && month <= 12 && two(8) >= 1 && two(8) <= days && two(11) < 24 && two(14) < 60 && two(17) < 60;
}

} // namespace

std::string quoted(std::string_view text) {
  std::string result = "\"";
  for (size_t i = 0; i < text.size(); ++i) {
    auto c = static_cast<unsigned char>(text[i]);
    if (c == '"' || c == '\\')
      (result += '\\') += char(c);
    else if (c < 0x20 || c == 0x7f)
      result += fmt::format("\\u{:04X}", c);
    else if (c < 0x80)
      result += char(c);
    else {
      size_t length = c >= 0xf0 && c < 0xf5 ? 4 : c >= 0xe0 ? 3 : c >= 0xc2 ? 2 : 0;
      if (c >= 0xf5 || i + length > text.size()) length = 0;
      for (size_t k = 1; k < length; ++k)
        if ((text[i + k] & 0xc0) != 0x80) length = 0;
      unsigned char second = length > 1 ? static_cast<unsigned char>(text[i + 1]) : 0;
      // Overlong forms, surrogates, and beyond U+10FFFF.
      if ((c == 0xe0 && second < 0xa0) || (c == 0xed && second > 0x9f) || (c == 0xf0 && second < 0x90) || (c == 0xf4 && second > 0x8f))
        length = 0;
      if (length == 0) {
        result += '?';
        continue;
      }
      result.append(text.substr(i, length));
      i += length - 1;
    }
  }
  return result + "\"";
}

std::string printEntry(const CacheEntry &entry) {
  InlineTable shape, time, prov;
  for (const auto &[name, size] : entry.shape) shape.add(name, fmt::format("{}", size));
  time.number("baseline_us", entry.time.baseline);
  time.number("hi", entry.time.high);
  time.number("lo", entry.time.low);
  time.number("med_us", entry.time.median);
  time.integer("n", entry.time.samples);
  const Provenance &p = entry.provenance;
  prov.integer("codegen_abi", p.codegenABI);
  prov.label("compiler", p.compiler);
  if (isDate(p.date))
    prov.add("date", p.date);
  else
    prov.label("date", p.date);
  prov.label("driver", p.driver);
  prov.integer("evals", p.evaluations);
  prov.label("gpu", p.device);
  prov.label("mode", p.mode);
  prov.number("seconds", p.seconds);
  prov.label("space", p.space);
  prov.label("strategy", p.strategy);
  prov.label("tool", p.tool);
  if (p.verified) prov.add("verified", "true");

  std::string text = fmt::format("shape = {}\n", shape.take());
  if (entry.align) text += fmt::format("align = {}\n", entry.align);
  if (!entry.facts.empty()) text += fmt::format("facts = {}\n", quoted(entry.facts));
  if (!entry.regime.empty()) text += fmt::format("regime = {}\n", quoted(entry.regime));
  text += fmt::format("config = {}\ntime = {}\n", configurationText(entry.configuration), time.take());
  if (!entry.alternatives.empty()) {
    text += "alt = [";
    for (size_t i = 0; i < entry.alternatives.size(); ++i)
      text += fmt::format("{}{{config = {}, ratio = {}}}", i ? ", " : "", configurationText(entry.alternatives[i].configuration),
                          decimal(entry.alternatives[i].ratio));
    text += "]\n";
  }
  return text + fmt::format("prov = {}\n", prov.take());
}

std::string printCacheFile(const CacheFile &file) {
  std::string text = fmt::format("schema = 1\n\n[hardware]\nkey = {}\n", quoted(file.hardware));
  for (const auto &[name, setting] : file.hardwareFacts)
    if (name != "key") text += fmt::format("{} = {}\n", key(name), settingText(setting));
  text += fmt::format("\n[kernel]\nname = {}\nsig = {}\n", quoted(file.kernel), quoted(file.signature));
  for (const CacheEntry &entry : file.entries) text += "\n[[entry]]\n" + printEntry(entry);
  return text;
}

Expected<CacheFile> parseCacheFile(std::string_view text) {
  if (text.size() > kMaxCacheFileBytes)
    return Status(PANTILE_DATA_ERROR,
                  fmt::format("{} bytes; a configuration file has at most {} MiB", text.size(), kMaxCacheFileBytes >> 20));
  toml::table root;
  if (TomlProblem problem; !parseToml(text, root, problem))
    return Status(PANTILE_DATA_ERROR,
                  problem.line ? fmt::format("line {}, column {}: {}", problem.line, problem.column, problem.text) : problem.text);
  Reader reader;
  CacheFile file;
  int64_t schema = reader.integer(root, "schema", 0);
  if (!reader.failed() && schema != 1)
    reader.fail(root.get("schema"),
                schema == 0 ? "'schema = 1' is missing" : fmt::format("schema {} is newer than this program, which reads 1", schema));
  const toml::table *hardware = reader.failed() ? nullptr : reader.table(root, "hardware", true);
  const toml::table *kernel = reader.failed() ? nullptr : reader.table(root, "kernel", true);
  if (hardware && kernel && !reader.failed() && reader.fits(*hardware, "hardware")) {
    file.hardware = reader.text(*hardware, "key", kMaxName, true);
    for (auto &&[name, value] : *hardware)
      if (name.str() != "key") {
        if (auto setting = reader.setting(value)) file.hardwareFacts.emplace(std::string(name.str()), std::move(*setting));
      }
    file.kernel = reader.text(*kernel, "name", kMaxName, true);
    file.signature = reader.text(*kernel, "sig", kMaxName, true);
    const toml::node *entries = root.get("entry");
    if (entries && !entries->is_array()) reader.fail(entries, "'entry' must be a list of tables, written [[entry]]");
    if (entries && entries->is_array()) {
      if (entries->as_array()->size() > kMaxCacheEntries) reader.fail(entries, fmt::format("more than {} entries", kMaxCacheEntries));
      for (const toml::node &node : *entries->as_array()) {
        if (reader.failed()) break;
        if (auto table = node.as_table())
          file.entries.push_back(reader.entry(*table, *kernel));
        else
          reader.fail(&node, "'entry' must be a list of tables, written [[entry]]");
      }
    }
  }
  if (reader.failed()) return std::move(reader.status);
  // A person may have written entries in any order, and one twice.
  CacheFile empty{file.hardware, file.hardwareFacts, file.kernel, file.signature, {}};
  return mergeCacheFiles(empty, file);
}

} // namespace pantile::tuner
