//===- core/Configuration.h - a kernel's tunable choices as values --------===//
//
// A configuration is a sorted map from a parameter's name to an integer (bools are 0/1), a text (an enum's label) or a
// list (a permutation). Its text form is a TOML inline table, "{bm = 64, loop_orders = [1, 0], pid_type = \"flat\"}":
// what people read, pin and commit. Equal configurations have equal text.
//
//===----------------------------------------------------------------------===//

#ifndef PANTILE_CORE_CONFIGURATION_H
#define PANTILE_CORE_CONFIGURATION_H

#include "core/Status.h"
#include "pantile/plugin.h"

#include <map>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace pantile {

using Setting = std::variant<int64_t, std::string, std::vector<int64_t>>;

class Configuration {
public:
  using Map = std::map<std::string, Setting, std::less<>>;

  void set(std::string name, Setting value) { settings.insert_or_assign(std::move(name), std::move(value)); }
  const Setting *find(std::string_view name) const;
  int64_t integer(std::string_view name, int64_t fallback) const;
  std::string_view text(std::string_view name, std::string_view fallback) const;
  const Map &map() const { return settings; }
  bool empty() const { return settings.empty(); }
  bool operator==(const Configuration &) const = default;

  /// A TOML inline table with sorted keys (dotted keys are quoted).
  std::string toText() const;
  /// Accepts what toText writes and what people write; errors name the key and column.
  static Expected<Configuration> fromText(std::string_view text);
  /// From the ABI's struct (copied).
  static Configuration fromABI(const pantile_configuration &configuration);

private:
  Map settings;
};

/// A view of a Configuration as the ABI's struct; the Configuration must outlive it unchanged.
class ConfigurationABI {
public:
  explicit ConfigurationABI(const Configuration &configuration);
  const pantile_configuration *get() const { return &abi; }

private:
  std::vector<pantile_setting> rows;
  pantile_configuration abi;
};

} // namespace pantile

#endif // PANTILE_CORE_CONFIGURATION_H
