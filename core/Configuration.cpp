//===- core/Configuration.cpp ---------------------------------------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "core/Configuration.h"

#include "core/Toml.h"

#include <fmt/core.h>

namespace pantile {

const Setting *Configuration::find(std::string_view name) const {
  auto found = settings.find(name);
  return found == settings.end() ? nullptr : &found->second;
}

int64_t Configuration::integer(std::string_view name, int64_t fallback) const {
  const Setting *setting = find(name);
  auto *value = setting ? std::get_if<int64_t>(setting) : nullptr;
  return value ? *value : fallback;
}

std::string_view Configuration::text(std::string_view name, std::string_view fallback) const {
  const Setting *setting = find(name);
  auto *value = setting ? std::get_if<std::string>(setting) : nullptr;
  return value ? std::string_view(*value) : fallback;
}

namespace {

/// A TOML basic string.
std::string quoted(std::string_view text) {
  std::string result = "\"";
  for (char c : text) {
    if (c == '"' || c == '\\') result += '\\';
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f)
      result += fmt::format("\\u{:04X}", unsigned(static_cast<unsigned char>(c)));
    else
      result += c;
  }
  return result + '"';
}

bool isBareKey(std::string_view key) {
  if (key.empty()) return false;
  for (char c : key)
    if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-')) return false;
  return true;
}

constexpr size_t kMaxText = 1 << 16;

} // namespace

std::string Configuration::toText() const {
  std::string result = "{";
  for (const auto &[name, setting] : settings) {
    result += (result.size() > 1 ? ", " : "") + (isBareKey(name) ? name : quoted(name)) + " = ";
    if (auto *integer = std::get_if<int64_t>(&setting))
      result += std::to_string(*integer);
    else if (auto *text = std::get_if<std::string>(&setting))
      result += quoted(*text);
    else {
      std::string list;
      for (int64_t value : std::get<std::vector<int64_t>>(setting)) list += (list.empty() ? "" : ", ") + std::to_string(value);
      result += "[" + list + "]";
    }
  }
  return result + "}";
}

namespace {

/// `a.b = 1` is the key "a.b" here, as in the quoted form.
Status collect(const toml::table &table, const std::string &prefix, int depth, Configuration &configuration) {
  for (auto &&[key, node] : table) {
    std::string name = prefix + std::string(key.str());
    auto wrong = [&](const char *found) {
      return Status(PANTILE_INVALID_ARGUMENT,
                    fmt::format("configuration: '{}' at column {} is {}", name, uint32_t(node.source().begin.column), found))
          .withFix("a value is an integer, true or false, a text, or a list of integers");
    };
    if (auto *inner = node.as_table()) {
      if (depth == 4) return wrong("nested too deep");
      PANTILE_RETURN_IF_ERROR(collect(*inner, name + ".", depth + 1, configuration));
    } else if (auto *integer = node.as_integer()) {
      configuration.set(name, integer->get());
    } else if (auto *boolean = node.as_boolean()) {
      configuration.set(name, int64_t(boolean->get()));
    } else if (auto *text = node.as_string()) {
      configuration.set(name, text->get());
    } else if (auto *array = node.as_array()) {
      std::vector<int64_t> list;
      for (auto &element : *array) {
        auto *value = element.as_integer();
        if (!value) return wrong("a list of something else than integers");
        list.push_back(value->get());
      }
      configuration.set(name, std::move(list));
    } else {
      return wrong("neither integer, text nor list");
    }
  }
  return {};
}

} // namespace

Expected<Configuration> Configuration::fromText(std::string_view text) {
  if (text.size() > kMaxText)
    return Status(PANTILE_INVALID_ARGUMENT, fmt::format("a configuration of {} bytes, at most {}", text.size(), kMaxText));
  size_t first = text.find_first_not_of(" \t\r\n");
  bool table = first != std::string_view::npos && text[first] == '{';
  toml::table parsed;
  if (TomlProblem problem; !parseToml(table ? "c = " + std::string(text) + "\n" : std::string(text), parsed, problem)) {
    uint32_t column = problem.column;
    return Status(PANTILE_INVALID_ARGUMENT,
                  fmt::format("configuration: {} (column {})", problem.text, table && column > 4 ? column - 4 : column))
        .withFix("write a TOML inline table: {bm = 64, loop_orders = [1, 0]}");
  }
  const toml::table *root = &parsed;
  if (table) {
    root = parsed["c"].as_table();
    if (!root || parsed.size() != 1) return Status(PANTILE_INVALID_ARGUMENT, "configuration: something follows the table");
  }
  Configuration configuration;
  PANTILE_RETURN_IF_ERROR(collect(*root, "", 0, configuration));
  return configuration;
}

Configuration Configuration::fromABI(const pantile_configuration &abi) {
  Configuration configuration;
  for (uint32_t i = 0; i < abi.setting_count; ++i) {
    const pantile_setting &setting = abi.settings[i];
    std::string name = setting.name ? setting.name : "";
    switch (setting.kind) {
    case PANTILE_SETTING_INTEGER:
      configuration.set(name, setting.integer);
      break;
    case PANTILE_SETTING_TEXT:
      configuration.set(name, std::string(setting.text ? setting.text : ""));
      break;
    case PANTILE_SETTING_LIST:
      configuration.set(name, std::vector<int64_t>(setting.list, setting.list + setting.list_size));
      break;
    default:
      break; // of a newer host: a compiler that does not know a setting's kind does not know the setting
    }
  }
  return configuration;
}

ConfigurationABI::ConfigurationABI(const Configuration &configuration) {
  for (const auto &[name, setting] : configuration.map()) {
    pantile_setting row{sizeof(pantile_setting), PANTILE_SETTING_INTEGER, name.c_str(), 0, nullptr, nullptr, 0};
    if (auto *integer = std::get_if<int64_t>(&setting))
      row.integer = *integer;
    else if (auto *text = std::get_if<std::string>(&setting))
      row.kind = PANTILE_SETTING_TEXT, row.text = text->c_str();
    else {
      auto &list = std::get<std::vector<int64_t>>(setting);
      row.kind = PANTILE_SETTING_LIST, row.list = list.data(), row.list_size = list.size();
    }
    rows.push_back(row);
  }
  abi = {sizeof(pantile_configuration), uint32_t(rows.size()), rows.data()};
}

} // namespace pantile
